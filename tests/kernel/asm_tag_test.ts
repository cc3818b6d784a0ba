import { assertEquals, assertGreater } from "@std/assert";
import { Collection, hostBtf } from "../../mod.ts";
import { assemble } from "../../lib/asm/text/mod.ts";
import { encode, programTag, type TagHash } from "../../lib/asm/mod.ts";
import * as sys from "../../ffi/sys/mod.ts";
import { relocateCollection } from "../../lib/linker/mod.ts";
import { BpfMapType, BpfProgType } from "../../lib/uapi/mod.ts";
import { hasFeature } from "../support/features.ts";
import { needs } from "../support/mod.ts";
import { OBJECTS } from "./asm_support.ts";
import { COMPILERS, objectSpec } from "./support.ts";

/** The hash that the running kernel makes tags of. */
function hash(): TagHash {
  return hasFeature("sha256Tags") ? "SHA-256" : "SHA-1";
}

for (const compiler of COMPILERS) {
  for (const name of ["truth", "truth.v1", "truth_callbacks", "truth_tail_call", "maps"]) {
    Deno.test({
      name: `${compiler}/${name}: programTag() is the kernel's tag of each loaded program`,
      ...needs({ bpf: true, btf: true, features: OBJECTS[name]! }),
      async fn() {
        const spec = objectSpec(compiler, name);
        using collection = Collection.load(spec);
        const { programs } = relocateCollection(spec, { targets: [{ name: "vmlinux", btf: hostBtf() }] });
        for (const program of spec.programs.keys()) {
          const relocated = programs.get(program);
          if (relocated === undefined || relocated instanceof Error) throw relocated;
          const tag = await programTag(relocated.insns, "little", hash());
          assertEquals(tag.toHex(), sys.progInfo(collection.program(program).fd).tag.toHex(), program);
        }
        assertGreater(spec.programs.size, 0);
      },
    });
  }
}

/** Compares the tags of programs that load the address of a map, or of a value in it. */
async function compareLoads(loads: (fd: number) => readonly string[], byIndex: boolean): Promise<void> {
  using map = sys.mapCreate({ mapType: BpfMapType.BPF_MAP_TYPE_ARRAY, keySize: 4, valueSize: 16, maxEntries: 1 });
  for (const load of loads(map.value)) {
    const insns = assemble(`r1 = ${load}\nr0 = 0\nexit`);
    using program = sys.progLoad({
      progType: BpfProgType.BPF_PROG_TYPE_SOCKET_FILTER,
      insns: encode(insns, "little"),
      license: "GPL",
      ...(byIndex ? { fdArray: Int32Array.of(map.value) } : {}),
    });
    const tag = await programTag(insns, "little", hash());
    assertEquals(tag.toHex(), sys.progInfo(program.value).tag.toHex(), load);
  }
}

Deno.test({
  name: "programTag() does not count which fd a map has, and counts offsets into its value as the kernel does",
  ...needs({ bpf: true }),
  fn: () => compareLoads((fd) => [`map[fd:${fd}]`, `map[fd:${fd}][0]+8`], false),
});

Deno.test({
  name: "programTag() does not count which index a map has, and counts offsets into its value as the kernel does",
  ...needs({ bpf: true, features: ["fdArray"] }),
  fn: () => compareLoads(() => ["map[idx:0]", "map[idx:0][0]+8"], true),
});
