/**
 * Loads the BTF of a collection, also into a kernel that is older than the compiler.
 *
 * @module
 */
import { sanitizeBtf } from "../../lib/btf/mod.ts";
import { BpfMapFlag } from "../../lib/uapi/mod.ts";
import { missingBtfFeatures } from "../features/mod.ts";
import * as sys from "../sys/mod.ts";

/** Enough for what the kernel says of a type that it refuses, after the types before it. */
const LOG_BYTES = 1 << 20;

/**
 * Loads BTF; kinds that this kernel does not know are replaced by older ones, and only then is it asked which it knows.
 *
 * @param btf A `.BTF` section in the machine's byte order.
 * @param token File descriptor of a BPF token (6.9).
 * @throws {sys.SyscallError} if the kernel refuses it all the same, with the last line of its log.
 */
export function loadBtf(btf: Uint8Array, token?: number): sys.Fd {
  const rights = token === undefined ? {} : { btfFlags: BpfMapFlag.BPF_F_TOKEN_FD, btfTokenFd: token };
  try {
    return sys.btfLoad({ btf, ...rights });
  } catch (error) {
    if (!isRefusal(error)) throw error;
    const missing = missingBtfFeatures();
    return withLog(missing.size === 0 ? btf : sanitizeBtf(btf, missing), rights);
  }
}

function isRefusal(error: unknown): error is sys.SyscallError {
  return error instanceof sys.SyscallError && error.code === "EINVAL";
}

function withLog(btf: Uint8Array, rights: Partial<sys.BtfLoadRequest>): sys.Fd {
  const log = new Uint8Array(LOG_BYTES);
  try {
    // Level 4 would write statistics only; what the kernel says at level 1 ends with the reason.
    return sys.btfLoad({ btf, log, ...rights });
  } catch (error) {
    // A log that does not fit is no reason: without one the answer is about the BTF again.
    if (error instanceof sys.SyscallError && error.code === "ENOSPC") return sys.btfLoad({ btf, ...rights });
    if (!isRefusal(error)) throw error;
    const text = new TextDecoder().decode(log.subarray(0, log.indexOf(0))).trim();
    const reason = text.split("\n").at(-1) ?? "";
    throw reason === "" ? error : error.at(`the kernel refuses the object's BTF: ${reason}`);
  }
}
