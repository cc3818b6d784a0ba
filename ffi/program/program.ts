/**
 * A loaded BPF program: a file descriptor, test runs, and what the verifier said if it would not load.
 *
 * @module
 */
import { encode, type Instruction } from "../../lib/asm/mod.ts";
import { HOST_BYTE_ORDER } from "../../lib/bytes.ts";
import { UnsupportedError } from "../../lib/errors.ts";
import { type BpfAttachType, BpfMapFlag, BpfProgType, enumName } from "../../lib/uapi/mod.ts";
import type { BpfMap } from "../map/mod.ts";
import { pin, type PinOptions } from "../pin/mod.ts";
import * as sys from "../sys/mod.ts";
import { type RunOptions, runProgram, type RunResult } from "./run.ts";
import { verifierMessage } from "./verifier_message.ts";

/** A program as the kernel takes it: linked, relocated, its maps bound to file descriptors. */
export interface ProgramImage {
  /** Name; the kernel keeps 15 bytes of it. */
  readonly name: string;
  /** Name given to the kernel if it is not `name`: empty for kernels that know no names (before 4.15). */
  readonly kernelName?: string | undefined;
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
  /** BTF of the module that `attachBtfId` is of; vmlinux without it. */
  readonly attachBtfObjFd?: number | undefined;
  /** Program that it attaches to; `attachBtfId` is of its BTF then. */
  readonly attachProgFd?: number | undefined;
  /** Network device to offload to or to be bound to. */
  readonly ifindex?: number | undefined;
  /** File descriptors that instructions refer to by index: maps, BTF of modules (5.14). */
  readonly fdArray?: readonly number[] | undefined;
  /** The maps of its collection by name, for what has to be told to the program when it is attached. */
  readonly maps?: ReadonlyMap<string, BpfMap> | undefined;
}

/** How a program is loaded. */
export interface ProgramLoadOptions {
  /** File descriptor of a BPF token, which stands for the caller's rights (6.9). */
  readonly token?: number | undefined;
  /**
   * What the verifier writes to {@linkcode BpfProgram.log}, also when it takes the program: 1 what matters, 2 every
   * instruction, 4 statistics. 0, the default, writes nothing, and 1 after a failure.
   */
  readonly logLevel?: number | undefined;
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
  /** Its name; the kernel keeps 15 bytes of it. */
  readonly name: string;
  /** `BPF_PROG_TYPE_*`. */
  readonly type: BpfProgType;
  /** What the verifier wrote; empty unless a log level was asked for. */
  readonly log: string;
  readonly #fd: sys.Fd;
  readonly #image: ProgramImage | undefined;
  #id: number | undefined;

  private constructor(fd: sys.Fd, about: { name: string; type: BpfProgType }, image?: ProgramImage, log = "") {
    this.#fd = fd;
    this.name = about.name;
    this.type = about.type;
    this.#image = image;
    this.log = log;
  }

  /**
   * Loads a program. The verifier writes a log only when it is asked again after a failure, since a log costs time.
   *
   * @param image The program.
   * @param btf The loaded BTF that `funcInfo` and `lineInfo` are of.
   * @param options How.
   * @throws {sys.VerifierError} if the verifier refuses it, with the whole log.
   * @throws {sys.SyscallError} if the kernel refuses it before.
   */
  static load(image: ProgramImage, btf?: sys.Fd, options: ProgramLoadOptions = {}): BpfProgram {
    const { token, logLevel = 0 } = options;
    const insns = encode(image.insns, HOST_BYTE_ORDER);
    const request: sys.ProgLoadOptions = {
      progType: image.type,
      expectedAttachType: image.expectedAttachType,
      insns,
      license: image.license,
      kernVersion: image.kernelVersion,
      progFlags: image.flags | (token === undefined ? 0 : BpfMapFlag.BPF_F_TOKEN_FD),
      progTokenFd: token,
      progName: image.kernelName ?? image.name,
      progIfindex: image.ifindex,
      attachBtfId: image.attachBtfId,
      attachBtfObjFd: image.attachBtfObjFd,
      attachProgFd: image.attachProgFd,
      fdArray: image.fdArray === undefined ? undefined : Int32Array.from(image.fdArray),
      ...(btf === undefined || image.funcInfo.length === 0 ? {} : {
        progBtfFd: btf.value,
        funcInfo: image.funcInfo,
        funcInfoRecSize: FUNC_INFO_BYTES,
        lineInfo: image.lineInfo,
        lineInfoRecSize: LINE_INFO_BYTES,
      }),
    };
    const { fd, log } = logLevel === 0 ? loadWithLog(request, image) : explain(request, image, logLevel);
    return new BpfProgram(fd, image, image, log);
  }

  /**
   * Takes over the file descriptor of a program.
   *
   * @param fd The program; closed if this fails.
   * @throws {TypeError} if it is no program.
   */
  static fromFd(fd: sys.Fd): BpfProgram {
    using cleanup = new DisposableStack();
    cleanup.use(fd);
    sys.checkObjectKind(fd.value, "program");
    const program = new BpfProgram(fd, sys.progInfo(fd.value));
    cleanup.move();
    return program;
  }

  /**
   * Opens a program by its id.
   *
   * @throws {sys.SyscallError} if the kernel refuses it: code `ENOENT` if it is gone.
   */
  static fromId(id: number): BpfProgram {
    return BpfProgram.fromFd(sys.progGetFdById(id));
  }

  /**
   * Opens a pinned program.
   *
   * @param path Its name in a BPF file system.
   * @throws {sys.SyscallError} if there is none.
   * @throws {TypeError} if something else is pinned there.
   */
  static openPinned(path: string): BpfProgram {
    return BpfProgram.fromFd(sys.objGet(path));
  }

  /**
   * What was loaded.
   *
   * @throws {UnsupportedError} of a program that was there before: the kernel does not tell how it was loaded.
   */
  get image(): ProgramImage {
    if (this.#image !== undefined) return this.#image;
    throw new UnsupportedError(
      "the image of a program that was opened",
      `program "${this.name}": it was opened, not loaded here, and the kernel does not tell how it was loaded ` +
        "(its attach type, its instructions before verification)",
    );
  }

  /** Its id. */
  get id(): number {
    return this.#id ??= this.info().id;
  }

  /** Its file descriptor, for calls that this class has no method for. */
  get fd(): number {
    return this.#fd.value;
  }

  /** What the kernel says of it. */
  info(): sys.ProgInfo {
    return sys.progInfo(this.fd);
  }

  /**
   * Runs it once, or `repeat` times, with the given data and context; nothing is attached.
   *
   * @param options Data, context and how: `{ data: packet, ctx: { mark: 5 }, repeat: 1000 }`.
   * @throws {sys.SyscallError} if the kernel refuses it: code `ENOTSUPP` or `EINVAL` if such programs cannot be run.
   */
  run(options: RunOptions = {}): RunResult {
    return runProgram(this.fd, this.type, this.#image?.insns, options);
  }

  /**
   * Gives it a name in a BPF file system, which keeps it alive.
   *
   * @throws {Error} saying what is wrong with `path`.
   */
  pin(path: string, options?: PinOptions): void {
    pin(this, path, options);
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

interface LoadedWithLog {
  readonly fd: sys.Fd;
  readonly log: string;
}

function loadWithLog(request: sys.ProgLoadOptions, image: ProgramImage): LoadedWithLog {
  try {
    return { fd: retried(request), log: "" };
  } catch (error) {
    if (!(error instanceof sys.SyscallError)) throw error;
    if (!mayHaveLog(error)) throw error.at(`program "${image.name}"`);
    return { fd: explain(request, image, 1, error).fd, log: "" };
  }
}

/** Errors that come from the verifier; the others are about permission, memory or the arguments. */
function mayHaveLog(error: sys.SyscallError): boolean {
  return error.code !== "EPERM" && error.code !== "ENOMEM" && error.code !== "EAGAIN" && error.code !== "EBADF";
}

/** Loads with a log, after a failure (`first`) or because one was asked for; should it load now, it is loaded. */
function explain(
  request: sys.ProgLoadOptions,
  image: ProgramImage,
  logLevel: number,
  first?: sys.SyscallError,
): LoadedWithLog {
  for (let size = FIRST_LOG_BYTES;;) {
    const log = new Uint8Array(size);
    try {
      return { fd: retried({ ...request, log, logLevel }), log: logText(log) };
    } catch (error) {
      if (!(error instanceof sys.SyscallError)) throw error;
      if (error.code === "ENOSPC" && size < LAST_LOG_BYTES) {
        size = Math.min(Math.max(size * 2, error.logTrueSize ?? 0), LAST_LOG_BYTES);
        continue;
      }
      const text = logText(log);
      if (text.trim() === "") throw unexplained(image, first ?? error);
      throw new sys.VerifierError(verifierMessage(image, text, error), {
        log: text,
        programName: image.name,
        cause: error,
      });
    }
  }
}

/** Where the verifier has written nothing it was not reached: EINVAL is about what the program is said to be. */
function unexplained(image: ProgramImage, error: sys.SyscallError): sys.SyscallError {
  const place = `program "${image.name}"`;
  if (error.code !== "EINVAL") return error.at(place);
  const type = enumName(BpfProgType, image.type) ?? `program type ${image.type}`;
  const hint = `this kernel does not take a program of this kind (${type}, its attach type and flags)`;
  return new sys.SyscallError(error.call, error.errno, { place, hint, cause: error });
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
