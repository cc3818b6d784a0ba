/**
 * What attaches to devices, sockets and cgroups is not attached by section name alone: the error says how it is.
 *
 * @module
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { attachProgram } from "../../ffi/attach/mod.ts";
import { Collection } from "../../ffi/collection/mod.ts";
import { UnsupportedError } from "../../lib/errors.ts";
import { needs, openFds } from "../support/mod.ts";
import { objectSpec } from "./support.ts";

Deno.test({
  name: "attachProgram() says with which function a network program is attached",
  ...needs({ bpf: true }),
  fn: () => {
    const calls: Record<string, string> = {
      xdp_count: "attachXdp(program, { interface })",
      classify: "attachTc(program, { interface, direction })",
      choose_socket: "attachSkLookup(program)",
      filter: "attachSocketFilter(program, { socket }) or { interface }",
      parse: "attachSockmap(program, map)",
      message: "attachSockmap(program, map)",
    };
    for (const [name, call] of Object.entries(calls)) {
      const spec = objectSpec("clang19", "network");
      for (const program of spec.programs.values()) program.autoload = program.name === name;
      using collection = Collection.load(spec);
      const before = openFds().size;
      const attach = () => attachProgram(collection.program(name), spec.programs.get(name)!);
      const error = assertThrows(attach, UnsupportedError, call);
      assert(error.message.startsWith(`program "${name}" (section "`), error.message);
      assertEquals(openFds().size, before);
    }
  },
});
