/**
 * Global functions that take the context: by its tag where the kernel knows it, by its type where it does not.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { Collection, type CollectionSpec } from "../../mod.ts";
import { needs } from "../support/mod.ts";
import { args, COMPILERS, objectSpec } from "./support.ts";

function check(spec: CollectionSpec, missing?: ReadonlySet<"arg_ctx_tag">): void {
  using collection = Collection.load(spec, { missing });
  assertEquals(collection.program("packet").run({ data: new Uint8Array(64) }).returnValue, 67);
  assertEquals(collection.program("raw").run({ ctx: args(4, 2) }).returnValue, 42);
}

for (const compiler of COMPILERS) {
  Deno.test({
    name: `${compiler}/arg_ctx: loads in every kernel`,
    ...needs({ bpf: true, btf: true }),
    fn: () => check(objectSpec(compiler, "arg_ctx")),
  });

  Deno.test({
    name: `${compiler}/arg_ctx: what kernels without the tag get is taken by all`,
    ...needs({ bpf: true, btf: true }),
    fn: () => check(objectSpec(compiler, "arg_ctx"), new Set(["arg_ctx_tag"] as const)),
  });
}
