/**
 * `BPF_BTF_LOAD`.
 *
 * @module
 */
import { BpfCmd } from "../../lib/uapi/mod.ts";
import { attr, bpfCharged, BTF_LOAD } from "./attr.ts";
import { bpfError } from "./fail.ts";
import { Fd } from "./fd.ts";

/** What {@linkcode btfLoad} takes. */
export interface BtfLoadRequest {
  /** A `.BTF` section in the machine's byte order. */
  readonly btf: Uint8Array;
  /** Receives the log as text that ends with a NUL. */
  readonly log?: Uint8Array | undefined;
  /** 1, 2 (more) or 4 (statistics), with `log`; 1 by default. */
  readonly logLevel?: number | undefined;
  /** `BPF_F_TOKEN_FD` (6.9). */
  readonly btfFlags?: number | undefined;
  /** BPF token. */
  readonly btfTokenFd?: number | undefined;
}

/**
 * Loads BTF (`BPF_BTF_LOAD`, 4.18).
 *
 * @throws {SyscallError} if the kernel refuses it; `log` then says why.
 */
export function btfLoad(request: BtfLoadRequest): Fd {
  const { btf, log, logLevel = 1, btfFlags, btfTokenFd } = request;
  const result = bpfCharged(BpfCmd.BPF_BTF_LOAD, BTF_LOAD, {
    btf,
    btfSize: btf.length,
    ...(log === undefined ? {} : { btfLogBuf: log, btfLogSize: log.length, btfLogLevel: logLevel }),
    btfFlags,
    btfTokenFd,
  });
  if (result >= 0) return new Fd(result);
  throw bpfError(BpfCmd.BPF_BTF_LOAD, result, undefined, attr().get(BTF_LOAD, "btfLogTrueSize") || undefined);
}
