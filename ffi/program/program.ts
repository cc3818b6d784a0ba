/**
 * A loaded BPF program: a file descriptor, test runs, and what the verifier said if it would not load.
 *
 * @module
 */
import { encode, type Instruction } from "../../lib/asm/mod.ts";
import { HOST_BYTE_ORDER } from "../../lib/bytes.ts";
import type { BpfAttachType, BpfProgType } from "../../lib/uapi/mod.ts";
import * as sys from "../sys/mod.ts";
import { verifierMessage } from "./verifier_message.ts";

/** A program as the kernel takes it: linked, relocated, its maps bound to file descriptors. */
export interface ProgramImage {
  /** Name; the kernel keeps 15 bytes of it. */
  readonly name: string;
  /** `BPF_PROG_TYPE_*`. */
  readonly type: BpfProgType;
  /** `expected_attach_type`; 0 where there is none. */
  readonly expectedAttachType: BpfAttachType | 0;
  /** `BPF_F_*` of `BPF_PROG_LOAD`. */
  readonly flags: number;
  /** `"GPL"` opens the helpers that are for GPL programs only. */
  readonly license: string;
  /** `LINUX_VERSION_CODE`, or 0. */
  readonly kernelVersion: number;
  /** All functions, the program first. */
  readonly insns: readonly Instruction[];
  /** `struct bpf_func_info` records of 8 bytes; may be empty. */
  readonly funcInfo: Uint8Array;
  /** `struct bpf_line_info` records of 16 bytes; may be empty. */
  readonly lineInfo: Uint8Array;
  /** Id of the kernel type or function that it attaches to, in vmlinux; 0 where there is none. */
  readonly attachBtfId: number;
}

const FUNC_INFO_BYTES = 8;
const LINE_INFO_BYTES = 16;
/** A first log that fits most failures; doubled while the kernel says that it does not (kernel's limit: 2^30 - 1). */
const FIRST_LOG_BYTES = 1 << 20;
const LAST_LOG_BYTES = (1 << 30) - 1;
/** A signal that arrives while the verifier works makes it give up with EAGAIN; libbpf tries as often. */
const ATTEMPTS = 5;

/** A loaded program. */
export class BpfProgram implements Disposable {
  /** What was loaded. */
  readonly image: ProgramImage;
  readonly #fd: sys.Fd;

  private constructor(fd: sys.Fd, image: ProgramImage) {
    this.#fd = fd;
    this.image = image;
  }

  /**
   * Loads a program. The verifier writes a log only when it is asked again after a failure, since a log costs time.
   *
   * @param image The program.
   * @param btf The loaded BTF that `funcInfo` and `lineInfo` are of.
   * @throws {sys.VerifierError} if the verifier refuses it, with the whole log.
   * @throws {sys.SyscallError} if the kernel refuses it before.
   */
  static load(image: ProgramImage, btf?: sys.Fd): BpfProgram {
    const insns = encode(image.insns, HOST_BYTE_ORDER);
    const request: sys.ProgLoadOptions = {
      progType: image.type,
      expectedAttachType: image.expectedAttachType,
      insns,
      license: image.license,
      kernVersion: image.kernelVersion,
      progFlags: image.flags,
      progName: image.name,
      attachBtfId: image.attachBtfId,
      ...(btf === undefined || image.funcInfo.length === 0 ? {} : {
        progBtfFd: btf.value,
        funcInfo: image.funcInfo,
        funcInfoRecSize: FUNC_INFO_BYTES,
        lineInfo: image.lineInfo,
        lineInfoRecSize: LINE_INFO_BYTES,
      }),
    };
    return new BpfProgram(loadWithLog(request, image), image);
  }

  /** Its name. */
  get name(): string {
    return this.image.name;
  }

  /** Its file descriptor, for calls that this class has no method for. */
  get fd(): number {
    return this.#fd.value;
  }

  /** What the kernel says of it. */
  info(): sys.ProgInfo {
    return sys.progInfo(this.fd);
  }

  /** Runs it once, or `repeat` times, with the given data and context; nothing is attached. */
  run(options: sys.TestRunOptions = {}): sys.TestRunResult {
    return sys.progTestRun(this.fd, options);
  }

  /** Closes the file descriptor. Closing again does nothing. */
  close(): void {
    this.#fd.close();
  }

  /** As {@linkcode BpfProgram.close}. */
  [Symbol.dispose](): void {
    this.close();
  }
}

function loadWithLog(request: sys.ProgLoadOptions, image: ProgramImage): sys.Fd {
  try {
    return retried(request);
  } catch (error) {
    if (!(error instanceof sys.SyscallError) || !mayHaveLog(error)) throw error;
    return explain(request, image, error);
  }
}

/** Errors that come from the verifier; the others are about permission, memory or the arguments. */
function mayHaveLog(error: sys.SyscallError): boolean {
  return error.code !== "EPERM" && error.code !== "ENOMEM" && error.code !== "EAGAIN" && error.code !== "EBADF";
}

/** Loads again, this time with a log; should it load now, it is loaded. */
function explain(request: sys.ProgLoadOptions, image: ProgramImage, first: sys.SyscallError): sys.Fd {
  for (let size = FIRST_LOG_BYTES;; size = Math.min(size * 2, LAST_LOG_BYTES)) {
    const log = new Uint8Array(size);
    try {
      return retried({ ...request, log, logLevel: 1 });
    } catch (error) {
      if (!(error instanceof sys.SyscallError)) throw error;
      if (error.code === "ENOSPC" && size < LAST_LOG_BYTES) continue;
      const text = logText(log);
      if (text.trim() === "") throw first;
      throw new sys.VerifierError(verifierMessage(image, text, error), {
        log: text,
        programName: image.name,
        cause: error,
      });
    }
  }
}

function retried(request: sys.ProgLoadOptions): sys.Fd {
  for (let attempt = 1;; attempt++) {
    try {
      return sys.progLoad(request);
    } catch (error) {
      const again = error instanceof sys.SyscallError && error.code === "EAGAIN" && attempt < ATTEMPTS;
      if (!again) throw error;
    }
  }
}

function logText(log: Uint8Array): string {
  const end = log.indexOf(0);
  return new TextDecoder().decode(end < 0 ? log : log.subarray(0, end));
}
