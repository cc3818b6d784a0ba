/**
 * `debpf check`: which programs of an object would load on which kernels, before it is shipped. Needs no privilege.
 *
 * @module
 */
import { relocateCollection } from "../lib/linker/mod.ts";
import type { CollectionSpec } from "../lib/spec/mod.ts";
import { readArgs } from "./args.ts";
import {
  type Finding,
  judgeMaps,
  type Judgement,
  judgeProgram,
  KernelEnums,
  LOADS,
  type Status,
} from "./check/judge.ts";
import { type Command, EXIT } from "./command.ts";
import { readObject } from "./object_file.ts";
import { type Kernel, noteSkipped, readKernels, refuseOtherOrder } from "./kernels.ts";
import type { Output } from "./output.ts";
import { tableLines } from "./table.ts";

/** The command. */
export const command: Command = {
  usage: `usage: debpf check OBJECT [--btf FILE|vmlinux]... [--verbose]

Prints programs x kernels, and why a program would not load; nothing is loaded, and no privilege is needed.

  ok         all that it asks for is there
  guarded    it asks for something that is missing, and can't get there: an exists-check is 0
  poisoned   it can get to something that is missing
  missing    the kernel lacks a helper, or a type of maps, programs or attachments
  broken     it can't be relocated or linked
  unchecked  it needs what debpf does not support

  --btf FILE   a kernel (by default the running one, "vmlinux"): raw BTF, or an ELF file with a section .BTF; BTF that
               continues another is a module's of the kernel before it
  --verbose    also what is guarded

The verifier has more reasons to refuse a program than a kernel's BTF tells of. Exit code 1 if a program would not load,
or could not be attached.`,
  async run(args, { output }) {
    const { positional, collected } = readArgs(args, { collect: ["btf"], positional: ["OBJECT"] });
    const spec = await readObject(positional[0] ?? "");
    const kernels = await readKernels(collected("btf"));
    for (const kernel of kernels) refuseOtherOrder(spec, kernel);
    const columns = kernels.map((kernel) => judge(spec, kernel, output));
    if (output.json) printJson(spec, columns, output);
    else print(spec, columns, output);
    const loads = columns.every(({ programs }) => [...programs.values()].every(({ status }) => LOADS.includes(status)));
    return loads ? EXIT.done : EXIT.failed;
  },
};

/** What becomes of an object on a kernel. */
interface Column {
  readonly kernel: string;
  /** What keeps all programs from being loaded. */
  readonly object: readonly Finding[];
  readonly programs: ReadonlyMap<string, Judgement>;
}

function judge(spec: CollectionSpec, kernel: Kernel, output: Output): Column {
  const enums = new KernelEnums(kernel.targets[0]!);
  const object = judgeMaps(spec, enums);
  const { targets } = kernel;
  // Minimal BTF has no functions: then nothing is said of the kernel's.
  const facts = enums.hasFunctions ? { types: () => targets } : {};
  const relocated = relocateCollection(spec, { targets, facts, skipped: noteSkipped(output) });
  const programs = new Map<string, Judgement>();
  for (const [name, program] of relocated.programs) {
    const judgement = judgeProgram(spec, spec.programs.get(name)!, program, enums);
    const held = object.length > 0 && LOADS.includes(judgement.status);
    programs.set(name, held ? { status: "missing", findings: object } : judgement);
  }
  return { kernel: kernel.name, object, programs };
}

function print(spec: CollectionSpec, columns: readonly Column[], output: Output): void {
  if (spec.programs.size === 0) output.line(`${spec.name}: no program`);
  const headings = ["program", ...columns.map(({ kernel }) => kernel)].map((heading) => ({ heading }));
  const rows = [...spec.programs.keys()].map((name) => [
    name,
    ...columns.map(({ programs }) => programs.get(name)?.status ?? ""),
  ]);
  for (const line of tableLines(headings, rows)) output.line(line);
  const reports = new Map<
    string,
    { heading: string; kernels: string[]; status: Status; findings: readonly Finding[] }
  >();
  const report = (heading: string, kernel: string, { status, findings }: Judgement) => {
    const general = findings.map(({ place, text }) => ({ place, text: withoutKernel(text, kernel) }));
    const key = JSON.stringify([heading, status, general]);
    const known = reports.get(key);
    if (known === undefined) reports.set(key, { heading, kernels: [kernel], status, findings: general });
    else known.kernels.push(kernel);
  };
  for (const { kernel, object } of columns) {
    if (object.length > 0) report(spec.name, kernel, { status: "missing", findings: object });
  }
  for (const name of spec.programs.keys()) {
    for (const { kernel, object, programs } of columns) {
      const judgement = programs.get(name)!;
      const shown = output.verbose ? judgement.findings.length > 0 : !LOADS.includes(judgement.status);
      if (shown && judgement.findings !== object) report(`program "${name}"`, kernel, judgement);
    }
  }
  for (const { heading, kernels, status, findings } of reports.values()) {
    printFindings(`${heading} on ${kernels.join(", ")}: ${status}`, findings, output);
  }
}

/** What is wrong is mostly the same on several kernels, but for the names of kernels and the ids of their types. */
function withoutKernel(text: string, kernel: string): string {
  return text.replaceAll(/ \[id \d+ in [^\]]*\]/g, "").replaceAll(` in ${kernel} `, " in the kernel ");
}

function printFindings(heading: string, findings: readonly Finding[], output: Output): void {
  output.line();
  output.line(heading);
  for (const { place, text } of findings) {
    if (place !== "") output.line(`  ${place}`);
    for (const line of text.split("\n")) output.line(`  ${place === "" ? "" : "  "}${line}`);
  }
}

function printJson(spec: CollectionSpec, columns: readonly Column[], output: Output): void {
  for (const [name, program] of spec.programs) {
    for (const { kernel, programs } of columns) {
      const { status, findings } = programs.get(name)!;
      output.value({
        program: name,
        section: program.section,
        kernel,
        status,
        loads: LOADS.includes(status),
        findings,
      });
    }
  }
}
