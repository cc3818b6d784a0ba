/**
 * A TCP congestion control of BPF programs: registered by a map and by a link, used by a real connection, which its counters
 * show; replaced, unregistered, and edited before it is loaded.
 *
 * @module
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { Collection, type CollectionSpec, SyscallError } from "../../mod.ts";
import { assertLeavesNothing } from "../support/leaks.ts";
import { needs } from "../support/mod.ts";
import { COMPILERS, objectSpec } from "./support.ts";
import { TcpConnection } from "./tcp_connection.ts";

/** Enough for some hundred acknowledgements. */
const TRANSFER_BYTES = 4 << 20;

/** The object with the maps of these names only. */
function specOf(compiler: string, ...maps: string[]): CollectionSpec {
  const spec = objectSpec(compiler, "struct_ops");
  for (const map of spec.maps.values()) if (map.structOps !== undefined) map.autocreate = maps.includes(map.name);
  return spec;
}

function counters(collection: Collection): Record<string, bigint> {
  const names = ["inits", "other_inits", "releases", "acked_packets"];
  return Object.fromEntries(names.map((name) => [name, collection.variable(name).get() as bigint]));
}

for (const compiler of COMPILERS) {
  Deno.test({
    name: `${compiler}/struct_ops: a connection uses the registered congestion control, whose counters move`,
    ...needs({ bpf: true, btf: true, features: ["structOps"] }),
    fn() {
      using collection = Collection.load(specOf(compiler, "debpf_reno"));
      assertEquals(collection.attach().map(({ kind, target, program }) => ({ kind, target, program })), [
        { kind: "struct_ops", target: "tcp_congestion_ops", program: "debpf_reno" },
      ]);
      {
        using connection = new TcpConnection("debpf_reno");
        assertEquals(connection.congestion, "debpf_reno");
        connection.transfer(TRANSFER_BYTES);
      }
      const { inits, releases, acked_packets } = counters(collection);
      assertEquals([inits, releases], [1n, 1n]);
      assert(acked_packets! > 10n, `${acked_packets} packets`);
      assert((collection.variable("max_cwnd").get() as number) > 10);
    },
  });

  Deno.test({
    name: `${compiler}/struct_ops: the kernel has the value in its own layout, programs by their ids`,
    ...needs({ bpf: true, btf: true, features: ["structOps"] }),
    fn() {
      using collection = Collection.load(specOf(compiler, "debpf_reno"));
      collection.attach();
      const { data, ...rest } = collection.map("debpf_reno").get(0) as Record<string, Record<string, unknown>>;
      // Since 6.9 the members before the struct are in a struct of their own.
      assertEquals((rest.common ?? rest).state, "BPF_STRUCT_OPS_STATE_INUSE");
      const { name, flags, ssthresh, cong_avoid, init, cong_control } = data!;
      const id = (program: string) => BigInt(collection.program(program).id);
      assertEquals({ name, flags, ssthresh, cong_avoid, init, cong_control }, {
        name: "debpf_reno",
        flags: 1,
        ssthresh: id("ssthresh"),
        cong_avoid: id("cong_avoid"),
        init: id("init_reno"),
        cong_control: 0n,
      });
    },
  });

  Deno.test({
    name: `${compiler}/struct_ops: after close() nobody finds it, and nothing is left`,
    ...needs({ bpf: true, btf: true, features: ["structOps"] }),
    async fn() {
      await assertLeavesNothing("a registered struct_ops", () => {
        using collection = Collection.load(specOf(compiler, "debpf_reno"));
        const [link] = collection.attach();
        new TcpConnection("debpf_reno")[Symbol.dispose]();
        link!.close();
        assertThrows(() => new TcpConnection("debpf_reno"), Error, "setsockopt");
        // The kernel lets a map be registered by an update once.
        const error = assertThrows(
          () => collection.structOps.get("debpf_reno")!.attach(),
          SyscallError,
          "load it again",
        );
        assertEquals(error.code, "EBUSY");
      });
      assertThrows(() => new TcpConnection("debpf_reno"), Error, "setsockopt");
    },
  });

  Deno.test({
    name: `${compiler}/struct_ops: the value is edited before loading: name, flags, programs; none of a spare program`,
    ...needs({ bpf: true, btf: true, features: ["structOps"] }),
    fn() {
      const spec = specOf(compiler, "other");
      const map = spec.maps.get("other")!;
      map.flags = 0;
      Object.assign(map.structOps!.value, { name: "edited", init: "init_reno", release: null });
      using collection = Collection.load(spec);
      assertEquals([...collection.programs.keys()].sort(), ["cong_avoid", "init_reno", "ssthresh", "undo_cwnd"]);
      collection.attach();
      {
        using connection = new TcpConnection("edited");
        connection.transfer(TRANSFER_BYTES);
      }
      const { inits, other_inits, releases } = counters(collection);
      assertEquals([inits, other_inits, releases], [1n, 0n, 0n]);
    },
  });

  Deno.test({
    name: `${compiler}/struct_ops: a link is updated to another map: new connections use that`,
    ...needs({ bpf: true, btf: true, features: ["structOpsLinks"] }),
    fn() {
      using collection = Collection.load(specOf(compiler, "linked", "other"));
      const [link] = collection.attach({ structOps: ({ name }) => name === "linked" });
      assertEquals(link!.info().kind, "struct_ops");
      new TcpConnection("debpf_linked")[Symbol.dispose]();
      link!.update(collection.map("other"), { expected: collection.map("linked") });
      new TcpConnection("debpf_linked")[Symbol.dispose]();
      assertEquals(link!.program, "other");
      const { inits, other_inits } = counters(collection);
      assertEquals([inits, other_inits], [1n, 1n]);
      assertThrows(
        () => link!.update(collection.map("linked"), { expected: collection.map("linked") }),
        SyscallError,
      );
      link!.close();
      assertThrows(() => new TcpConnection("debpf_linked"), Error, "setsockopt");
      using _again = collection.structOps.get("linked")!.attach();
      new TcpConnection("debpf_linked")[Symbol.dispose]();
    },
  });

  Deno.test({
    name: `${compiler}/struct_ops: attach() of two of one name registers neither, and says why`,
    ...needs({ bpf: true, btf: true, features: ["structOpsLinks"] }),
    fn() {
      using collection = Collection.load(specOf(compiler, "debpf_reno", "linked", "other"));
      const error = assertThrows(() => collection.attach(), SyscallError, 'struct_ops "other" (tcp_congestion_ops)');
      assertEquals(error.code, "EEXIST");
      for (const name of ["debpf_reno", "debpf_linked"]) assertThrows(() => new TcpConnection(name), Error, name);
    },
  });
}
