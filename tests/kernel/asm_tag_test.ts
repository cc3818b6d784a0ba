import { assertEquals, assertGreater } from "@std/assert";
import { Collection, hostBtf } from "../../mod.ts";
import { assemble } from "../../lib/asm/text/mod.ts";
import { encode, programTag } from "../../lib/asm/mod.ts";
import * as sys from "../../ffi/sys/mod.ts";
import { relocateCollection } from "../../lib/linker/mod.ts";
import { BpfMapType, BpfProgType } from "../../lib/uapi/mod.ts";
import { needs } from "../support/mod.ts";
import { canLoad, hasVersion } from "./asm_support.ts";
import { COMPILERS, objectSpec } from "./support.ts";

/** The hash that the running kernel makes tags of. */
const HASH = hasVersion("6.18") ? "SHA-256" : "SHA-1";

for (const compiler of COMPILERS) {
  for (const name of ["truth", "truth.v1", "truth_callbacks", "truth_tail_call", "maps"]) {
    if (!canLoad(compiler, name)) continue;
    Deno.test({
      name: `${compiler}/${name}: programTag() is the kernel's tag of each loaded program`,
      ...needs({ bpf: true, btf: true }),
      async fn() {
        const spec = objectSpec(compiler, name);
        using collection = Collection.load(spec);
        const { programs } = relocateCollection(spec, { targets: [{ name: "vmlinux", btf: hostBtf() }] });
        for (const program of spec.programs.keys()) {
          const relocated = programs.get(program);
          if (relocated === undefined || relocated instanceof Error) throw relocated;
          const tag = await programTag(relocated.insns, "little", HASH);
          assertEquals(tag.toHex(), sys.progInfo(collection.program(program).fd).tag.toHex(), program);
        }
        assertGreater(spec.programs.size, 0);
      },
    });
  }
}

Deno.test({
  name: "programTag() does not count which fd a map has, and counts offsets into its value as the kernel does",
  ...needs({ bpf: true }),
  async fn() {
    using map = sys.mapCreate({
      mapType: BpfMapType.BPF_MAP_TYPE_ARRAY,
      keySize: 4,
      valueSize: 16,
      maxEntries: 1,
    });
    const byIndex = hasVersion("5.14") ? ["map[idx:0]", "map[idx:0][0]+8"] : [];
    for (const load of [`map[fd:${map.value}]`, `map[fd:${map.value}][0]+8`, ...byIndex]) {
      const insns = assemble(`r1 = ${load}\nr0 = 0\nexit`);
      using program = sys.progLoad({
        progType: BpfProgType.BPF_PROG_TYPE_SOCKET_FILTER,
        insns: encode(insns, "little"),
        license: "GPL",
        ...(hasVersion("5.14") ? { fdArray: new Int32Array([map.value]) } : {}),
      });
      const tag = await programTag(insns, "little", HASH);
      assertEquals(tag.toHex(), sys.progInfo(program.value).tag.toHex(), load);
    }
  },
});
