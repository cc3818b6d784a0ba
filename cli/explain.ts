/**
 * `debpf explain`: every CO-RE relocation of an object, what it comes to in one kernel or several, and why.
 *
 * @module
 */
import { BPF_CLASS, format, type Instruction, referenceText } from "../lib/asm/mod.ts";
import {
  type CandidateVerdict,
  describeOffset,
  type ExplainedRelocation,
  explainRelocations,
  poisonedBy,
  relocationLabel,
} from "../lib/core/mod.ts";
import type { CollectionSpec } from "../lib/spec/mod.ts";
import { BpfCoreReloKind } from "../lib/uapi/mod.ts";
import { readArgs } from "./args.ts";
import { type Command, EXIT } from "./command.ts";
import { readObject } from "./object_file.ts";
import { type Kernel, noteSkipped, readKernels, refuseOtherOrder } from "./kernels.ts";
import type { Output } from "./output.ts";
import { tableLines } from "./table.ts";

/** The command. */
export const command: Command = {
  usage: `usage: debpf explain OBJECT [PROGRAM] [--btf FILE|vmlinux]... [--missing]

Prints every CO-RE relocation of an object (or of the program or function PROGRAM): the line of C, the instruction, what
it asks, and for each kernel the answer, the instruction that it becomes, and which type was taken or why none was.

  --btf FILE   a kernel to relocate against (by default the running one, "vmlinux"): raw BTF, or an ELF file with a
               section .BTF; BTF that continues another is a module's of the kernel before it
  --missing    only relocations that some kernel has no answer for, and those whose instruction is poisoned

With -j: a JSON line for each relocation. Exit code 1 if one is broken or ambiguous, so that the object cannot be
relocated; one that is only missing (its instruction is poisoned, or the answer is 0) is no failure.`,
  async run(args, { output }) {
    const { positional, collected, flag } = readArgs(args, {
      collect: ["btf"],
      boolean: ["missing"],
      positional: ["OBJECT", "[PROGRAM]"],
    });
    const spec = await readObject(positional[0] ?? "");
    const kernels = await readKernels(collected("btf"));
    for (const kernel of kernels) refuseOtherOrder(spec, kernel);
    const report = explainAll(spec, kernels, output);
    const wanted = report.filter(({ code, answers }) =>
      (positional[1] === undefined || code.name === positional[1]) &&
      (!flag("missing") || answers.some(({ explained }) => !isFound(explained) || isPoisoned(explained)))
    );
    if (positional[1] !== undefined) refuseUnknown(spec, positional[1]);
    if (output.json) { for (const entry of wanted) output.value(entryJson(entry)); }
    else print(spec, wanted, kernels, output);
    const broken = wanted.some(({ answers }) => answers.some(({ explained }) => explained.error !== undefined));
    return broken ? EXIT.failed : EXIT.done;
  },
};

/** A program or function of the object. */
interface Code {
  readonly what: "program" | "function";
  readonly name: string;
  readonly section: string;
  /** Whether it is loaded with the others: not if it is in SEC("?..."). */
  readonly autoload: boolean;
  readonly instructions: readonly Instruction[];
}

/** What a relocation comes to in one kernel. */
interface Answer {
  readonly kernel: string;
  readonly explained: ExplainedRelocation;
}

/** A relocation, and what it comes to in each kernel. */
interface Entry {
  readonly code: Code;
  /** The same whichever kernel: place, instruction and question. */
  readonly any: ExplainedRelocation;
  readonly answers: readonly Answer[];
}

function codeOf(spec: CollectionSpec): Code[] {
  return [
    ...[...spec.programs.values()].map((program): Code => ({ what: "program", ...program })),
    ...spec.functions.map(({ label, section, instructions }): Code => ({
      what: "function",
      name: label.name,
      section,
      autoload: true,
      instructions,
    })),
  ];
}

function refuseUnknown(spec: CollectionSpec, name: string): void {
  const names = codeOf(spec).map((code) => code.name);
  if (names.includes(name)) return;
  throw new Error(`${spec.name}: no program or function "${name}"; there are ${names.join(", ")}`);
}

/**
 * All relocations of the object in all kernels. Those of one program depend on those of others, as when it is loaded: what
 * SEC("?...") keeps back depends on functions only.
 */
function explainAll(spec: CollectionSpec, kernels: readonly Kernel[], output: Output): Entry[] {
  const codes = codeOf(spec);
  const skipped = noteSkipped(output);
  const explain = (shown: readonly Code[], targets: Kernel["targets"]) =>
    explainRelocations(shown.map(({ instructions }) => instructions), targets, { skipped })
      .map((explained) => ({ code: shown[explained.stream]!, explained }));
  const byKernel = kernels.map(({ name, targets }) => {
    const together = explain(codes.filter(({ autoload }) => autoload), targets);
    const functions = codes.filter(({ what }) => what === "function");
    const apart = codes.filter(({ autoload }) => !autoload).flatMap((program) =>
      explain([program, ...functions], targets).filter(({ code }) => code === program)
    );
    return { kernel: name, all: [...together, ...apart] };
  });
  return (byKernel[0]?.all ?? []).map(({ code, explained: any }, index) => ({
    code,
    any,
    answers: byKernel.map(({ kernel, all }) => ({ kernel, explained: all[index]!.explained })),
  }));
}

/** Whether a kernel has what is asked for. A local type id asks nothing of it. */
function isFound({ fixup, explanation }: ExplainedRelocation): boolean {
  return fixup !== undefined && (explanation?.chosen !== undefined || explanation?.candidates.length === 0 &&
      !fixup.poison && fixup.targetValue !== 0);
}

function textOf(insn: Instruction): string {
  return format(insn, { reference: referenceText });
}

function isPoisoned({ after }: ExplainedRelocation): boolean {
  return after?.[0] !== undefined && poisonedBy(after[0]) !== undefined;
}

function print(spec: CollectionSpec, entries: readonly Entry[], kernels: readonly Kernel[], output: Output): void {
  let code: Code | undefined;
  let line = "";
  for (const entry of entries) {
    if (entry.code !== code) {
      code = entry.code;
      line = "";
      output.line(`${code.what} "${code.name}" (section "${code.section}")`);
    }
    const { source } = entry.any;
    const here = source === undefined ? "" : `${source.file}:${source.line}  ${source.text.trim()}`;
    if (here !== line) {
      output.line();
      output.line(`  ${here}`);
    }
    line = here;
    printEntry(entry, output);
    if (entries[entries.indexOf(entry) + 1]?.code !== code) output.line();
  }
  if (entries.length === 0) output.line(`${spec.name}: no relocation to show`);
  for (const kernel of kernels) output.line(`${kernel.name}: ${countAnswers(entries, kernel.name)}`);
}

function printEntry({ any, answers }: Entry, output: Output): void {
  output.line(`  ${String(any.slot).padStart(4)}: ${textOf(any.before)}    ${question(any, answers)}`);
  const rows = answers.flatMap(({ kernel, explained }) => {
    const [first = "", ...more] = reasons(explained).map((reason) => reason.replaceAll(` in ${kernel}]`, "]"));
    const [patched, second] = explained.after?.map(textOf) ?? [];
    return [
      [kernel, answerText(explained), second === undefined ? patched ?? "" : `${patched} (twice)`, first],
      ...more.map((reason) => ["", "", "", reason]),
    ];
  });
  for (const row of tableLines(COLUMNS, rows, 8).slice(1)) output.line(row);
  const [found, missing] = divide(answers);
  if (answers.length > 1 && missing.length > 0) {
    const text = found.length === 0 ? "in none of them" : `in ${found.join(", ")}; not in ${missing.join(", ")}`;
    output.line(`        ${text}`);
  }
}

const COLUMNS = ["kernel", "answer", "instruction", "reason"].map((heading) => ({ heading }));

/** What the relocation asks, and what the object's own types answer. */
function question(any: ExplainedRelocation, answers: readonly Answer[]): string {
  const explained = answers.find((answer) => answer.explained.explanation !== undefined)?.explained;
  if (explained?.explanation === undefined) return relocationLabel(any.relocation);
  const { kind, subject, offsetBits } = explained.explanation;
  const value = explained.fixup?.checked ? [String(explained.fixup.localValue)] : [];
  // The offset is what most relocations ask for anyway.
  const isOffset = any.relocation.kind === BpfCoreReloKind.BPF_CORE_FIELD_BYTE_OFFSET && value.length > 0;
  const offset = offsetBits === undefined || isOffset ? [] : [`offset ${describeOffset(offsetBits)}`];
  const known = [...value, ...offset].join(", ");
  return `${kind} of ${subject}${known === "" ? "" : ` (in the object: ${known})`}`;
}

function answerText(explained: ExplainedRelocation): string {
  if (explained.error !== undefined) return "ERROR";
  return isPoisoned(explained) ? "POISON" : String(explained.fixup?.targetValue);
}

/** Why the answer is as it is: the chosen type, or what is wrong with each that could have been meant. */
function reasons(explained: ExplainedRelocation): string[] {
  const { explanation, error } = explained;
  const lines: string[] = [];
  if (explanation !== undefined) {
    const { candidates, chosen } = explanation;
    if (chosen !== undefined) lines.push(`${candidateText(chosen)}${widthText(explained)}`);
    else if (candidates.length === 0) lines.push(explanation.reason);
    // Types of another kind are news only where none was taken.
    const others = candidates.filter(({ verdict }) => verdict !== "chosen" && (!chosen || verdict !== "kind-differs"));
    lines.push(...others.map(candidateText));
  }
  // The explanation of an ambiguity is its message.
  if (error !== undefined && error.message !== explanation?.text) lines.push(...error.message.split("\n"));
  return lines;
}

/** What a change of the field's size does to a load or store. */
function widthText({ before, fixup }: ExplainedRelocation): string {
  const width = fixup?.width;
  if (width === undefined || !isMemoryAccess(before)) return "";
  const sizes = `: ${width.local} bytes in the object, ${width.target} here`;
  return width.safe ? sizes : `${sizes}, and only pointers and unsigned integers may change their size`;
}

function isMemoryAccess({ opcode }: Instruction): boolean {
  const accessed: readonly number[] = [BPF_CLASS.LDX, BPF_CLASS.ST, BPF_CLASS.STX];
  return accessed.includes(opcode & 0x07);
}

function candidateText({ verdict, text, type, typeId, target, nearest }: CandidateVerdict): string {
  const place = `[id ${typeId} in ${target}]`;
  const near = nearest.length === 0 ? "" : ` (near: ${nearest.join(", ")})`;
  switch (verdict) {
    case "chosen":
      return `${text} ${place}`;
    case "agrees":
      return `${type} ${place} agrees`;
    case "ambiguous":
      return `${type} ${place}: ${text}`;
    case "ruled-out":
    case "kind-differs":
      return `${type} ${place} ${text}`;
    default:
      return `${text}${near} ${place}`;
  }
}

/** Names of the kernels that have what is asked for, and of those that haven't. */
function divide(answers: readonly Answer[]): [string[], string[]] {
  const names = (found: boolean) =>
    answers.filter(({ explained }) => isFound(explained) === found).map(({ kernel }) => kernel);
  return [names(true), names(false)];
}

function countAnswers(entries: readonly Entry[], kernel: string): string {
  const all = entries.flatMap(({ answers }) => answers.filter((answer) => answer.kernel === kernel));
  const count = (predicate: (explained: ExplainedRelocation) => boolean) =>
    all.filter(({ explained }) => predicate(explained)).length;
  const counts = [
    [count(isFound), "found"],
    [count((explained) => !isFound(explained) && !isPoisoned(explained) && explained.error === undefined), "missing"],
    [count(isPoisoned), "poisoned"],
    [count(({ error }) => error !== undefined), "broken"],
  ] as const;
  const parts = counts.filter(([number]) => number > 0).map(([number, word]) => `${number} ${word}`);
  return `${all.length} relocation${all.length === 1 ? "" : "s"}${parts.length === 0 ? "" : `: ${parts.join(", ")}`}`;
}

function entryJson({ code, any, answers }: Entry): Record<string, unknown> {
  const asked = answers.find(({ explained }) => explained.explanation !== undefined)?.explained;
  const [found, missing] = divide(answers);
  return {
    [code.what]: code.name,
    section: code.section,
    insn: any.slot,
    ...(any.source === undefined
      ? {}
      : { file: any.source.file, line: any.source.line, column: any.source.column, source: any.source.text.trim() }),
    relocation: any.relocation.index,
    kind: asked?.explanation?.kind,
    accessor: any.relocation.accessor,
    subject: asked?.explanation?.subject,
    type_id: any.relocation.type.id,
    offset_bits: asked?.explanation?.offsetBits,
    value: asked?.fixup?.localValue,
    old: textOf(any.before),
    kernels: answers.map(({ kernel, explained }) => ({
      kernel,
      found: isFound(explained),
      poisoned: isPoisoned(explained),
      value: explained.fixup?.targetValue,
      new: explained.after?.map(textOf),
      width: explained.fixup?.width,
      candidates: (explained.explanation?.candidates ?? []).map(candidateJson),
      text: explained.explanation?.text,
      ...(explained.error === undefined ? {} : { error: explained.error.message }),
    })),
    found_in: found,
    missing_in: missing,
  };
}

function candidateJson(candidate: CandidateVerdict): Record<string, unknown> {
  const { target, typeId, type, verdict, text, access, offsetBits, nearest } = candidate;
  return { target, type_id: typeId, type, verdict, text, access, offset_bits: offsetBits, nearest };
}
