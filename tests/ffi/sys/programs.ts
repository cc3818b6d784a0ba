/**
 * Tiny programs for tests, as bytes.
 *
 * @module
 */
import { type Fd, progLoad } from "../../../ffi/sys/mod.ts";
import { BpfProgType } from "../../../lib/uapi/mod.ts";

/** `r0 = imm` (32 bits). */
export function moveImm(imm: number): number[] {
  return [0xb7, 0, 0, 0, imm & 0xff, imm >> 8 & 0xff, imm >> 16 & 0xff, imm >>> 24];
}

/** `exit` */
export const EXIT: readonly number[] = [0x95, 0, 0, 0, 0, 0, 0, 0];

/** `r0 = value; exit` */
export function returning(value: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from([...moveImm(value), ...EXIT]);
}

/** Loads `r0 = value; exit`. */
export function loadReturning(value: number, progType: BpfProgType = BpfProgType.BPF_PROG_TYPE_SOCKET_FILTER): Fd {
  return progLoad({ progType, insns: returning(value), license: "GPL", progName: "returning" });
}
