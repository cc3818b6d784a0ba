import { assertEquals } from "@std/assert";
import { Btf } from "../../../lib/btf/mod.ts";
import { relocate } from "../../../lib/core/mod.ts";
import { FormatError } from "../../../lib/errors.ts";
import { BpfCoreReloKind as Kind } from "../../../lib/uapi/mod.ts";
import { hostBtf, hostTargets } from "../../../ffi/btf/mod.ts";
import { needs } from "../../support/mod.ts";
import { moduleBytes, relocations, struct } from "../../lib/core/types.ts";

const NEEDS = needs({ ffi: true, btf: true });

/** Whether each struct exists, and the names of modules that were read. */
function exist(...names: string[]): { answers: (number | bigint)[]; read: string[]; skipped: string[] } {
  const read: string[] = [];
  const skipped: string[] = [];
  const targets = hostTargets({
    modules: ["broken", "good"],
    readModule: (name) => {
      read.push(name);
      if (name === "broken") throw new FormatError("broken: is cut off");
      return Btf.parse(moduleBytes(hostBtf(), ["debpf_in_a_module"]), { base: hostBtf(), what: name });
    },
  });
  const list = relocations(names.map((name) => ({
    kind: Kind.BPF_CORE_TYPE_EXISTS,
    type: struct(name, 0, []),
    accessor: "0",
  })));
  const fixups = relocate(list, targets, { skipped: ({ name }) => skipped.push(name) });
  return { answers: fixups.map((fixup) => fixup.targetValue), read, skipped };
}

Deno.test({
  name: "hostTargets() reads no module for what the kernel has",
  ...NEEDS,
  fn: () => assertEquals(exist("task_struct", "file"), { answers: [1, 1], read: [], skipped: [] }),
});

Deno.test({
  name: "hostTargets() reads each module once for what the kernel lacks, and a broken one is skipped",
  ...NEEDS,
  fn: () =>
    assertEquals(exist("debpf_in_a_module", "debpf_nowhere", "task_struct"), {
      answers: [1, 0, 1],
      read: ["broken", "good"],
      skipped: ["broken"],
    }),
});

Deno.test({
  name: "hostTargets() begins with the kernel",
  ...NEEDS,
  fn: () => assertEquals(hostTargets()[0]?.btf, hostBtf()),
});
