/**
 * Func and line infos of a linked program, as `BPF_PROG_LOAD` takes them.
 *
 * @module
 */
import { type Instruction, SOURCE } from "../../asm/mod.ts";
import { HOST_BYTE_ORDER } from "../../bytes.ts";
import type { BtfBuilder } from "../builder/mod.ts";
import { swapWords } from "../swap_words.ts";
import { FUNC_INFO } from "./types.ts";
import { FUNC_INFO_RECORD, LINE_COL, LINE_INFO_RECORD } from "./wire.ts";

/** Func and line infos as `BPF_PROG_LOAD` takes them, in the byte order of the builder that holds their types. */
export interface MarshalledExtInfos {
  /** `struct bpf_func_info` records, ascending. */
  readonly funcInfo: Uint8Array;
  /** Number of records in {@linkcode MarshalledExtInfos.funcInfo}. */
  readonly funcInfoCount: number;
  /** Size of one in bytes. */
  readonly funcInfoRecSize: number;
  /** `struct bpf_line_info` records, ascending. */
  readonly lineInfo: Uint8Array;
  /** Number of records in {@linkcode MarshalledExtInfos.lineInfo}. */
  readonly lineInfoCount: number;
  /** Size of one in bytes. */
  readonly lineInfoRecSize: number;
}

/**
 * Makes func and line infos of what the instructions carry as metadata, adding types and strings to `builder`. Offsets
 * count slots: a 64-bit immediate load counts 2. Without metadata both are empty. A line or column too large for its
 * bits (2^22 - 1, 1023) is written as 0: unknown.
 *
 * @param insns A whole linked program.
 * @param builder The BTF that will be loaded with it.
 */
export function marshalExtInfos(insns: readonly Instruction[], builder: BtfBuilder): MarshalledExtInfos {
  const funcs: number[] = [];
  const lines: number[] = [];
  // A line of C makes several records one after the other, and a program is of one file or two.
  const addFile = rememberLast((file: string) => builder.addString(file));
  const addText = rememberLast((text: string) => builder.addString(text));
  let slot = 0;
  for (const insn of insns) {
    const func = insn.get(FUNC_INFO);
    if (func !== undefined) funcs.push(slot, builder.add(func));
    const source = insn.get(SOURCE);
    if (source !== undefined) {
      const line = source.line <= LINE_COL.maxLine ? source.line : 0;
      const column = source.column <= LINE_COL.maxColumn ? source.column : 0;
      const lineCol = line * (1 << LINE_COL.columnBits) + column;
      lines.push(slot, addFile(source.file), addText(source.text), lineCol);
    }
    slot += insn.slots;
  }
  const order = builder.order;
  return {
    funcInfo: toBytes(funcs, order === HOST_BYTE_ORDER),
    funcInfoCount: funcs.length * 4 / FUNC_INFO_RECORD.size,
    funcInfoRecSize: FUNC_INFO_RECORD.size,
    lineInfo: toBytes(lines, order === HOST_BYTE_ORDER),
    lineInfoCount: lines.length * 4 / LINE_INFO_RECORD.size,
    lineInfoRecSize: LINE_INFO_RECORD.size,
  };
}

/** `add`, called only for another text than the last. */
function rememberLast(add: (text: string) => number): (text: string) => number {
  let last = "";
  let offset = add(last);
  return (text) => {
    if (text === last) return offset;
    last = text;
    return offset = add(text);
  };
}

function toBytes(words: readonly number[], isHostOrder: boolean): Uint8Array {
  const bytes = new Uint8Array(Uint32Array.from(words).buffer);
  if (!isHostOrder) swapWords(bytes);
  return bytes;
}
