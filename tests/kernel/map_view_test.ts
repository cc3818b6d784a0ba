/**
 * Views of mapped memory: live, and dead after closing, also where V8 moves and frees all it can.
 *
 * @module
 */
import { assertEquals, assertThrows } from "@std/assert";
import { BpfMap, Collection, compileCodec, compileReader, type Value } from "../../mod.ts";
import { UnsupportedError } from "../../lib/errors.ts";
import { BpfMapFlag, BpfMapType } from "../../lib/uapi/mod.ts";
import { inRepository, inVm, needs, openFds, run } from "../support/mod.ts";
import { mapSpec } from "./maps.ts";
import { args, objectSpec } from "./support.ts";

// Where the CPU is emulated, compacting takes minutes; what is mapped there is the kernel's matter all the same.
for (const flags of inVm() ? ["--expose-gc"] : ["--stress-compaction"]) {
  Deno.test({
    name: `views, variables and arenas under ${flags}: right, read-only where they have to be, dead after closing`,
    ...needs({ bpf: true, btf: true, features: ["arena"] }),
    async fn() {
      const child = inRepository("tests", "kernel", "views_child.ts");
      const permissions = ["--allow-ffi", "--allow-read", "--allow-env"];
      const { code, stdout, stderr } = await run(Deno.execPath(), [
        "run",
        `--v8-flags=${flags}`,
        ...permissions,
        child,
      ]);
      assertEquals([code, stdout], [0, "all views are right\n"], stderr);
    },
  });
}

Deno.test({
  name: "view() of structs: elements, readers, and what lies at any offset",
  ...needs({ bpf: true, btf: true, features: ["bloomFilter"] }),
  fn() {
    const before = openFds().size;
    {
      using collection = Collection.load(objectSpec("clang19", "maps"));
      const map = collection.map("array_of_struct");
      using view = map.view();
      collection.program("touch").run({ ctx: args(7, 0) });
      const Flow = compileReader<{ packets: bigint }>(map.spec.value!, { order: "little" });
      const reader = view.at(1, new Flow());
      assertEquals(reader.packets, 7n);
      map.set(1, { ...(map.get(1) as Record<string, Value>), packets: 8n });
      assertEquals(reader.packets, 8n);
      const codec = compileCodec(map.spec.value!, { order: "little" });
      assertEquals(view.decode(codec, codec.size), map.get(1));
      assertThrows(() => view.get(4), RangeError, "no element 4, only 0 to 3");
      assertThrows(() => view.get(-1), RangeError);
      assertThrows(() => view.read(0, view.byteLength + 1), RangeError);
      assertThrows(() => view.set(0, { packets: "many" }), TypeError, 'map "array_of_struct"[0].packets');
    }
    assertEquals(openFds().size, before);
  },
});

Deno.test({
  name: "view() of what cannot be mapped is refused",
  ...needs({ bpf: true }),
  fn() {
    using plain = BpfMap.create(mapSpec({ type: BpfMapType.BPF_MAP_TYPE_ARRAY }));
    assertThrows(() => plain.view(), UnsupportedError, "only arrays and arenas with BPF_F_MMAPABLE");
    const flags = BpfMapFlag.BPF_F_MMAPABLE | BpfMapFlag.BPF_F_RDONLY_PROG;
    using constant = BpfMap.create(mapSpec({ type: BpfMapType.BPF_MAP_TYPE_ARRAY, flags }));
    using view = constant.view();
    assertEquals(view.readOnly, true);
  },
});
