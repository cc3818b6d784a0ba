/**
 * Records of each kind of info, from bytes to values that hold types and strings instead of ids and offsets.
 *
 * @module
 */
import { FormatError } from "../../errors.ts";
import { type BpfCoreReloKind, BtfKind } from "../../uapi/mod.ts";
import type { Btf } from "../btf.ts";
import type { CoreRelocationInfo, FuncInfo, LineInfo } from "./types.ts";
import { CORE_RELO_RECORD, FUNC_INFO_RECORD, LINE_COL, LINE_INFO_RECORD } from "./wire.ts";

/** Bytes of an instruction slot: the unit of `insn_off` in ELF is the byte. */
export const SLOT_BYTES = 8;

/**
 * The records of one section in one part of `.BTF.ext`, which lie inside of the part. An object has ten thousand of them,
 * and a process that loads it reads each once: hence plain reads, without a check and a name for each field.
 */
export interface Records {
  /** The part. */
  readonly view: DataView;
  readonly little: boolean;
  /** Offset of the first record. */
  readonly start: number;
  readonly count: number;
  /** Bytes of a record; those of the fields known, or more. */
  readonly size: number;
  /** What `insn_off` counts an instruction slot as: {@linkcode SLOT_BYTES} in objects, 1 in a kernel. */
  readonly slot: number;
  /** The types and strings that the records refer to. */
  readonly btf: Btf;
  /** How errors call the part. */
  readonly what: string;
  /** The section's name; empty where there are none. */
  readonly section: string;
}

/**
 * Reads `struct bpf_func_info[]`.
 *
 * @throws {FormatError} if an offset is none of an instruction, or a type is not a function.
 */
export function readFuncInfos(records: Records, into: FuncInfo[]): void {
  const { view, little, size, btf } = records;
  const end = records.start + records.count * size;
  for (let at = records.start; at < end; at += size) {
    const id = view.getUint32(at + FUNC_INFO_RECORD.typeId, little);
    const insnIndex = slotAt(records, at);
    const place = `${records.what}: func info at offset ${at}`;
    const func = within(place, () => btf.type(id));
    if (func.kind !== BtfKind.Func) {
      throw new FormatError(`${place}: type id ${id} ("${func.name}") is of kind ${func.kind}, not a function`);
    }
    into.push({ insnIndex, func });
  }
}

/** A line that is decoded when somebody asks: most are never shown. */
class LazyLineInfo implements LineInfo {
  readonly insnIndex: number;
  readonly #records: Records;
  readonly #at: number;

  constructor(insnIndex: number, records: Records, at: number) {
    this.insnIndex = insnIndex;
    this.#records = records;
    this.#at = at;
  }
  get line(): number {
    return this.#word(LINE_INFO_RECORD.lineCol) >>> LINE_COL.columnBits;
  }
  get column(): number {
    return this.#word(LINE_INFO_RECORD.lineCol) & LINE_COL.maxColumn;
  }
  get file(): string {
    return this.#records.btf.string(this.#word(LINE_INFO_RECORD.fileNameOff));
  }
  get text(): string {
    return this.#records.btf.string(this.#word(LINE_INFO_RECORD.lineOff)).trimStart();
  }

  #word(offset: number): number {
    return this.#records.view.getUint32(this.#at + offset, this.#records.little);
  }
}

/**
 * Reads `struct bpf_line_info[]`.
 *
 * @throws {FormatError} if an offset is none of an instruction, or a string lies outside.
 */
export function readLineInfos(records: Records, into: LineInfo[]): void {
  const { view, little, size, btf, what } = records;
  const stringEnd = btf.stringEnd;
  const end = records.start + records.count * size;
  for (let at = records.start; at < end; at += size) {
    const insnIndex = slotAt(records, at);
    const file = view.getUint32(at + LINE_INFO_RECORD.fileNameOff, little);
    const text = view.getUint32(at + LINE_INFO_RECORD.lineOff, little);
    if (Math.max(file, text) >= stringEnd && Math.max(file, text) !== 0) {
      throw new FormatError(
        `${what}: line info at offset ${at}: string offset ${
          Math.max(file, text)
        } lies outside the ${stringEnd} bytes of ` +
          `${btf.what}'s strings`,
      );
    }
    into.push(new LazyLineInfo(insnIndex, records, at));
  }
}

/**
 * Reads `struct bpf_core_relo[]`.
 *
 * @param index Number of the first among the object's relocations.
 * @throws {FormatError} if an offset is none of an instruction, or a type or accessor does not exist.
 */
export function readCoreRelocations(records: Records, into: CoreRelocationInfo[], index: number): void {
  const { view, little, size, btf } = records;
  let at = records.start;
  try {
    for (let i = 0; i < records.count; i++, at += size) {
      // One that is newer than this library is an error of who relocates, and only for programs that have it.
      const kind = view.getUint32(at + CORE_RELO_RECORD.kind, little) as BpfCoreReloKind;
      const insnIndex = slotAt(records, at);
      const type = btf.type(view.getUint32(at + CORE_RELO_RECORD.typeId, little));
      const accessor = btf.string(view.getUint32(at + CORE_RELO_RECORD.accessStrOff, little));
      into.push({ insnIndex, relocation: { kind, type, accessor, btf, index: index + i } });
    }
  } catch (error) {
    throw placed(`${records.what}: CO-RE relocation at offset ${at}`, error);
  }
}

/** What something at `place` refers to, with the place in front of what goes wrong. */
export function within<T>(place: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw placed(place, error);
  }
}

function placed(place: string, error: unknown): unknown {
  return error instanceof FormatError ? new FormatError(`${place}: ${error.message}`, { cause: error }) : error;
}

/** The slot that the record at `at` is about: all records start with `insn_off`. */
function slotAt({ view, little, slot, what, section }: Records, at: number): number {
  const offset = view.getUint32(at, little);
  if (offset % slot === 0) return offset / slot;
  throw new FormatError(
    `${what}: insn_off ${offset} at offset ${at} (section "${section}") is not a multiple of ${slot}`,
  );
}
