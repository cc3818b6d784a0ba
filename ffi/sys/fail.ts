/**
 * From an error number to a {@linkcode SyscallError} that says what to do.
 *
 * @module
 */
import { BpfCmd, enumName } from "../../lib/uapi/mod.ts";
import { Errno } from "./errno.ts";
import { SyscallError } from "./errors.ts";
import { perfPermissionHint, permissionHint } from "./permission.ts";

/** Hints that are the same for every call. */
const GENERAL: Partial<Record<number, string>> = {
  [Errno.EMFILE]: "raise the limit of open files (ulimit -n)",
  [Errno.ENFILE]: "raise the limit of open files of the system (sysctl fs.file-max)",
};

/** Hints for bpf(2), whatever the command. */
const BPF: Partial<Record<number, string>> = {
  [Errno.ENOSYS]: "this kernel was built without CONFIG_BPF_SYSCALL",
  [Errno.E2BIG]: "this kernel does not know one of the fields that were set, or something is too large for it",
  [Errno.ENOMEM]: "the kernel has not enough memory for it; before Linux 5.11 RLIMIT_MEMLOCK limits maps and programs",
  [Errno.EINVAL]: "this kernel does not know the command, the type or a flag, or values do not fit each other",
  [Errno.ENOTSUPP]: "this kernel can do it neither for this type nor with these flags",
  [Errno.EOPNOTSUPP]: "this kernel can do it neither for this type nor with these flags",
  [Errno.EFAULT]: "memory that was handed over cannot be read or written",
};

/** Hints for one command of bpf(2). */
const COMMAND: Partial<Record<BpfCmd, Partial<Record<number, string>>>> = {
  [BpfCmd.BPF_MAP_CREATE]: {
    [Errno.EINVAL]:
      "this kernel does not know the map type or a flag, or sizes, number of entries and BTF do not fit the type",
    [Errno.E2BIG]:
      "keys, values or the number of entries are too large, or this kernel does not know a field that was set",
  },
  [BpfCmd.BPF_MAP_UPDATE_ELEM]: {
    [Errno.E2BIG]: "the map is full, or the index is beyond its last element",
    [Errno.EEXIST]: "the key is there already, and BPF_NOEXIST was asked for",
    [Errno.ENOENT]: "the key is not there, and BPF_EXIST was asked for",
    [Errno.EPERM]: "the map is frozen or was opened read-only",
    [Errno.EBUSY]: "the element is being used, or a struct_ops map is in use",
  },
  [BpfCmd.BPF_MAP_DELETE_ELEM]: { [Errno.EINVAL]: "elements of arrays cannot be deleted" },
  [BpfCmd.BPF_MAP_FREEZE]: {
    [Errno.EBUSY]: "the map is mapped writable, or the map is frozen already",
    [Errno.EPERM]: "the map is frozen already or was opened read-only",
  },
  [BpfCmd.BPF_PROG_LOAD]: {
    [Errno.EACCES]: "the verifier refuses the program (this is not about the caller's rights): load it with a log",
    [Errno.EINVAL]:
      "the verifier refuses the program, or this kernel does not know its type, attach type or a flag: load it with a log",
    [Errno.E2BIG]: "the program is too large or too complex, or this kernel does not know a field that was set",
    [Errno.ENOSPC]: "the log does not fit its buffer",
    [Errno.EAGAIN]: "a signal interrupted the verifier: try again",
  },
  [BpfCmd.BPF_BTF_LOAD]: {
    [Errno.EINVAL]: "the kernel refuses the BTF, perhaps for a kind that it does not know: load it with a log",
    [Errno.ENOSPC]: "the log does not fit its buffer",
  },
  [BpfCmd.BPF_RAW_TRACEPOINT_OPEN]: { [Errno.ENOENT]: "this kernel has no such tracepoint" },
  [BpfCmd.BPF_LINK_CREATE]: {
    [Errno.EBUSY]: "something that does not share is attached there already",
    [Errno.EINVAL]: "this kernel has no links of this kind, or program, attach type and target do not fit each other",
  },
  [BpfCmd.BPF_OBJ_PIN]: {
    [Errno.EINVAL]: "objects can only be pinned in a BPF file system: mount -t bpf bpf /sys/fs/bpf",
    [Errno.EPERM]:
      "objects can only be pinned in a BPF file system (mount -t bpf bpf /sys/fs/bpf), by someone who may write there",
    [Errno.EEXIST]: "something is pinned there already",
    [Errno.ENOENT]: "the directory does not exist",
  },
  [BpfCmd.BPF_OBJ_GET]: {
    [Errno.ENOENT]: "nothing is pinned there",
    [Errno.EACCES]: "what lies there was not pinned with BPF, or the permissions of its file forbid it",
  },
  [BpfCmd.BPF_PROG_TEST_RUN]: {
    [Errno.ENOTSUPP]: "programs of this type cannot be run this way on this kernel",
    [Errno.EINVAL]: "data, context or flags do not fit the program's type",
    [Errno.ENOSPC]: "the output does not fit its buffer",
  },
};

/** A failed bpf(2): `result` is the negative error number, `about` says what it was about (a path, a name). */
export function bpfError(cmd: BpfCmd, result: number, about?: string, logTrueSize?: number): SyscallError {
  const errno = -result;
  const name = enumName(BpfCmd, cmd) ?? String(cmd);
  const special = COMMAND[cmd]?.[errno];
  const hint = special ?? (errno === Errno.EPERM ? permissionHint() : BPF[errno] ?? GENERAL[errno]);
  return new SyscallError(`bpf(${name}${about === undefined ? "" : `, ${about}`})`, errno, { hint, logTrueSize });
}

/** A failed perf_event_open(2). */
export function perfError(result: number): SyscallError {
  const errno = -result;
  const forbidden = errno === Errno.EPERM || errno === Errno.EACCES;
  const hint = forbidden ? perfPermissionHint() : PERF[errno] ?? GENERAL[errno];
  return new SyscallError("perf_event_open()", errno, { hint });
}

const PERF: Partial<Record<number, string>> = {
  [Errno.ENOENT]: "this machine has no such event (virtual machines often have no hardware counters)",
  [Errno.ENODEV]: "this machine has no such event, or the CPU is offline",
  [Errno.EOPNOTSUPP]: "this machine has no such event (virtual machines often have no hardware counters)",
  [Errno.EINVAL]: "this kernel does not know a field or flag that was set, or the CPU does not exist",
  [Errno.E2BIG]: "this kernel does not know a field that was set",
};

/** Any other failed call: `result` is the negative error number. */
export function callError(call: string, result: number, hint?: string): SyscallError {
  return new SyscallError(call, -result, { hint: hint ?? GENERAL[-result] });
}

/** `result`, unless it is a negative error number. */
export function check(call: string, result: number): number {
  if (result < 0) throw callError(call, result);
  return result;
}
