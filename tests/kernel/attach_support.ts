/**
 * What tests of attaching to the kernel share: testdata/attach_kernel.bpf.c, and the system calls that its programs see.
 *
 * @module
 */
import { Collection, type LoadOptions } from "../../mod.ts";
import { objectSpec } from "./support.ts";

/** What a program of attach_kernel has written down. */
export interface Seen {
  readonly count: bigint;
  readonly values: readonly bigint[];
  readonly cookie: bigint;
}

/** Options of {@linkcode loadTracer}. */
export interface TracerOptions extends LoadOptions {
  /** Slots of programs that ask for their cookies. */
  readonly cookieSlots?: readonly number[];
  /** What programs answer that decide. */
  readonly answer?: number;
  /** Whom programs watch; this process by default. */
  readonly pid?: number;
}

/** `struct pt_regs`: offsets in bytes of four arguments and the result (x86: asm/ptrace.h; arm64: regs[]). */
const REGISTERS = Deno.build.arch === "aarch64" ? [0, 8, 16, 24, 0] : [112, 104, 96, 88, 80];
/** `__NR_getpgid` */
const GETPGID = Deno.build.arch === "aarch64" ? 155n : 121n;

/** Loads some of the programs of attach_kernel. */
export function loadTracer(compiler: string, programs: readonly string[], options: TracerOptions = {}): Collection {
  const { cookieSlots = [], answer = 0, pid = Deno.pid, ...rest } = options;
  const spec = objectSpec(compiler, "attach_kernel");
  for (const program of spec.programs.values()) program.autoload = programs.includes(program.name);
  const set = (name: string, value: number | bigint | number[]) => spec.variables.get(name)!.set(value);
  set("watched_tgid", pid);
  set("with_cookie", cookieSlots.reduce((bits, slot) => bits | 1 << slot, 0) >>> 0);
  set("answer", answer);
  set("register_at", REGISTERS);
  set("getpgid_number", GETPGID);
  return Collection.load(spec, rest);
}

/** What the program of a slot has written down. */
export function seen(collection: Collection, slot: number): Seen {
  return (collection.variable("seen").get() as unknown as Seen[])[slot]!;
}

const SYMBOLS = {
  fallocate: { parameters: ["i32", "i32", "i64", "i64"], result: "i32" },
  getpgid: { parameters: ["i32"], result: "i32" },
} as const;

/** What vfs_fallocate() is called with by {@linkcode callFallocate}: mode, offset, length; and what it answers: `EINVAL`. */
export const FALLOCATE = { mode: 1n, offset: 4096n, length: -7n, result: -22n } as const;
/** What getpgid(2) is called with by {@linkcode callGetpgid}, and what it answers: `ESRCH`. */
export const GETPGID_CALL = { pid: -77n, result: -3n } as const;

/** Calls fallocate(2) once, on this thread. */
export function callFallocate(): void {
  const path = Deno.makeTempFileSync();
  const libc = Deno.dlopen("libc.so.6", SYMBOLS);
  try {
    using file = Deno.openSync(path, { write: true });
    const fd = descriptorOf(path);
    libc.symbols.fallocate(fd, Number(FALLOCATE.mode), FALLOCATE.offset, FALLOCATE.length);
    file.syncSync();
  } finally {
    libc.close();
    Deno.removeSync(path);
  }
}

/** Calls getpgid(2) once, on this thread. */
export function callGetpgid(): void {
  const libc = Deno.dlopen("libc.so.6", SYMBOLS);
  libc.symbols.getpgid(Number(GETPGID_CALL.pid));
  libc.close();
}

/** The number of this process' file descriptor that is open on a file. */
function descriptorOf(path: string): number {
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    try {
      if (Deno.readLinkSync(`/proc/self/fd/${name}`) === path) return Number(name);
    } catch {
      // The descriptor that listed the folder is gone by now.
    }
  }
  throw new Error(`no file descriptor is open on ${path}`);
}
