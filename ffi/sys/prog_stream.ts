/**
 * What programs print to streams of their own (`BPF_PROG_STREAM_READ_BY_FD`, 6.17).
 *
 * @module
 */
import { BpfCmd, type BpfStreamId } from "../../lib/uapi/mod.ts";
import { bpfOrThrow, PROG_STREAM_READ } from "./attr.ts";

/**
 * Takes bytes out of a program's stream; does not wait.
 *
 * @param progFd The program.
 * @param stream `BPF_STDOUT` or `BPF_STDERR`.
 * @param buffer Where they go.
 * @returns How many there were, 0 if there are none now.
 * @throws {SyscallError} if the kernel refuses it: code `EINVAL` before Linux 6.17.
 */
export function progStreamRead(progFd: number, stream: BpfStreamId, buffer: Uint8Array<ArrayBuffer>): number {
  const request = { streamBuf: buffer, streamBufLen: buffer.length, streamId: stream, progFd };
  return bpfOrThrow(BpfCmd.BPF_PROG_STREAM_READ_BY_FD, PROG_STREAM_READ, request);
}
