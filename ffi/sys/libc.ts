/**
 * The C library, opened when first used and never closed: importing this module opens nothing.
 *
 * `syscall` is bound more than once because a signature decides what a call costs: 32-bit integers and pointers stay on
 * Deno's fast path (5 ns), a JavaScript number for a 64-bit parameter leaves it (110 ns and more). Variadic functions
 * are called like others with integer arguments on x86_64 and aarch64.
 *
 * @module
 */
import { UnsupportedError } from "../../lib/errors.ts";

/** Parameter names are those of the C declarations, which the comments repeat where types say less. */
const SYMBOLS = {
  /** `int *__errno_location(void)`: glibc and musl both have it. */
  errnoLocation: {
    name: "__errno_location",
    parameters: [],
    result: "pointer",
  },
  /** `long syscall(SYS_bpf, int cmd, union bpf_attr *attr, unsigned int size)` */
  bpf: {
    name: "syscall",
    parameters: ["i32", "i32", "pointer", "u32"],
    result: "i32",
  },
  /** `long syscall(SYS_perf_event_open, struct perf_event_attr *attr, pid_t pid, int cpu, int group_fd, ulong flags)` */
  perfEventOpen: {
    name: "syscall",
    parameters: ["i32", "pointer", "i32", "i32", "i32", "u64"],
    result: "i32",
  },
  /** `long syscall(SYS_getdents64, unsigned int fd, struct linux_dirent64 *dirp, unsigned int count)` */
  getdents64: {
    name: "syscall",
    parameters: ["i32", "i32", "buffer", "u32"],
    result: "i32",
  },
  /** `long syscall(SYS_uprobe)` */
  uprobe: { name: "syscall", parameters: ["i32"], result: "i32" },
  /** `char *getenv(const char *name)` */
  getenv: { name: "getenv", parameters: ["buffer"], result: "pointer" },
  /** `void *mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset)` */
  mmap: {
    name: "mmap",
    parameters: ["pointer", "usize", "i32", "i32", "i32", "i64"],
    result: "pointer",
  },
  /** `int munmap(void *addr, size_t length)` */
  munmap: { name: "munmap", parameters: ["pointer", "usize"], result: "i32" },
  /** `int open(const char *pathname, int flags, mode_t mode)` */
  open: { name: "open", parameters: ["buffer", "i32", "u32"], result: "i32" },
  /** `int close(int fd)` */
  close: { name: "close", parameters: ["i32"], result: "i32" },
  /** `ssize_t read(int fd, void *buf, size_t count)`: never asked for 2 GiB, so the result fits 32 bits. */
  read: { name: "read", parameters: ["i32", "buffer", "usize"], result: "i32" },
  /** `ssize_t write(int fd, const void *buf, size_t count)` */
  write: {
    name: "write",
    parameters: ["i32", "buffer", "usize"],
    result: "i32",
  },
  /** `off_t lseek(int fd, off_t offset, int whence)` */
  lseek: { name: "lseek", parameters: ["i32", "i64", "i32"], result: "i64" },
  /** `int fcntl(int fd, int cmd, long arg)` */
  fcntl: { name: "fcntl", parameters: ["i32", "i32", "i64"], result: "i32" },
  /** `int ioctl(int fd, unsigned long request, unsigned long arg)` */
  ioctl: { name: "ioctl", parameters: ["i32", "u64", "u64"], result: "i32" },
  /** `int access(const char *pathname, int mode)` */
  access: { name: "access", parameters: ["buffer", "i32"], result: "i32" },
  /** `int mkdir(const char *pathname, mode_t mode)` */
  mkdir: { name: "mkdir", parameters: ["buffer", "u32"], result: "i32" },
  /** `int unlink(const char *pathname)` */
  unlink: { name: "unlink", parameters: ["buffer"], result: "i32" },
  /** `int rmdir(const char *pathname)` */
  rmdir: { name: "rmdir", parameters: ["buffer"], result: "i32" },
  /** `int rename(const char *oldpath, const char *newpath)` */
  rename: { name: "rename", parameters: ["buffer", "buffer"], result: "i32" },
  /** `int statfs(const char *path, struct statfs *buf)` */
  statfs: { name: "statfs", parameters: ["buffer", "buffer"], result: "i32" },
  /** `ssize_t readlink(const char *pathname, char *buf, size_t bufsiz)` */
  readlink: {
    name: "readlink",
    parameters: ["buffer", "buffer", "usize"],
    result: "i32",
  },
  /** `int poll(struct pollfd *fds, nfds_t nfds, int timeout)` */
  poll: { name: "poll", parameters: ["buffer", "u64", "i32"], result: "i32" },
  /** `int epoll_create1(int flags)` */
  epollCreate1: { name: "epoll_create1", parameters: ["i32"], result: "i32" },
  /** `int epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)` */
  epollCtl: {
    name: "epoll_ctl",
    parameters: ["i32", "i32", "i32", "buffer"],
    result: "i32",
  },
  /** `int epoll_wait(int epfd, struct epoll_event *events, int maxevents, int timeout)` */
  epollWait: {
    name: "epoll_wait",
    parameters: ["i32", "buffer", "i32", "i32"],
    result: "i32",
  },
  /** The same on another thread: only to wait, since that thread's errno is lost. */
  epollWaitAsync: {
    name: "epoll_wait",
    parameters: ["i32", "buffer", "i32", "i32"],
    result: "i32",
    nonblocking: true,
  },
  /** `int eventfd(unsigned int initval, int flags)` */
  eventfd: { name: "eventfd", parameters: ["u32", "i32"], result: "i32" },
  /** `pid_t getpid(void)` */
  getpid: { name: "getpid", parameters: [], result: "i32" },
  /** `uid_t getuid(void)` */
  getuid: { name: "getuid", parameters: [], result: "u32" },
  /** `uid_t geteuid(void)` */
  geteuid: { name: "geteuid", parameters: [], result: "u32" },
  /** `int uname(struct utsname *buf)` */
  uname: { name: "uname", parameters: ["buffer"], result: "i32" },
  /** `int getpagesize(void)` */
  getpagesize: { name: "getpagesize", parameters: [], result: "i32" },
  /** `int clock_gettime(clockid_t clockid, struct timespec *tp)` */
  clockGettime: {
    name: "clock_gettime",
    parameters: ["i32", "buffer"],
    result: "i32",
  },
  /** `int setrlimit(int resource, const struct rlimit *rlim)` */
  setrlimit: {
    name: "setrlimit",
    parameters: ["i32", "buffer"],
    result: "i32",
  },
  /** `int socket(int domain, int type, int protocol)` */
  socket: { name: "socket", parameters: ["i32", "i32", "i32"], result: "i32" },
  /** `int bind(int sockfd, const struct sockaddr *addr, socklen_t addrlen)` */
  bind: { name: "bind", parameters: ["i32", "buffer", "u32"], result: "i32" },
  /** `int setsockopt(int sockfd, int level, int optname, const void *optval, socklen_t optlen)` */
  setsockopt: {
    name: "setsockopt",
    parameters: ["i32", "i32", "i32", "buffer", "u32"],
    result: "i32",
  },
} as const;

/** The functions of {@linkcode SYMBOLS}. */
export type Libc = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

/** System call numbers that libc has no function for. */
interface SyscallNumbers {
  readonly bpf: number;
  readonly perfEventOpen: number;
  readonly getdents64: number;
  /** Only this architecture has it. */
  readonly uprobe?: number;
}

/** By `Deno.build.arch`. Source: asm/unistd_64.h (x86_64), asm-generic/unistd.h (aarch64). */
const SYSCALL_NUMBERS: Partial<Record<string, SyscallNumbers>> = {
  x86_64: { bpf: 321, perfEventOpen: 298, getdents64: 217, uprobe: 336 },
  aarch64: { bpf: 280, perfEventOpen: 241, getdents64: 61 },
};

/** The open library, what its calls need, and where this thread's errno is. */
export interface Native {
  /** The functions. */
  readonly libc: Libc;
  /** System call numbers of this machine. */
  readonly nr: SyscallNumbers;
  /** `errno` of this thread at index 0: to be read on the line after the call, before anything can allocate. */
  readonly errno: Int32Array;
}

let opened: Native | undefined;

/**
 * The C library of this process.
 *
 * @throws {UnsupportedError} without `--allow-ffi`, elsewhere than on Linux, and on a machine whose system call numbers
 * are not known.
 */
export function native(): Native {
  return opened ??= open();
}

/** Is FFI allowed on a system where {@linkcode native} works? Asks nobody and opens nothing. */
export function ffiAvailable(): boolean {
  return Deno.build.os === "linux" &&
    SYSCALL_NUMBERS[Deno.build.arch] !== undefined &&
    Deno.permissions.querySync({ name: "ffi" }).state === "granted";
}

function open(): Native {
  const { os, arch } = Deno.build;
  if (os !== "linux") {
    throw new UnsupportedError(
      "eBPF",
      `eBPF needs Linux; this is ${os}: only what needs no kernel works here`,
    );
  }
  const nr = SYSCALL_NUMBERS[arch];
  if (nr === undefined) {
    const known = Object.keys(SYSCALL_NUMBERS).join(" and ");
    throw new UnsupportedError(
      arch,
      `system call numbers of ${arch} are not known, only those of ${known}`,
    );
  }
  // dlopen would ask on a terminal, in the middle of whatever the program prints there.
  if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") {
    throw new UnsupportedError(
      "--allow-ffi",
      "eBPF needs --allow-ffi (all of it, no list of files): deno run --allow-ffi",
    );
  }
  const lazy = new LazyLibrary(arch);
  const { errnoLocation, bpf } = lazy.open(EAGER);
  const location = errnoLocation();
  if (location === null) {
    throw new UnsupportedError("errno", "libc gave no address of errno");
  }
  return {
    libc: lazy.symbols({ errnoLocation, bpf }),
    nr,
    errno: new Int32Array(Deno.UnsafePointerView.getArrayBuffer(location, 4)),
  };
}

/** What every program calls, and calls often: plain properties. */
const EAGER = { errnoLocation: SYMBOLS.errnoLocation, bpf: SYMBOLS.bpf };

/** Functions of one library that are opened one by one: each costs a third of a millisecond, and few programs call many. */
class LazyLibrary {
  readonly #names: string[];

  constructor(arch: string) {
    this.#names = ["libc.so.6", `libc.musl-${arch}.so.1`, `/lib/ld-musl-${arch}.so.1`];
  }

  /**
   * Functions by their names in {@linkcode SYMBOLS}; `opened` are there already.
   *
   * The others are getters, not stubs that replace themselves: a place that calls must see one function only, or V8 gives
   * up the fast path there.
   */
  symbols(opened: Pick<Libc, keyof typeof EAGER>): Libc {
    const symbols: PropertyDescriptorMap = {};
    for (const name of Object.keys(SYMBOLS)) {
      if (name in EAGER) continue;
      let found: unknown;
      symbols[name] = {
        get: () => found ??= (this.open({ [name]: SYMBOLS[name as keyof Libc] }) as Record<string, unknown>)[name],
      };
    }
    return Object.assign(Object.create(Object.create(null, symbols)), opened);
  }

  /** Opens functions of the first C library that there is. */
  open<S extends Deno.ForeignLibraryInterface>(symbols: S): Deno.DynamicLibrary<S>["symbols"] {
    let first: unknown;
    for (const name of this.#names) {
      try {
        return Deno.dlopen(name, symbols).symbols;
      } catch (error) {
        first ??= error;
      }
    }
    const why = first instanceof Error ? first.message : String(first);
    throw new UnsupportedError("libc", `no C library can be opened (tried ${this.#names.join(", ")}): ${why}`, {
      cause: first,
    });
  }
}
