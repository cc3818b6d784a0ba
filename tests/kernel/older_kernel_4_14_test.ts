/** A kernel like 4.14: without BTF, names, attach types that are told at load, global data. */
import { assertEquals, assertThrows } from "@std/assert";
import { missingKernelFeatures } from "../../ffi/features/mod.ts";
import { BpfAttachType, BpfProgType } from "../../lib/uapi/mod.ts";
import { Collection, VerifierError } from "../../mod.ts";
import { needs } from "../support/mod.ts";
import { playKernel } from "./older_kernel.ts";
import { COMPILERS, objectSpec } from "./support.ts";

const LACKS = {
  helpers: [112, 113, 114, 115],
  arrayMmap: true,
  globalData: true,
  btf: true,
  names: true,
  expectedAttachType: true,
} as const;

const PLAYED = new Set(
  [
    "btf",
    "btf_func",
    "object_names",
    "expected_attach_type",
    "global_data",
    "array_mmap",
    "probe_read_kernel",
  ] as const,
);

for (const compiler of COMPILERS) {
  Deno.test({
    name: `a kernel like 4.14 gets a program without BTF, name or attach type: ${compiler}`,
    ...needs({ bpf: true, btf: true }),
    fn() {
      using _ = playKernel(LACKS);
      const spec = objectSpec(compiler, "extern_missing");
      const program = spec.programs.get("guarded")!;
      program.type = BpfProgType.BPF_PROG_TYPE_XDP;
      program.expectedAttachType = BpfAttachType.BPF_XDP;
      program.expectedAttachTypeOptional = true;
      using collection = Collection.load(spec);
      assertEquals(missingKernelFeatures().intersection(PLAYED), PLAYED);
      const { name, btfId } = collection.program("guarded").info();
      assertEquals([name, btfId], ["", 0]);
      assertEquals(collection.program("guarded").run({ data: new Uint8Array(64) }).returnValue, 7);
    },
  });

  Deno.test({
    name: `a kernel like 4.14 says which map of global data a program reaches that is not made: ${compiler}`,
    ...needs({ bpf: true, btf: true }),
    fn() {
      using _ = playKernel(LACKS);
      const spec = objectSpec(compiler, "nobtf");
      const error = assertThrows(() => Collection.load(spec), VerifierError);
      const names = [...spec.maps.values()].filter(({ section }) => section !== undefined).map(({ name }) => name);
      const pattern = new RegExp(
        `the program reaches a reference to map "(${names.join("|")})", which was not created`,
      );
      assertEquals(pattern.test(error.message), true, error.message);
    },
  });
}
