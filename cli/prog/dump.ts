/**
 * `debpf prog dump`.
 *
 * @module
 */
import { jitedFunctions, translatedInstructions } from "../../ffi/info/mod.ts";
import type { BpfProgram } from "../../ffi/program/mod.ts";
import {
  encode,
  format,
  type Instruction,
  isFunctionCall,
  isFunctionPointer,
  isLoadImm64,
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
    output.value(insns.map((insn) => xlatedJson(insn, opcodes, lines)));
    return;
  }
  // Names in the place of numbers: maps, functions, helpers.
  const options = opcodes ? { opcodes: HOST_BYTE_ORDER } : {};
  for (const { text } of listing(insns, { reference: referenceText, ...options })) output.line(text);
}

function xlatedJson(insn: Instruction, opcodes: boolean, lines: boolean): object {
  const func = insn.get(FUNC_INFO);
  const source = insn.get(SOURCE);
  return {
    ...(func === undefined ? {} : { proto: functionText(func) }),
    ...(source === undefined ? {} : sourceJson(source, lines)),
    disasm: format(insn, { reference: bpftoolReference }),
    ...(opcodes ? { opcodes: opcodesJson(insn) } : {}),
  };
}

function sourceJson({ text, file, line, column }: SourceLine, lines: boolean): object {
  return { src: text, ...(lines ? { file, line_num: line, line_col: column } : {}) };
}

function opcodesJson(insn: Instruction): object {
  const bytes = encode([insn], HOST_BYTE_ORDER);
  const part = (from: number, to: number) => hexJson(bytes.subarray(from, to));
  const imm = insn.slots === 2 ? [...part(4, 8), ...part(12, 16)] : part(4, 8);
  return {
    code: `0x${insn.opcode.toString(16)}`,
    src_reg: `0x${insn.src.toString(16)}`,
    dst_reg: `0x${insn.dst.toString(16)}`,
    off: part(2, 4),
    imm,
  };
}

/** bpftool's words: maps by id, functions of the program by distance. */
function bpftoolReference(insn: Instruction): string | undefined {
  if (isFunctionPointer(insn)) return `subprog[${plus(insn.imm)}]`;
  if (isLoadImm64(insn)) {
    if (insn.src === BpfPseudo.BPF_PSEUDO_MAP_FD) return `map[id:${insn.imm}]`;
    return insn.src === BpfPseudo.BPF_PSEUDO_MAP_VALUE ? `map[id:${insn.imm}][0]+${insn.immHigh}` : undefined;
  }
  const name = insn.get(REFERENCE)?.name;
  return isFunctionCall(insn) ? `pc${plus(insn.offset)}#${name}` : name;
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
