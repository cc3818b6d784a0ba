/**
 * `BPF_OBJ_GET_INFO_BY_FD`, whatever the object.
 *
 * @module
 */
import { BpfCmd } from "../../lib/uapi/mod.ts";
import { attr, bpf, INFO } from "./attr.ts";
import { bpfError } from "./fail.ts";
import type { WireBuffer } from "./wire.ts";

/**
 * Fills `info` with what the kernel knows of an object. What `info` says before the call is what the kernel is asked: lengths
 * and addresses of memory for arrays.
 *
 * @returns How many bytes of the structure the kernel filled in; the rest of `info` is as before.
 * @throws {SyscallError} if the kernel refuses it.
 */
export function objGetInfoByFd(fd: number, info: WireBuffer): number {
  const result = bpf(BpfCmd.BPF_OBJ_GET_INFO_BY_FD, INFO, { bpfFd: fd, info: info.bytes, infoLen: info.bytes.length });
  info.release();
  if (result < 0) throw bpfError(BpfCmd.BPF_OBJ_GET_INFO_BY_FD, result);
  return attr().get(INFO, "infoLen");
}
