/**
 * From instructions to text that {@linkcode assemble} reads.
 *
 * @module
 */
import { FormatError } from "../../errors.ts";
import { format } from "../format.ts";
import type { Instruction } from "../instruction.ts";
import { LABEL, type Label, MAP, REFERENCE, SOURCE } from "../keys.ts";
import { BPF_PSEUDO, OPCODE } from "../opcode.ts";
import { isFunctionCall, isFunctionPointer, isJump, isKfuncCall, isLoadImm64 } from "../predicates.ts";
import { rawText } from "../raw_text.ts";
import { parseInstruction } from "./parse_instruction.ts";
import { Line, writeName } from "./tokens.ts";

/** Options of {@linkcode print}. */
export interface PrintOptions {
  /** Whether the opcode stands before each instruction, `(b7) `; default false. */
  opcode?: boolean;
  /** Whether the source lines of instructions stand before them; default true. */
  source?: boolean;
}

/**
 * `insns` as text, of which `assemble()` makes the same instructions again: opcode, registers, numbers, labels, what is referred
 * to, maps by name, source lines. Metadata of other kinds has no words.
 *
 * Distances are not printed where there is a `REFERENCE`: `assemble()` fills in those of labels in the text, and leaves -1
 * in calls (0 in function pointers) of functions elsewhere. What has no words is a `.8byte` line.
 */
export function print(insns: readonly Instruction[], options: PrintOptions = {}): string {
  const names = nameLabels(insns);
  const lines = [...directives(insns, names)];
  for (const insn of insns) {
    const label = insn.get(LABEL);
    if (label !== undefined) lines.push(`${names.get(label)}:`);
    const source = options.source ?? true ? insn.get(SOURCE) : undefined;
    if (source !== undefined) {
      lines.push(`  ; ${oneLine(source.text)} @ ${oneLine(source.file)}:${source.line}:${source.column}`);
    }
    lines.push(`  ${instructionText(insn, names, options.opcode ?? false)}`);
  }
  return lines.map((line) => `${line}\n`).join("");
}

function oneLine(text: string): string {
  return text.replaceAll(/\r?\n/g, " ");
}

/** How each label is written: several of one name are told apart by a number. */
function nameLabels(insns: readonly Instruction[]): Map<Label, string> {
  const counts = new Map<string, number>();
  const names = new Map<Label, string>();
  for (const insn of insns) {
    for (const label of [insn.get(LABEL), insn.get(REFERENCE)]) {
      if (label === undefined || names.has(label)) continue;
      const count = (counts.get(label.name) ?? 0) + 1;
      counts.set(label.name, count);
      names.set(label, writeName(label.name, count === 1 ? 0 : count));
    }
  }
  return names;
}

/** How far labels are seen, but for local ones that stand in the text. */
function* directives(insns: readonly Instruction[], names: ReadonlyMap<Label, string>): Generator<string> {
  const here = new Set(insns.map((insn) => insn.get(LABEL)));
  for (const [label, name] of names) {
    if (label.binding !== "local" || !here.has(label)) yield `.${label.binding} ${name}`;
  }
}

function instructionText(insn: Instruction, names: ReadonlyMap<Label, string>, opcode: boolean): string {
  const reference = (insn: Instruction) => referenceWords(insn, names);
  const text = format(insn, { reference, opcode }) + moduleWords(insn);
  return saysAll(text, insn) ? text : rawText(insn);
}

/** What an instruction refers to: what the verifier prints of it does not tell kinds of 64-bit loads apart. */
function referenceWords(insn: Instruction, names: ReadonlyMap<Label, string>): string | undefined {
  const label = insn.get(REFERENCE);
  const name = label === undefined ? undefined : names.get(label);
  if (isJump(insn) || isFunctionCall(insn)) return name;
  if (isFunctionPointer(insn)) return `subprog[${name ?? signed(insn.imm)}]`;
  if (!isLoadImm64(insn)) return undefined;
  switch (insn.src) {
    case BPF_PSEUDO.MAP_FD:
      return mapWords(insn, "fd", false);
    case BPF_PSEUDO.MAP_VALUE:
      return mapWords(insn, "fd", true);
    case BPF_PSEUDO.MAP_IDX:
      return mapWords(insn, "idx", false);
    case BPF_PSEUDO.MAP_IDX_VALUE:
      return mapWords(insn, "idx", true);
    case BPF_PSEUDO.BTF_ID:
      return `btf_id[${insn.imm}${insn.immHigh === 0 ? "" : ` fd:${insn.immHigh}`}]`;
  }
  return undefined;
}

function mapWords(insn: Instruction, by: "fd" | "idx", value: boolean): string {
  const map = insn.get(MAP);
  const number = map !== undefined && insn.imm === 0 && by === "fd" ? "" : `${by}:${insn.imm}`;
  const words = [...map === undefined ? [] : [writeName(map)], ...number === "" ? [] : [number]].join(" ");
  return `map[${words}]${value ? `[0]${signed(insn.immHigh)}` : ""}`;
}

function moduleWords(insn: Instruction): string {
  return isKfuncCall(insn) && insn.offset !== 0 ? ` fd_array[${insn.offset}]` : "";
}

function signed(value: number): string {
  return value < 0 ? `${value}` : `+${value}`;
}

/** Whether the assembler reads the same instruction from `text`. */
function saysAll(text: string, insn: Instruction): boolean {
  try {
    const line = new Line(text, String);
    const { insn: read, reference } = parseInstruction(line);
    line.end();
    // What the field of a reference holds is found again by resolving it.
    const long = reference !== undefined && (!isJump(insn) || insn.opcode === OPCODE.JA32);
    const short = reference !== undefined && !long;
    return read.opcode === insn.opcode && read.dst === insn.dst && read.src === insn.src &&
      (short || read.offset === insn.offset) && (long || read.imm === insn.imm) && read.immHigh === insn.immHigh &&
      read.get(MAP) === insn.get(MAP);
  } catch (error) {
    if (error instanceof FormatError) return false;
    throw error;
  }
}
