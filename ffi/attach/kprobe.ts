/**
 * Probes at kernel functions (`SEC("kprobe/FUNCTION")`, `SEC("kretprobe/FUNCTION")`): by the kernel's kprobe PMU (4.17), where
 * that is missing by an event of tracefs.
 *
 * Source: kernel/events/core.c (`perf_kprobe`), kernel/trace/trace_kprobe.c; tracefs' side is in `tracefs_event.ts`.
 *
 * @module
 */
import type { AttachKind } from "../../lib/spec/mod.ts";
import { PerfType } from "../../lib/uapi/mod.ts";
import type { BpfProgram } from "../program/mod.ts";
import * as sys from "../sys/mod.ts";
import { explainFunction } from "./explain_function.ts";
import { type FunctionName, functionText, parseFunctionName } from "./function_name.ts";
import { findFunctions } from "./kernel_functions.ts";
import { Link } from "./link.ts";
import { linkPerfEvent } from "./perf_link.ts";
import { TracefsEvent } from "./tracefs_event.ts";

const PMU = "/sys/bus/event_source/devices/kprobe";

/** Where and how {@linkcode attachKprobe} attaches: `function` or `address` is given. */
export interface AttachKprobeOptions {
  /** The function: `do_unlinkat`, `nf_tables:nft_do_chain`, `do_unlinkat+0x10`; of a list the first that the kernel has. */
  readonly function?: string | readonly string[] | undefined;
  /** Its address, where the kernel has several functions of one name. */
  readonly address?: bigint | undefined;
  /** Bytes from where the function begins, to the first byte of an instruction; not with `retprobe`. */
  readonly offset?: number | undefined;
  /** When the function returns, not when it is called. */
  readonly retprobe?: boolean | undefined;
  /** How many calls may be under way that `retprobe` waits for; calls beyond are missed. Needs tracefs. */
  readonly maxActive?: number | undefined;
  /** What `bpf_get_attach_cookie()` gives the program (5.15). */
  readonly cookie?: bigint | undefined;
  /** By which means of the kernel; by default the PMU, if there is one. */
  readonly mode?: "perf" | "tracefs" | undefined;
  /** What the link says it is; by default `kprobe` or `kretprobe`. */
  readonly kind?: AttachKind | undefined;
}

/** A place in the kernel's code, as it is handed to the kernel. */
interface Probe {
  /** Its function; `undefined` if it is given by address. */
  readonly function: FunctionName | undefined;
  /** Its address, if it has to be given by that. */
  readonly address: bigint | undefined;
  readonly retprobe: boolean;
}

/**
 * Attaches a program of type kprobe to a kernel function: `attachKprobe(program, { function: "do_unlinkat" })`.
 *
 * @param program The loaded program.
 * @param options Where and how.
 * @throws {KernelFunctionError} if the kernel has no such function, has several, or does not let it be probed.
 * @throws {UnsupportedError} if this kernel has no kprobes, or no cookies for them.
 * @throws {SyscallError} if the kernel refuses it otherwise.
 */
export function attachKprobe(program: BpfProgram, options: AttachKprobeOptions): Link {
  const { retprobe = false, cookie, maxActive = 0 } = options;
  const place = `program "${program.name}"`;
  if (maxActive > 0 && !retprobe) throw new TypeError(`${place}: maxActive is for return probes`);
  if (maxActive > 0 && options.mode === "perf") {
    throw new TypeError(`${place}: maxActive needs tracefs (mode "tracefs")`);
  }
  const probe = resolve(place, options);
  const byTracefs = options.mode === "tracefs" || maxActive > 0 || (options.mode === undefined && !sys.exists(PMU));
  using cleanup = new DisposableStack();
  const opened = byTracefs ? openTracefs(place, probe, maxActive, cleanup) : openPmu(place, probe, cleanup);
  const link = linkPerfEvent(program, opened.event, cookie);
  cleanup.move();
  const links = link === undefined ? [] : [link];
  return new Link({
    kind: options.kind ?? (retprobe ? "kretprobe" : "kprobe"),
    target: probeText(probe),
    program: program.name,
    fds: [opened.event, ...links],
    links,
    after: () => opened.traced?.remove(),
  });
}

function probeText({ function: name, address }: Probe): string {
  return name === undefined ? `0x${(address ?? 0n).toString(16)}` : functionText(name);
}

function resolve(place: string, options: AttachKprobeOptions): Probe {
  const { offset = 0, retprobe = false } = options;
  if (options.address !== undefined) {
    if (options.function !== undefined) throw new TypeError(`${place}: give a function or an address, not both`);
    return { function: undefined, address: options.address + BigInt(offset), retprobe };
  }
  if (options.function === undefined) throw new TypeError(`${place}: give the function to probe`);
  const named = firstFunction(place, options.function);
  const wanted = { ...named, offset: named.offset + offset };
  if (retprobe && wanted.offset !== 0) {
    throw new TypeError(`${place}: a return probe is on a whole function: leave the offset out`);
  }
  // Kernels before 6.7 take the first of several functions of a name; the PMU of later ones knows no MODULE:FUNCTION.
  const found = findFunctions([wanted.name]).get(wanted.name) ?? [];
  const own = found.filter(({ module }) => wanted.module === undefined || module === wanted.module);
  const [only, second] = own;
  if (only === undefined || second !== undefined) throw explainFunction(place, wanted, "kprobe")!;
  const byName = found.length === 1 && only.module === undefined;
  const address = byName || only.address === 0n ? undefined : only.address + BigInt(wanted.offset);
  return { function: wanted, address, retprobe };
}

/**
 * The first of several functions that the kernel or a module has.
 *
 * @param place What a message begins with.
 * @param names One name, or several in the order of preference.
 * @throws {KernelFunctionError} if there is none, about the first.
 */
export function firstFunction(place: string, names: string | readonly string[]): FunctionName {
  const wanted = (typeof names === "string" ? [names] : names).map((name) => parseFunctionName(name, place));
  const [first] = wanted;
  if (first === undefined) throw new TypeError(`${place}: give the function to attach to`);
  if (wanted.length === 1) return first;
  const all = findFunctions(wanted.map(({ name }) => name));
  const has = ({ name, module }: FunctionName) =>
    all.get(name)!.some((symbol) => module === undefined || symbol.module === module);
  const found = wanted.find(has);
  if (found !== undefined) return found;
  throw explainFunction(`${place}: the kernel has none of ${wanted.map(functionText).join(", ")}`, first, "kprobe")!;
}

interface Opened {
  readonly event: sys.Fd;
  readonly traced?: TracefsEvent;
}

/** `struct perf_event_attr`: `config` says whether it is a return probe, in the bit that the PMU names. */
function openPmu(place: string, probe: Probe, cleanup: DisposableStack): Opened {
  const type = pmuNumber(place, "type");
  const config = probe.retprobe ? 1 << pmuNumber(place, "format/retprobe") : 0;
  const { function: named, address } = probe;
  const where = address !== undefined
    ? { kprobeAddr: address }
    : { kprobeFunc: named === undefined ? "" : named.name, probeOffset: named?.offset ?? 0 };
  try {
    return { event: cleanup.use(sys.perfEventOpen({ type, config, ...where }, { pid: -1, cpu: 0 })) };
  } catch (error) {
    throw refusal(place, probe, error);
  }
}

/** The number in a file of the PMU: `6`, `config:0`. */
function pmuNumber(place: string, file: string): number {
  try {
    return Number(sys.readTextFile(`${PMU}/${file}`).trim().replace(/^config:/, ""));
  } catch (error) {
    throw error instanceof sys.SyscallError ? error.at(`${place}: this kernel has no kprobe PMU`) : error;
  }
}

function openTracefs(place: string, probe: Probe, maxActive: number, cleanup: DisposableStack): Opened {
  const type = `${probe.retprobe ? "r" : "p"}${maxActive > 0 ? maxActive : ""}`;
  // tracefs knows MODULE:FUNCTION, and finds it again when the module is loaded anew.
  const target = probe.function === undefined
    ? `0x${(probe.address ?? 0n).toString(16)}`
    : functionText(probe.function);
  let traced: TracefsEvent;
  try {
    traced = TracefsEvent.add("kprobe", type, target);
  } catch (error) {
    throw refusal(place, probe, error);
  }
  cleanup.defer(() => traced.remove());
  const config = traced.id;
  const event = sys.perfEventOpen({ type: PerfType.PERF_TYPE_TRACEPOINT, config }, { pid: -1, cpu: 0 });
  return { event: cleanup.use(event), traced };
}

/** What the kernel's answer means, in words where the function is the reason. */
function refusal(place: string, probe: Probe, error: unknown): unknown {
  if (!(error instanceof sys.SyscallError)) return error;
  const about = `${place}: a probe on ${probeText(probe)}`;
  if (error.code === "EILSEQ") return new Error(`${about}: no instruction begins at that offset`, { cause: error });
  const explained = REFUSED.has(error.code) && probe.function !== undefined
    ? explainFunction(place, probe.function, "kprobe", error)
    : undefined;
  return explained ?? error.at(about);
}

/** The kernel's answers about functions: not there, several, not to be probed. */
const REFUSED: ReadonlySet<string> = new Set(["ENOENT", "EADDRNOTAVAIL", "EINVAL", "EOPNOTSUPP"]);
