/**
 * What a test needs beside Deno, said by the test itself: `Deno.test({ name, ...needs({ root: true }), fn })`.
 *
 * Where something is missing the test is skipped and the reason printed. With `DEBPF_CI=1` the machine is meant to have
 * everything but features that its kernel is built without: then a reason is a failing test of its own. In a virtual
 * machine with a chosen kernel (`DEBPF_VM=1`) a feature may be missing, but only on a kernel that is older than it.
 *
 * @module
 */
import { fail } from "@std/assert";
import { fromFileUrl, relative } from "@std/path";
import { type FeatureName, FEATURES, hasFeature, type KernelFeature, shouldHave } from "./features.ts";
import { clangPath, libbpfLinkPath, onPath, oraclePath, ROOT } from "./paths.ts";

/** What a test needs; what is left out it does not need. */
export interface Requirements {
  /** Linux, and `--allow-ffi`. */
  readonly ffi?: true;
  /** To be root. */
  readonly root?: true;
  /** A kernel that lets this process use bpf(2): root, FFI, and no container that forbids it. */
  readonly bpf?: true;
  /** The kernel's own BTF, /sys/kernel/btf/vmlinux. */
  readonly btf?: true;
  /** A tracefs at one of its two usual places. */
  readonly tracefs?: true;
  /** A BPF file system at /sys/fs/bpf. */
  readonly bpffs?: true;
  /** Features of the kernel that Linux 5.10 lacks; found by trying, so `bpf` goes without saying. */
  readonly features?: readonly FeatureName[];
  /** A clang of this version that can build BPF objects. */
  readonly clang?: "14" | "19";
  /** A program to compare with: Debian's bpftool, or one that scripts/build_peers.ts builds of tests/peer/libbpf_*.c. */
  readonly peer?: "bpftool" | "oracle" | "linker";
  /** Any other program on PATH. */
  readonly program?: string;
}

/** Part of a test's definition. */
export interface Needed {
  /** Whether it is skipped here, because something that it needs is missing. */
  ignore: boolean;
  /** Milliseconds after which it fails, so that one that hangs does not take the time of all others; 0: none. */
  timeout: number;
}

/** Seconds for a test in a virtual machine, whose CPU is emulated: many times what the slowest takes. */
const VM_SECONDS = 240;

/** Reasons that were given already, so that each is printed once for a file of tests. */
const TOLD = new Set<string>();

/** What a test's definition says of what it needs: `Deno.test({ name, ...needs({ root: true }), fn })`. */
export function needs(requirements: Requirements): Needed {
  const missing = reasons(requirements);
  const file = missing.length > 0 ? fileOfTests() : "";
  for (const reason of missing) {
    const line = `${file}: skipping tests that need ${reason}`;
    if (TOLD.has(line)) continue;
    TOLD.add(line);
    if (mustHave(reason)) Deno.test(`this machine has ${reason}`, () => fail("it has not"));
    else console.log(line);
  }
  return { ignore: missing.length > 0, timeout: inVm() ? VM_SECONDS * 1000 : 0 };
}

/** Whether this is a virtual machine that scripts/vm has booted, whose CPU is emulated. */
export function inVm(): boolean {
  return Deno.env.get("DEBPF_VM") === "1";
}

/** No virtual machine has them: what they make is judged outside. */
const COMPILERS: readonly string[] = ["clang-14", "clang-19", "gcc", "objcopy"];

/** Whether a missing thing is a mistake here. */
function mustHave(reason: string): boolean {
  if (Deno.env.get("DEBPF_CI") !== "1") return false;
  const feature = (Object.keys(FEATURES) as FeatureName[]).find((name) => featureReason(name) === reason);
  if (inVm() && COMPILERS.includes(reason)) return false;
  // What this machine's kernel is built without has to pass in a virtual machine: .ci/run looks.
  return feature === undefined || (inVm() && shouldHave(feature));
}

function featureReason(name: FeatureName): string {
  const { words, since, config }: KernelFeature = FEATURES[name];
  return `${words} (Linux ${since}${config === undefined ? "" : `, ${config}`})`;
}

/** The file of tests that calls. It need not be the main module: in a virtual machine one module imports all. */
function fileOfTests(): string {
  const files = (new Error().stack ?? "").match(/file:\/\/[^\s():]*_test\.ts/g);
  return relative(ROOT, fromFileUrl(files?.at(-1) ?? Deno.mainModule));
}

/** What of `requirements` is missing here, in words; empty where nothing is. */
export function reasons(requirements: Requirements): string[] {
  const { clang, features = [], peer, program } = requirements;
  const missing: string[] = [];
  const want = (needed: unknown, has: () => boolean, reason: string) => {
    if (needed && !has()) missing.push(reason);
  };
  const bpf = requirements.bpf || features.length > 0;
  want(requirements.ffi || bpf, hasFfi, "Linux and --allow-ffi");
  want(requirements.root || bpf, isRoot, "root");
  if (missing.length === 0) want(bpf, mayUseBpf, "a kernel that allows bpf(2)");
  if (missing.length === 0) { for (const name of features) want(true, () => hasFeature(name), featureReason(name)); }
  want(requirements.btf, () => isReadable("/sys/kernel/btf/vmlinux"), "/sys/kernel/btf/vmlinux");
  want(requirements.tracefs, hasTracefs, "tracefs: mount -t tracefs tracefs /sys/kernel/tracing");
  want(requirements.bpffs, hasBpffs, "a BPF file system: mount -t bpf bpf /sys/fs/bpf");
  want(clang, () => clangPath(clang ?? "19") !== undefined, `clang-${clang}`);
  want(peer === "bpftool", () => onPath("bpftool") !== undefined, "bpftool");
  want(peer === "oracle", () => isReadable(oraclePath()), "the libbpf oracle: deno task peer builds it");
  want(
    peer === "linker",
    () => isReadable(libbpfLinkPath()) && isReadable(oraclePath()),
    "libbpf's linker and oracle: deno task peer builds them",
  );
  want(program, () => onPath(program ?? "") !== undefined, `${program}`);
  return missing;
}

function hasFfi(): boolean {
  return Deno.build.os === "linux" && Deno.permissions.querySync({ name: "ffi" }).state === "granted";
}

function isRoot(): boolean {
  return Deno.uid() === 0;
}

function isReadable(path: string): boolean {
  try {
    Deno.openSync(path).close();
    return true;
  } catch {
    return false;
  }
}

function hasTracefs(): boolean {
  return isReadable("/sys/kernel/tracing/events/sched") || isReadable("/sys/kernel/debug/tracing/events/sched");
}

function hasBpffs(): boolean {
  return / \/sys\/fs\/bpf bpf /.test(Deno.readTextFileSync("/proc/mounts"));
}

/** Number of bpf(2) by architecture. */
const SYS_BPF: Partial<Record<typeof Deno.build.arch, number>> = { x86_64: 321, aarch64: 280 };
const BPF_PROG_GET_NEXT_ID = 11;
const EPERM = 1;

/** Asks for the first program's id: refused to those who may not use bpf(2), and harmless. */
function mayUseBpf(): boolean {
  const number = SYS_BPF[Deno.build.arch];
  if (number === undefined) return false;
  const libc = Deno.dlopen("libc.so.6", {
    syscall: { parameters: ["i32", "i32", "buffer", "u32"], result: "i32" },
    __errno_location: { parameters: [], result: "pointer" },
  });
  try {
    const location = libc.symbols.__errno_location();
    const attr = new Uint8Array(16);
    if (libc.symbols.syscall(number, BPF_PROG_GET_NEXT_ID, attr, attr.length) === 0) return true;
    return location !== null && new Deno.UnsafePointerView(location).getInt32() !== EPERM;
  } finally {
    libc.close();
  }
}
