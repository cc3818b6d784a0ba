/**
 * Infos of a loaded program, as the kernel gives them back (`BPF_OBJ_GET_INFO_BY_FD`): bare records, whose offsets
 * already count slots.
 *
 * @module
 */
import { type ByteOrder, HOST_BYTE_ORDER } from "../../bytes.ts";
import { FormatError } from "../../errors.ts";
import type { Btf } from "../btf.ts";
import { readFuncInfos, readLineInfos, type Records } from "./records.ts";
import type { FuncInfo, LineInfo } from "./types.ts";
import { FUNC_INFO_RECORD, LINE_INFO_RECORD } from "./wire.ts";

/** Options of {@linkcode parseKernelFuncInfos} and {@linkcode parseKernelLineInfos}. */
export interface KernelInfosOptions {
  /** Size of the kernel's records in bytes (`func_info_rec_size`, `line_info_rec_size`). */
  recordSize?: number;
  /** Order of the bytes; by default this machine's, as a kernel gives them. */
  order?: ByteOrder;
  /** How errors call the bytes. */
  what?: string;
}

/**
 * Reads `struct bpf_func_info` records as a kernel gives them back.
 *
 * @param btf The program's BTF.
 * @throws {FormatError} if the bytes are not whole records, or a type is not a function.
 */
export function parseKernelFuncInfos(bytes: Uint8Array, btf: Btf, options: KernelInfosOptions = {}): FuncInfo[] {
  const infos: FuncInfo[] = [];
  readFuncInfos(records(bytes, btf, FUNC_INFO_RECORD.size, "func infos", options), infos);
  return infos;
}

/**
 * Reads `struct bpf_line_info` records as a kernel gives them back.
 *
 * @param btf The program's BTF.
 * @throws {FormatError} if the bytes are not whole records, or a string lies outside.
 */
export function parseKernelLineInfos(bytes: Uint8Array, btf: Btf, options: KernelInfosOptions = {}): LineInfo[] {
  const infos: LineInfo[] = [];
  readLineInfos(records(bytes, btf, LINE_INFO_RECORD.size, "line infos", options), infos);
  return infos;
}

function records(
  bytes: Uint8Array,
  btf: Btf,
  leastSize: number,
  title: string,
  options: KernelInfosOptions,
): Records {
  const what = options.what ?? title;
  const size = options.recordSize ?? leastSize;
  if (size < leastSize) throw new FormatError(`${what}: record size ${size} is below ${leastSize}`);
  if (bytes.length % size !== 0) {
    throw new FormatError(`${what}: ${bytes.length} bytes are not a whole number of records of ${size} bytes`);
  }
  return {
    view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    little: (options.order ?? HOST_BYTE_ORDER) === "little",
    start: 0,
    count: bytes.length / size,
    size,
    slot: 1,
    btf,
    what,
    section: "",
  };
}
