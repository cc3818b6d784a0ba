/**
 * What the running kernel can do with probes in user programs: asked once, by trying.
 *
 * @module
 */
import { BpfAttachType, BpfFuncId, BpfMapFlag, BpfProgType } from "../../lib/uapi/mod.ts";
import * as sys from "../sys/mod.ts";

/** `r0 = 0; exit` */
const RETURN_0 = [0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0];
/** `-1`: no process has it. */
const NO_PID = 0xffff_ffff;

let uprobeMultiLink: boolean | undefined;
let attachCookie: boolean | undefined;
let uprobeSyscall: boolean | undefined;

/**
 * Has it links of many uprobes (6.6) that take a process, not a thread, to watch (6.10, and stable kernels before)? USDT
 * programs are loaded for them then.
 *
 * @param token File descriptor of a BPF token, which stands for the caller's rights.
 */
export function hasUprobeMultiLink(token?: number): boolean {
  return uprobeMultiLink ??= probeUprobeMultiLink(token);
}

function probeUprobeMultiLink(token: number | undefined): boolean {
  const attachType = BpfAttachType.BPF_TRACE_UPROBE_MULTI;
  let program: sys.Fd;
  try {
    program = load({
      progType: BpfProgType.BPF_PROG_TYPE_KPROBE,
      expectedAttachType: attachType,
      progFlags: token === undefined ? 0 : BpfMapFlag.BPF_F_TOKEN_FD,
      progTokenFd: token,
    });
  } catch (error) {
    return refused(error);
  }
  using loaded = program;
  const attempt = (pid: number): string => {
    try {
      // A directory is nothing to put a uprobe in.
      const uprobeMulti = { path: "/", offsets: new BigUint64Array(1), pid };
      sys.linkCreate({ progFd: loaded.value, attachType, uprobeMulti }).close();
      return "";
    } catch (error) {
      if (error instanceof sys.SyscallError) return error.code;
      throw error;
    }
  };
  // A kernel that takes processes looks at their number first.
  return attempt(0) === "EBADF" && attempt(NO_PID) === "EINVAL";
}

/** Has it the helper `bpf_get_attach_cookie()` (5.15), and so cookies of attachments? */
export function hasAttachCookie(): boolean {
  return attachCookie ??= probeAttachCookie();
}

function probeAttachCookie(): boolean {
  const id = BpfFuncId.BPF_FUNC_get_attach_cookie;
  const insns = Uint8Array.from([0x85, 0, 0, 0, id & 0xff, id >> 8, 0, 0, ...RETURN_0.slice(8)]);
  try {
    load({ progType: BpfProgType.BPF_PROG_TYPE_TRACEPOINT, insns }).close();
    return true;
  } catch (error) {
    // Whoever has a program, but may load none, has loaded it by a BPF token: those came later.
    if (error instanceof sys.SyscallError && error.code === "EPERM") return true;
    return refused(error);
  }
}

/** Are probes on a `nop` of five bytes fast in it: it has the system call uprobe (6.18, x86_64)? */
export function hasUprobeSyscall(): boolean {
  // Called from elsewhere than the kernel's own trampoline it fails like this, and does nothing.
  return uprobeSyscall ??= sys.calls.uprobe() === -sys.Errno.ENXIO;
}

type Program = Partial<sys.ProgLoadOptions> & Pick<sys.ProgLoadOptions, "progType">;

function load(program: Program): sys.Fd {
  return sys.progLoad({ insns: Uint8Array.from(RETURN_0), license: "GPL", ...program });
}

/** False for what the kernel does not know; what this process may not do at all says nothing about the kernel. */
function refused(error: unknown): false {
  if (error instanceof sys.SyscallError && error.code !== "EPERM" && error.code !== "ENOMEM") return false;
  throw error;
}
