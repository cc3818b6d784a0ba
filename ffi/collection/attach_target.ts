/**
 * What a program is loaded for: a kernel function or type, or a function of another program. The kernel is told at load, by
 * BTF id.
 *
 * @module
 */
import { type CoreTarget, nearestNames, type SkippedTarget } from "../../lib/core/mod.ts";
import { DebpfError, UnsupportedError } from "../../lib/errors.ts";
import type { ProgramSpec } from "../../lib/spec/mod.ts";
import { BpfAttachType, BpfProgType, BtfKind } from "../../lib/uapi/mod.ts";
import { explainFunction, functionOfProgram, parseFunctionName } from "../attach/mod.ts";
import { hostTargets, openModuleBtf } from "../btf/mod.ts";
import type { BpfProgram, ProgramImage } from "../program/mod.ts";

/** A function of a loaded program, as a target of another. */
export interface ProgramFunction {
  /** The loaded program. */
  readonly program: BpfProgram;
  /** Its function; by default what the section name says after its `/`. */
  readonly function?: string | undefined;
}

/**
 * What a program is attached to in place of what its section name says: `"do_unlinkat"`, `"nf_tables:nft_do_chain"`; of a list
 * the first that the kernel has; a function of a loaded program (`fentry`, `fexit`, `fmod_ret`, `fsession`, `freplace`).
 */
export type AttachTo = string | readonly string[] | ProgramFunction;

/** What the kernel is told of it. */
export type AttachTarget = Pick<ProgramImage, "attachBtfId" | "attachBtfObjFd" | "attachProgFd"> & {
  /** What it is called. */
  readonly name: string;
};

/** Where targets are looked for. */
export interface AttachLookup {
  /** The kernel and its modules; by default read anew. */
  readonly kernel?: () => readonly CoreTarget[];
  /** Told of a module whose BTF cannot be read: it is skipped. */
  readonly skipped?: SkippedTarget | undefined;
}

/** How BTF has what a kind of program is loaded for: each is a type with a name before the own one. */
interface Naming {
  readonly prefix: string;
  readonly kind: BtfKind;
  /** What it is called in messages. */
  readonly words: string;
}

/**
 * The id of what `spec` is loaded for, and where it is of.
 *
 * @param to What the user wants in place of what the section name says.
 * @param owned Gets what has to be open until the program is loaded.
 * @param lookup Where it is looked for.
 * @throws {KernelFunctionError} if the kernel has no such function.
 * @throws {UnsupportedError} if it does not have what else it is, or the section name does not say what.
 */
export function attachTarget(
  spec: ProgramSpec,
  to: AttachTo | undefined,
  owned: DisposableStack,
  lookup: AttachLookup = {},
): AttachTarget {
  if (spec.attach === "trace_multi") return ofMany(spec, to, owned);
  if (!spec.attachByBtf) return { attachBtfId: 0, name: spec.attachTo };
  const place = `program "${spec.name}" (section "${spec.section}")`;
  if (isProgramFunction(to)) return ofProgram(spec, place, to);
  if (spec.type === BpfProgType.BPF_PROG_TYPE_EXT) {
    const give = `attachTo: { ${spec.name}: { program, function } }`;
    throw new UnsupportedError("freplace without a program", `${place}: say which program it is for: ${give}`);
  }
  const names = to === undefined ? [spec.attachTo] : typeof to === "string" ? [to] : to;
  if (names.length === 0 || names.includes("")) {
    throw new UnsupportedError(
      "loading without a target",
      `${place}: the section name does not say what it is for: give attachTo: { ${spec.name}: NAME }`,
    );
  }
  const naming = namingOf(spec);
  for (const name of names) {
    const found = inKernel(place, naming, name, owned, lookup);
    if (found !== undefined) return { ...found, name };
  }
  throw missing(place, naming, names);
}

/** Which functions such a program is for is said when it is attached; at load only of which module they are. */
function ofMany(spec: ProgramSpec, to: AttachTo | undefined, owned: DisposableStack): AttachTarget {
  const pattern = typeof to === "string" ? to : spec.attachTo;
  const { module } = splitModule(pattern);
  const fd = module === undefined || module === "vmlinux" ? undefined : owned.use(openModuleBtf(module)).value;
  return { attachBtfId: 0, attachBtfObjFd: fd, name: pattern };
}

/** Is a target a function of a program. */
export function isProgramFunction(to: AttachTo | undefined): to is ProgramFunction {
  return typeof to === "object" && "program" in to;
}

function ofProgram(spec: ProgramSpec, place: string, { program, function: name }: ProgramFunction): AttachTarget {
  const own = name ?? spec.attachTo;
  if (own === "") throw new TypeError(`${place}: say which function of program "${program.name}" it is for`);
  const attachBtfId = functionOfProgram(place, program, own);
  return { attachBtfId, attachProgFd: program.fd, name: `${program.name}:${own}` };
}

/** Facts: include/trace/bpf_probe.h, include/linux/bpf.h (DEFINE_BPF_ITER_FUNC), kernel/bpf/bpf_lsm.c. */
function namingOf(spec: ProgramSpec): Naming {
  if (spec.type === BpfProgType.BPF_PROG_TYPE_LSM) {
    return { prefix: "bpf_lsm_", kind: BtfKind.Func, words: "LSM hook for programs" };
  }
  switch (spec.expectedAttachType) {
    case BpfAttachType.BPF_TRACE_RAW_TP:
      return { prefix: "btf_trace_", kind: BtfKind.Typedef, words: "tracepoint" };
    case BpfAttachType.BPF_TRACE_ITER:
      return { prefix: "bpf_iter_", kind: BtfKind.Func, words: "iterator" };
    default:
      return { prefix: "", kind: BtfKind.Func, words: "function" };
  }
}

/** The kernel's own first, then its modules; or only the module that is named. */
function inKernel(
  place: string,
  naming: Naming,
  target: string,
  owned: DisposableStack,
  lookup: AttachLookup,
): Omit<AttachTarget, "name"> | undefined {
  const { module, name } = splitModule(target);
  const wanted = naming.prefix + name;
  const [kernel, ...modules] = (lookup.kernel ?? hostTargets)();
  if (module === undefined || module === "vmlinux") {
    const ids = kernel!.btf.findIds(wanted, naming.kind);
    if (ids.length > 1 && naming.prefix === "") throw ambiguous(place, name);
    if (ids.length > 0) return { attachBtfId: ids[0]! };
    if (module === "vmlinux") return undefined;
  }
  for (const other of modules) {
    if (module !== undefined && other.name !== module.replaceAll("-", "_")) continue;
    const id = ownId(other, wanted, naming.kind, lookup);
    if (id !== undefined) return { attachBtfId: id, attachBtfObjFd: owned.use(openModuleBtf(other.name)).value };
  }
  return undefined;
}

/** Id of a type of a module's own; `undefined` if there is none, or if the module's BTF cannot be read. */
function ownId(module: CoreTarget, name: string, kind: BtfKind, { skipped }: AttachLookup): number | undefined {
  try {
    const { btf } = module;
    return btf.findIds(name, kind).find((id) => id >= btf.ownStartId);
  } catch (error) {
    if (!(error instanceof DebpfError)) throw error;
    skipped?.(module, error);
    return undefined;
  }
}

function splitModule(target: string): { module: string | undefined; name: string } {
  const colon = target.indexOf(":");
  return colon < 0
    ? { module: undefined, name: target }
    : { module: target.slice(0, colon), name: target.slice(colon + 1) };
}

/** The kernel looks the address up by the name alone: it would be that of any of them. */
function ambiguous(place: string, name: string): Error {
  return explainFunction(place, parseFunctionName(name, place), "ftrace") ??
    new UnsupportedError(
      `function ${name}`,
      `${place}: the kernel's BTF has several functions "${name}": use a kprobe`,
    );
}

function missing(place: string, naming: Naming, names: readonly string[]): Error {
  const [first = ""] = names;
  const about = names.length === 1 ? place : `${place}: the kernel has none of ${names.join(", ")}`;
  if (naming.prefix === "") {
    const wanted = parseFunctionName(first, place);
    const explained = explainFunction(about, wanted, "ftrace");
    if (explained !== undefined) return explained;
    const text = `${about}: the kernel has function "${first}", but its BTF does not know it: use a kprobe`;
    return new UnsupportedError(`function ${first}`, text);
  }
  const known: string[] = [];
  for (const type of hostTargets()[0]!.btf.types()) {
    if (type.kind !== naming.kind || !("name" in type) || !type.name.startsWith(naming.prefix)) continue;
    known.push(type.name.slice(naming.prefix.length));
  }
  const near = nearestNames(first, known, 5).map((name) => `"${name}"`).join(", ");
  const close = near === "" ? "" : `; names that are close: ${near}`;
  return new UnsupportedError(
    `${naming.words} ${first}`,
    `${about}: this kernel has no ${naming.words} "${first}"${close}`,
  );
}
