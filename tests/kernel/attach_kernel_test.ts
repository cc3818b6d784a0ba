/**
 * Each way of attaching to the kernel's functions, tracepoints and hooks: what the program saw of a system call that this test
 * made, that its cookie arrived, and that it sees nothing once its link is closed.
 */
import { assertEquals } from "@std/assert";
import {
  attachKprobe,
  attachKprobeMulti,
  attachKsyscall,
  attachRawTracepoint,
  attachTracepoint,
  attachTracing,
  type BpfProgram,
  type Collection,
  findKernelSymbols,
  type Link,
} from "../../mod.ts";
import type { FeatureName } from "../support/features.ts";
import { needs, shows } from "../support/mod.ts";
import { callFallocate, callGetpgid, FALLOCATE, GETPGID_CALL, loadTracer, seen } from "./attach_support.ts";
import { COMPILERS } from "./support.ts";

const COOKIE = 0x1122334455667788n;
const { mode, offset, length } = FALLOCATE;
const ARGUMENTS = [mode, offset, length];
const RETURNED = [FALLOCATE.result];

/** A way of attaching, and what the program sees of one call. */
interface Way {
  /** Row of docs/attach.md. */
  readonly how: string;
  readonly program: string;
  readonly slot: number;
  readonly features: readonly FeatureName[];
  /** Makes the call. */
  readonly call: (collection: Collection) => unknown;
  /** The first of the values that it sees. */
  readonly values: readonly bigint[];
  /** How often it runs for a call; 1 by default. */
  readonly runs?: bigint;
  /** Attaches by hand; by section name without. */
  readonly attach?: (program: BpfProgram, cookie: bigint | undefined) => Link;
  /** Needed for a cookie; no cookie without. */
  readonly cookies?: FeatureName;
  readonly attachTo?: string;
}

const kprobes = { features: ["kprobes"], cookies: "perfCookies", call: callFallocate } as const;
const many = { features: ["kprobeMulti"], cookies: "kprobeMulti", call: callFallocate } as const;
const calls = { features: ["kprobes"], cookies: "perfCookies", call: callGetpgid } as const;
const traced = { features: ["fentry"], cookies: "tracingCookies", call: callFallocate } as const;
const kprobe = { ...kprobes, program: "on_kprobe", slot: 0, values: ARGUMENTS };
const kretprobe = { ...kprobes, program: "on_kretprobe", slot: 1, values: RETURNED };
const multi = { ...many, program: "on_kprobe_multi", slot: 4, values: ARGUMENTS };

const WAYS: readonly Way[] = [
  { ...many, how: "kretprobe.multi/GLOB", program: "on_kretprobe_multi", slot: 5, values: RETURNED },
  {
    ...many,
    how: "kprobe.session/GLOB",
    program: "on_kprobe_session",
    slot: 6,
    features: ["kprobeSession"],
    values: RETURNED,
    runs: 2n,
  },
  { ...traced, how: "fentry/FUNCTION", program: "on_fentry", slot: 7, values: ARGUMENTS },
  { ...traced, how: "fexit/FUNCTION", program: "on_fexit", slot: 8, values: [...ARGUMENTS, FALLOCATE.result] },
  {
    ...traced,
    how: "fentry.s/FUNCTION",
    program: "on_sleepable",
    slot: 20,
    features: ["sleepableFentry"],
    call: (collection) => collection.program("on_sleepable").run(),
    values: [1n],
  },
  {
    ...traced,
    how: "lsm.s/HOOK",
    program: "on_sleepable_lsm",
    slot: 21,
    features: ["bpfLsm"],
    call: () => Deno.removeSync(Deno.makeTempDirSync()),
    values: [],
  },
  {
    ...traced,
    how: "fsession/FUNCTION",
    program: "on_fsession",
    slot: 19,
    features: ["fsession"],
    values: ARGUMENTS,
    runs: 2n,
  },
  { ...kprobe, how: "kprobe/FUNCTION" },
  {
    ...kprobe,
    how: "attachKprobe() by address",
    attach: (program, cookie) => attachKprobe(program, { address: addressOf("vfs_fallocate"), cookie }),
  },
  {
    ...kprobe,
    how: "attachKprobe() at an offset",
    attach: (program, cookie) => attachBehindStart(program, cookie),
  },
  {
    ...kprobe,
    how: "attachKprobe() through tracefs",
    features: ["kprobeEvents"],
    attach: (program, cookie) => attachKprobe(program, { function: "vfs_fallocate", mode: "tracefs", cookie }),
  },
  {
    ...kprobe,
    how: "attachKprobe() of a list",
    attach: (program, cookie) => attachKprobe(program, { function: ["no_such_function", "vfs_fallocate"], cookie }),
  },
  { ...kretprobe, how: "kretprobe/FUNCTION" },
  {
    ...kretprobe,
    how: "attachKprobe() of returns, with maxActive",
    features: ["kprobeEvents"],
    attach: (program, cookie) =>
      attachKprobe(program, { function: "vfs_fallocate", retprobe: true, maxActive: 16, cookie }),
  },
  { ...calls, how: "ksyscall/CALL", program: "on_ksyscall", slot: 2, values: [GETPGID_CALL.pid] },
  { ...calls, how: "kretsyscall/CALL", program: "on_kretsyscall", slot: 3, values: [GETPGID_CALL.result] },
  {
    ...calls,
    how: "attachKsyscall() of a list",
    program: "on_ksyscall",
    slot: 2,
    values: [GETPGID_CALL.pid],
    attach: (program, cookie) => attachKsyscall(program, { syscall: ["no_such_call", "getpgid"], cookie }),
  },
  { ...multi, how: "kprobe.multi/GLOB" },
  { ...multi, how: "kprobe.multi/FUNCTION", attachTo: "vfs_fallocate" },
  {
    ...multi,
    how: "attachKprobeMulti() of a list of functions",
    attach: (program, cookie) =>
      attachKprobeMulti(program, {
        functions: ["vfs_truncate", "vfs_fallocate"],
        ...(cookie === undefined ? {} : { cookies: [1n, cookie] }),
      }),
  },
  {
    ...multi,
    how: "attachKprobeMulti() of a list of addresses",
    attach: (program, cookie) =>
      attachKprobeMulti(program, {
        addresses: [addressOf("vfs_fallocate"), addressOf("vfs_truncate")],
        ...(cookie === undefined ? {} : { cookies: [cookie, 1n] }),
      }),
  },
  {
    ...multi,
    how: "attachKprobeMulti() of a glob, with a cookie for each function",
    attach: (program, cookie) =>
      attachKprobeMulti(program, {
        pattern: "vfs_fa*",
        cookieOf: (name) => name === "vfs_fallocate" ? cookie ?? 0n : 2n,
      }),
  },
  {
    how: "fentry.multi/GLOB",
    program: "on_fentry_multi",
    slot: 24,
    features: ["tracingMulti"],
    cookies: "tracingMulti",
    call: callFallocate,
    values: [],
  },
  {
    how: "tp/CATEGORY/NAME",
    program: "on_tp",
    slot: 12,
    features: ["syscallTracepoints"],
    cookies: "perfCookies",
    call: callGetpgid,
    values: [GETPGID_CALL.pid],
  },
  {
    how: "attachTracepoint()",
    program: "on_tp",
    slot: 12,
    features: ["syscallTracepoints"],
    cookies: "perfCookies",
    call: callGetpgid,
    values: [GETPGID_CALL.pid],
    attach: (program, cookie) => attachTracepoint(program, "syscalls/sys_enter_getpgid", { cookie }),
  },
  {
    how: "raw_tp/NAME",
    program: "on_raw_tp",
    slot: 13,
    features: [],
    cookies: "rawTracepointCookies",
    call: callGetpgid,
    values: [GETPGID_CALL.pid],
  },
  {
    how: "attachRawTracepoint()",
    program: "on_raw_tp",
    slot: 13,
    features: [],
    cookies: "rawTracepointCookies",
    call: callGetpgid,
    values: [GETPGID_CALL.pid],
    attach: (program, cookie) => attachRawTracepoint(program, "sys_enter", { cookie }),
  },
  {
    how: "tp_btf/NAME",
    program: "on_tp_btf",
    slot: 14,
    features: [],
    cookies: "rawTracepointCookies",
    call: callGetpgid,
    values: [GETPGID_CALL.pid],
  },
  {
    how: "attachTracing()",
    program: "on_tp_btf",
    slot: 14,
    features: [],
    cookies: "rawTracepointCookies",
    call: callGetpgid,
    values: [GETPGID_CALL.pid],
    attach: (program, cookie) => attachTracing(program, "sys_enter", { cookie }),
  },
];

for (const compiler of COMPILERS) {
  for (const way of WAYS) {
    // What differs between compilers is how section names are written into objects.
    if (way.attach !== undefined && compiler !== "clang19") continue;
    Deno.test({
      ...shows(way.how, `the program sees a call, until its link is closed (${compiler})`),
      ...needs({ bpf: true, btf: true, tracefs: true, features: way.features }),
      fn: () => showWay(compiler, way, undefined),
    });
    const { cookies } = way;
    if (cookies === undefined || compiler !== "clang19") continue;
    Deno.test({
      ...shows(`${way.how}, cookie`, "the program gets what was given"),
      ...needs({ bpf: true, btf: true, tracefs: true, features: [...way.features, cookies] }),
      fn: () => showWay(compiler, way, COOKIE),
    });
  }
}

function showWay(compiler: string, way: Way, cookie: bigint | undefined): void {
  const { program, slot, attachTo } = way;
  using collection = loadTracer(compiler, [program], {
    cookieSlots: cookie === undefined ? [] : [slot],
    ...(attachTo === undefined ? {} : { attachTo: { [program]: attachTo } }),
  });
  // What happens before it is attached is not seen.
  way.call(collection);
  {
    using _ = attach(collection, way, cookie);
    way.call(collection);
  }
  way.call(collection);
  const { count, values, cookie: got } = seen(collection, slot);
  assertEquals(count, way.runs ?? 1n);
  assertEquals(values.slice(0, way.values.length).map((value) => signed(value, way)), way.values);
  assertEquals(got, cookie ?? 0n);
}

/** Results and process ids are of 32 bits; so is the mode. */
function signed(value: bigint, way: Way): bigint {
  const small = way.values.length === 1 || value >> 32n === 0n;
  return BigInt.asIntN(small ? 32 : 64, value);
}

function attach(collection: Collection, way: Way, cookie: bigint | undefined): Link {
  if (way.attach !== undefined) return way.attach(collection.program(way.program), cookie);
  const options = cookie === undefined ? {} : { cookies: { [way.program]: cookie } };
  const links = collection.attach({ only: ({ name }) => name === way.program, ...options });
  assertEquals(links.length, 1);
  return links[0]!;
}

function addressOf(name: string): bigint {
  return findKernelSymbols([name]).get(name)![0]!.address;
}

/** Where the second instruction begins depends on how the kernel was built: behind an ENDBR, a call of ftrace, or both. */
function attachBehindStart(program: BpfProgram, cookie: bigint | undefined): Link {
  for (const offset of [5, 9, 4, 8, 12]) {
    try {
      return attachKprobe(program, { function: `vfs_fallocate+0x${offset.toString(16)}`, cookie });
    } catch (error) {
      if (!(error instanceof Error) || !/no instruction begins|EINVAL|EOPNOTSUPP/.test(error.message)) throw error;
    }
  }
  throw new Error("no offset was taken");
}
