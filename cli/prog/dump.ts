/**
 * `debpf prog dump`.
 *
 * @module
 */
import { jitedFunctions, translatedInstructions } from "../../ffi/info/mod.ts";
import type { BpfProgram } from "../../ffi/program/mod.ts";
import { progArrays } from "../../ffi/sys/mod.ts";
import {
  encode,
  format,
  type Instruction,
  isFunctionCall,
  isFunctionPointer,
  isLoadImm64,
  LABEL,
  type Label,
  listing,
  REFERENCE,
  referenceText,
  SOURCE,
  type SourceLine,
} from "../../lib/asm/mod.ts";
import { FUNC_INFO } from "../../lib/btf/mod.ts";
import { HOST_BYTE_ORDER } from "../../lib/bytes.ts";
import { BpfPseudo } from "../../lib/uapi/mod.ts";
import { functionText } from "./function_text.ts";
import type { Words } from "../btf/words.ts";
import { EXIT, UsageError } from "../command.ts";
import { takeProgram } from "../objects.ts";
import type { Output } from "../output.ts";
import { hexJson, hexText } from "../map/data.ts";

/** Does it; `words` stand behind `dump`. */
export async function dumpProgram(words: Words, output: Output): Promise<number> {
  const what = words.keyword("xlated", "jited");
  if (what === undefined) throw new UsageError("what to dump is missing: xlated or jited");
  using program = await takeProgram(words);
  const opcodes = words.keyword("opcodes") !== undefined;
  const lines = words.keyword("linum") !== undefined;
  words.end();
  if (what === "xlated") dumpXlated(program, opcodes, lines, output);
  else dumpJited(program, output);
  return EXIT.done;
}

function dumpXlated(program: BpfProgram, opcodes: boolean, lines: boolean, output: Output): void {
  const insns = translatedInstructions(program.fd);
  if (insns.length === 0) throw new Error(`program ${program.id}: the kernel does not show its instructions`);
  if (output.json) {
    const symbols = functionSymbols(program, insns);
    output.value(insns.map((insn) => xlatedJson(insn, symbols, opcodes, lines)));
    return;
  }
  // Names in the place of numbers: maps, functions, helpers.
  const options = opcodes ? { opcodes: HOST_BYTE_ORDER } : {};
  for (const { text } of listing(insns, { reference: referenceText, ...options })) output.line(text);
}

/** Names of the program's functions as /proc/kallsyms has them, which are those that bpftool prints. */
function functionSymbols(program: BpfProgram, insns: readonly Instruction[]): Map<Label, string> {
  const { progTags } = progArrays(program.fd, ["progTags"]);
  const labels = insns.map((insn) => insn.get(LABEL)).filter((label) => label !== undefined);
  return new Map(labels.map((label, index) => {
    const tag = progTags?.subarray(index * 8, index * 8 + 8).toHex();
    return [label, tag === undefined ? label.name : `bpf_prog_${tag}_${label.name}`];
  }));
}

function xlatedJson(
  insn: Instruction,
  symbols: ReadonlyMap<Label, string>,
  opcodes: boolean,
  lines: boolean,
): object {
  const func = insn.get(FUNC_INFO);
  const source = insn.get(SOURCE);
  return {
    ...(func === undefined ? {} : { proto: functionText(func) }),
    ...(source === undefined ? {} : sourceJson(source, lines)),
    disasm: format(insn, { reference: (insn) => bpftoolReference(insn, symbols) }),
    ...(opcodes ? { opcodes: opcodesJson(insn) } : {}),
  };
}

function sourceJson({ text, file, line, column }: SourceLine, lines: boolean): object {
  // What is not known is left out.
  const place = Object.entries({ file, line_num: line, line_col: column }).filter(([, value]) =>
    value !== 0 && value !== ""
  );
  return { src: text, ...(lines ? Object.fromEntries(place) : {}) };
}

/** Of a 64-bit load bpftool's immediate is all from the first to the end, the second slot's other fields too. */
function opcodesJson(insn: Instruction): object {
  const bytes = encode([insn], HOST_BYTE_ORDER);
  return {
    code: hexJson(bytes.subarray(0, 1))[0],
    src_reg: `0x${insn.src.toString(16)}`,
    dst_reg: `0x${insn.dst.toString(16)}`,
    off: hexJson(bytes.subarray(2, 4)),
    imm: hexJson(bytes.subarray(4)),
  };
}

/** bpftool's words: maps by id, functions of the program by distance. */
function bpftoolReference(insn: Instruction, symbols: ReadonlyMap<Label, string>): string | undefined {
  if (isFunctionPointer(insn)) return `subprog[${plus(insn.imm)}]`;
  if (isLoadImm64(insn)) {
    if (insn.src === BpfPseudo.BPF_PSEUDO_MAP_FD) return `map[id:${insn.imm}]`;
    return insn.src === BpfPseudo.BPF_PSEUDO_MAP_VALUE ? `map[id:${insn.imm}][0]+${insn.immHigh}` : undefined;
  }
  const label = insn.get(REFERENCE);
  if (label === undefined) return undefined;
  return isFunctionCall(insn) ? `pc${plus(insn.offset)}#${symbols.get(label) ?? label.name}` : label.name;
}

function plus(value: number): string {
  return value < 0 ? `${value}` : `+${value}`;
}

function dumpJited(program: BpfProgram, output: Output): void {
  const functions = jitedFunctions(program.fd);
  if (functions.length === 0) {
    throw new Error(`program ${program.id}: it is not compiled, or the kernel does not show it`);
  }
  if (output.json) {
    output.value(functions.map(({ name, address, code, lines }) => ({
      name,
      address: `0x${address.toString(16)}`,
      insns: hexJson(code),
      lines: lines.map(({ offset, file, line, column, text }) => ({
        pc: offset,
        src: text,
        file,
        line_num: line,
        line_col: column,
      })),
    })));
    return;
  }
  for (const { name, address, code, lines } of functions) {
    output.line(`${name || program.name}:  # 0x${address.toString(16)}, ${code.length} bytes`);
    const starts = [...lines.map(({ offset }) => offset), code.length];
    if (lines[0]?.offset !== 0) printCode(code, 0, starts[0] ?? code.length, output);
    lines.forEach((line, index) => {
      output.line(`; ${line.text} @ ${line.file}:${line.line}`);
      printCode(code, line.offset, starts[index + 1] ?? code.length, output);
    });
  }
}

function printCode(code: Uint8Array, from: number, to: number, output: Output): void {
  for (let at = from; at < to; at += 16) {
    output.line(`${at.toString(16).padStart(6)}: ${hexText(code.subarray(at, Math.min(at + 16, to)))}`);
  }
}
