/**
 * One record of each kind of info, from bytes to a value that holds types and strings instead of ids and offsets.
 *
 * @module
 */
import type { ByteView } from "../../bytes.ts";
import { FormatError } from "../../errors.ts";
import { BpfCoreReloKind, BtfKind } from "../../uapi/mod.ts";
import type { Btf } from "../btf.ts";
import type { CoreRelocation, FuncInfo, LineInfo } from "./types.ts";
import { CORE_RELO_RECORD, FUNC_INFO_RECORD, LINE_COL, LINE_INFO_RECORD } from "./wire.ts";

const CORE_KINDS: ReadonlySet<number> = new Set(Object.values(BpfCoreReloKind));

/** What something at `place` refers to, with the place in front of what goes wrong. */
export function within<T>(place: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof FormatError) throw new FormatError(`${place}: ${error.message}`, { cause: error });
    throw error;
  }
}

/**
 * Reads `struct bpf_func_info` at `at`.
 *
 * @throws {FormatError} if its type is not a function.
 */
export function readFuncInfo(view: ByteView, at: number, insnIndex: number, btf: Btf): FuncInfo {
  const id = view.u32(at + FUNC_INFO_RECORD.typeId, "type_id");
  const place = `${view.what}: func info at offset ${at}`;
  const func = within(place, () => btf.type(id));
  if (func.kind !== BtfKind.Func) {
    throw new FormatError(`${place}: type id ${id} ("${func.name}") is of kind ${func.kind}, not a function`);
  }
  return { insnIndex, func };
}

/** A line whose strings are decoded when somebody asks: most are never shown. */
class LazyLineInfo implements LineInfo {
  readonly insnIndex: number;
  readonly line: number;
  readonly column: number;
  readonly #btf: Btf;
  readonly #fileNameOff: number;
  readonly #lineOff: number;

  constructor(insnIndex: number, lineCol: number, btf: Btf, fileNameOff: number, lineOff: number) {
    this.insnIndex = insnIndex;
    this.line = lineCol >>> LINE_COL.columnBits;
    this.column = lineCol & LINE_COL.maxColumn;
    this.#btf = btf;
    this.#fileNameOff = fileNameOff;
    this.#lineOff = lineOff;
  }
  get file(): string {
    return this.#btf.string(this.#fileNameOff);
  }
  get text(): string {
    return this.#btf.string(this.#lineOff).trimStart();
  }
}

/**
 * Reads `struct bpf_line_info` at `at`.
 *
 * @throws {FormatError} if a string lies outside.
 */
export function readLineInfo(view: ByteView, at: number, insnIndex: number, btf: Btf): LineInfo {
  const fileNameOff = view.u32(at + LINE_INFO_RECORD.fileNameOff, "file_name_off");
  const lineOff = view.u32(at + LINE_INFO_RECORD.lineOff, "line_off");
  for (const offset of [fileNameOff, lineOff]) {
    if (offset >= btf.stringEnd && offset !== 0) {
      throw new FormatError(
        `${view.what}: line info at offset ${at}: string offset ${offset} lies outside the ${btf.stringEnd} bytes of ` +
          `${btf.what}'s strings`,
      );
    }
  }
  return new LazyLineInfo(insnIndex, view.u32(at + LINE_INFO_RECORD.lineCol, "line_col"), btf, fileNameOff, lineOff);
}

/**
 * Reads `struct bpf_core_relo` at `at`.
 *
 * @throws {FormatError} if its type, its accessor or its kind does not exist.
 */
export function readCoreRelocation(view: ByteView, at: number, btf: Btf, index: number): CoreRelocation {
  const place = `${view.what}: CO-RE relocation at offset ${at}`;
  const kind = view.u32(at + CORE_RELO_RECORD.kind, "kind");
  if (!isCoreKind(kind)) throw new FormatError(`${place}: unknown kind ${kind}`);
  const id = view.u32(at + CORE_RELO_RECORD.typeId, "type_id");
  const accessStrOff = view.u32(at + CORE_RELO_RECORD.accessStrOff, "access_str_off");
  return within(place, () => ({ kind, type: btf.type(id), accessor: btf.string(accessStrOff), btf, index }));
}

function isCoreKind(kind: number): kind is BpfCoreReloKind {
  return CORE_KINDS.has(kind);
}
