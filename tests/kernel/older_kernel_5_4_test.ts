/**
 * A kernel like 5.4: without bpf_probe_read_kernel() and its kin, and without arrays that user space maps. What a kernel lacks
 * is asked once for a process, so each kernel that is played has a file of its own.
 */
import { assertEquals, assertThrows } from "@std/assert";
import { missingKernelFeatures } from "../../ffi/features/mod.ts";
import { BpfCmd } from "../../lib/uapi/mod.ts";
import { Collection, VerifierError } from "../../mod.ts";
import { inject } from "../ffi/sys/inject.ts";
import { needs } from "../support/mod.ts";
import { playKernel } from "./older_kernel.ts";
import { args, COMPILERS, objectSpec } from "./support.ts";

const PLAYED = new Set(["array_mmap", "probe_read_kernel"] as const);
const LACKS = { helpers: [112, 113, 114, 115], arrayMmap: true } as const;

Deno.test({
  name: "Collection.load() asks a kernel nothing that takes all",
  // A kernel that has these takes whatever BTF the object has.
  ...needs({ bpf: true, btf: true, features: ["kfuncAddresses"] }),
  fn() {
    const commands: number[] = [];
    using _ = inject("bpf", (real) => (cmd, attr, size) => {
      commands.push(cmd);
      return real(cmd, attr, size);
    });
    const spec = objectSpec("clang19", "truth");
    using collection = Collection.load(spec);
    const count = (cmd: number) => commands.filter((other) => other === cmd).length;
    assertEquals(count(BpfCmd.BPF_PROG_LOAD), collection.programs.size);
    assertEquals(count(BpfCmd.BPF_BTF_LOAD), 1);
  },
});

for (const compiler of COMPILERS) {
  Deno.test({
    name: `a kernel like 5.4 gets older helpers, and maps that are not for mapping: ${compiler}`,
    ...needs({ bpf: true, btf: true }),
    fn() {
      using _ = playKernel(LACKS);
      using collection = Collection.load(objectSpec(compiler, "truth"));
      assertEquals(missingKernelFeatures().intersection(PLAYED), PLAYED);
      assertEquals(collection.program("calls").run({ ctx: args(7, 5) }).returnValue, 103);
      // Reads fields of tasks in the kernel's memory.
      assertEquals(collection.program("core").run({ ctx: args(0, 0) }).returnValue, 0);
      assertEquals([...collection.maps.values()].some((map) => map.spec.section !== undefined && map.mmapable), false);
    },
  });
}

Deno.test({
  name: "the kernel's own refusal stays what it is in an older kernel",
  ...needs({ bpf: true, btf: true }),
  fn() {
    using _ = playKernel(LACKS);
    const spec = objectSpec("clang19", "bad");
    for (const program of spec.programs.values()) program.autoload = program.name === "unbounded";
    assertThrows(() => Collection.load(spec), VerifierError, 'program "unbounded": the verifier refused it');
  },
});
