/**
 * Infos of a loaded program, as the kernel gives them back (`BPF_OBJ_GET_INFO_BY_FD`): bare records, whose offsets
 * already count slots.
 *
 * @module
 */
import { type ByteOrder, ByteView, HOST_BYTE_ORDER } from "../../bytes.ts";
import { FormatError } from "../../errors.ts";
import type { Btf } from "../btf.ts";
import { readFuncInfo, readLineInfo } from "./records.ts";
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
  const { view, offsets } = records(bytes, FUNC_INFO_RECORD.size, "func infos", options);
  return offsets.map((at) => readFuncInfo(view, at, view.u32(at + FUNC_INFO_RECORD.insnOff), btf));
}

/**
 * Reads `struct bpf_line_info` records as a kernel gives them back.
 *
 * @param btf The program's BTF.
 * @throws {FormatError} if the bytes are not whole records, or a string lies outside.
 */
export function parseKernelLineInfos(bytes: Uint8Array, btf: Btf, options: KernelInfosOptions = {}): LineInfo[] {
  const { view, offsets } = records(bytes, LINE_INFO_RECORD.size, "line infos", options);
  return offsets.map((at) => readLineInfo(view, at, view.u32(at + LINE_INFO_RECORD.insnOff), btf));
}

function records(
  bytes: Uint8Array,
  leastSize: number,
  title: string,
  options: KernelInfosOptions,
): { view: ByteView; offsets: number[] } {
  const view = new ByteView(bytes, options.order ?? HOST_BYTE_ORDER, options.what ?? title);
  const size = options.recordSize ?? leastSize;
  if (size < leastSize) throw new FormatError(`${view.what}: record size ${size} is below ${leastSize}`);
  if (bytes.length % size !== 0) {
    throw new FormatError(`${view.what}: ${bytes.length} bytes are not a whole number of records of ${size} bytes`);
  }
  return { view, offsets: Array.from({ length: bytes.length / size }, (_, index) => index * size) };
}
