/**
 * What an object needs of a kernel, and which version brought that.
 *
 * @module
 */
import { controlFlow, stackUse } from "../../asm/flow/mod.ts";
import {
  type Instruction,
  instructionFeature,
  isCall,
  isFunctionPointer,
  isHelperCall,
  type Label,
  MAP,
  REFERENCE,
  slotCount,
  SOURCE,
} from "../../asm/mod.ts";
import {
  attachTypeSince,
  compareKernelVersions,
  helperSince,
  kfuncSince,
  mapTypeSince,
  programTypeSince,
} from "../../uapi/versions/mod.ts";
import { BpfAttachType, BpfMapType, BpfProgType, enumName, helperName } from "../../uapi/mod.ts";
import { EXTERN } from "../keys/mod.ts";
import type { CollectionSpec, FunctionSpec, MapSpec, ProgramSpec } from "../types.ts";

/** Kinds of {@linkcode Need}s. */
export type NeedKind = "program type" | "attach type" | "map type" | "helper" | "kfunc" | "instruction" | "feature";

/** Something that a kernel must have. */
export interface Need {
  /** What sort of thing it is. */
  readonly kind: NeedKind;
  /** Its name: `"bpf_ringbuf_reserve"`, `"BPF_MAP_TYPE_RINGBUF"`, `"signed division"`. */
  readonly name: string;
  /** The version that brought it: `"5.8"`; `undefined` if that is not known, or no kernel has it. */
  readonly since: string | undefined;
  /** Who needs it first: `program "exec", exec.bpf.c:31` or `map "events"`. */
  readonly where: string;
}

/** Stack of a function. */
export interface StackNeed {
  /** Name of the function; that of the program itself comes first. */
  readonly name: string;
  /** Bytes that it uses itself: a program and all that it calls at one time may use 512. */
  readonly bytes: number;
}

/** What a program needs, the functions that it reaches included. */
export interface ProgramNeeds {
  /** Name of the program. */
  readonly name: string;
  /** All that it needs, the newest first. */
  readonly needs: readonly Need[];
  /** Names of the maps that it uses. */
  readonly maps: readonly string[];
  /** Version of the instruction set, as clang's `-mcpu=v3`. */
  readonly cpu: 1 | 2 | 3 | 4;
  /** Whether it calls `bpf_tail_call`. */
  readonly tailCalls: boolean;
  /** Its own stack and that of each function that it reaches. */
  readonly stack: readonly StackNeed[];
  /** The oldest kernel that has all that it needs and that the tables know; `undefined` if no kernel has. */
  readonly since: string | undefined;
}

/** What a collection needs. */
export interface CollectionNeeds {
  /** Programs by name. */
  readonly programs: ReadonlyMap<string, ProgramNeeds>;
  /** What maps need. */
  readonly maps: readonly Need[];
  /** The oldest kernel that can load every program that is loaded by itself, with all maps; `undefined` if none can. */
  readonly since: string | undefined;
  /** Why: all that came with that version; or what no kernel has. */
  readonly reasons: readonly Need[];
  /** What no table knows: a kernel must be asked. */
  readonly unknown: readonly Need[];
}

/** The first kernel with a bpf(2) that loads programs. */
const FIRST = "3.19";

/** Programs of more slots than this are taken since 5.2 only. */
const MAX_SLOTS_BEFORE_5_2 = 4096;

/**
 * What `spec` needs of a kernel. Everything counts that is in the object, also what a program uses only if it finds the kernel new
 * enough: such code may be dropped when it is loaded. CO-RE, BTF and kernel configuration are not counted: they may be
 * given to an old kernel from outside.
 */
export function collectionNeeds(spec: CollectionSpec): CollectionNeeds {
  const programs = new Map([...spec.programs.values()].map((program) => [program.name, programNeeds(program, spec)]));
  const maps = [...spec.maps.values()].map(mapNeed);
  const loaded = [...spec.programs.values()].filter(({ autoload }) => autoload);
  const all = [...loaded.flatMap(({ name }) => programs.get(name)!.needs), ...maps];
  const since = oldest(all);
  const reasons = all.filter((need) => since === undefined ? isImpossible(need) : need.since === since);
  const unknown = all.filter((need) => need.since === undefined && !isImpossible(need));
  return { programs, maps, since, reasons: unique(reasons), unknown: unique(unknown) };
}

/** Whether it is known that no kernel has it. */
function isImpossible({ kind, since }: Need): boolean {
  return kind === "instruction" && since === undefined;
}

/** The newest of the versions; `undefined` if something is impossible. */
function oldest(needs: readonly Need[]): string | undefined {
  if (needs.some(isImpossible)) return undefined;
  const versions = needs.flatMap(({ since }) => since ?? []);
  return versions.reduce((a, b) => compareKernelVersions(a, b) < 0 ? b : a, FIRST);
}

/** The first need of each name. */
function unique(needs: readonly Need[]): Need[] {
  return [...new Map(needs.toReversed().map((need) => [`${need.kind} ${need.name}`, need])).values()].reverse();
}

function mapNeed(map: MapSpec): Need {
  const name = enumName(BpfMapType, map.type) ?? `map type ${map.type}`;
  return { kind: "map type", name, since: mapTypeSince(map.type), where: `map "${map.name}"` };
}

function programNeeds(program: ProgramSpec, spec: CollectionSpec): ProgramNeeds {
  const where = `program "${program.name}"`;
  const needs: Need[] = [...ownNeeds(program, where)];
  const maps = new Set<string>();
  const stack: StackNeed[] = [];
  let cpu: 1 | 2 | 3 | 4 = 1;
  let slots = 0;
  let tailCalls = false;
  const functions = reached(program, spec.functions);
  for (const { label, instructions } of [program, ...functions]) {
    slots += slotCount(instructions);
    const flows = controlFlow(instructions);
    stack.push({ name: label.name, bytes: Math.max(0, ...flows.map((flow) => stackUse(instructions, flow))) });
    if (flows.some(({ loops, irreducible }) => loops.length > 0 || irreducible)) {
      needs.push({ kind: "feature", name: "bounded loops", since: "5.3", where: `${where}, function "${label.name}"` });
    }
    let line = "";
    for (const insn of instructions) {
      const source = insn.get(SOURCE);
      if (source !== undefined) line = `, ${source.file.slice(source.file.lastIndexOf("/") + 1)}:${source.line}`;
      needs.push(...instructionNeeds(insn, where + line));
      cpu = Math.max(cpu, instructionFeature(insn)?.cpu ?? 1) as typeof cpu;
      if (isHelperCall(insn) && helperName(insn.imm) === "tail_call") tailCalls = true;
      const map = insn.get(MAP);
      if (map !== undefined) maps.add(map);
    }
  }
  if (slots > MAX_SLOTS_BEFORE_5_2) {
    needs.push({ kind: "feature", name: `${slots} instructions (more than 4096)`, since: "5.2", where });
  }
  if (tailCalls && functions.length > 0) {
    needs.push({ kind: "feature", name: "tail calls together with calls of functions", since: "5.10", where });
  }
  const ordered = unique(needs).sort((a, b) => compareKernelVersions(b.since ?? "99.0", a.since ?? "99.0"));
  return { name: program.name, needs: ordered, maps: [...maps], cpu, tailCalls, stack, since: oldest(ordered) };
}

/** What a program needs by its type and flags. */
function* ownNeeds(program: ProgramSpec, where: string): Generator<Need> {
  const { type, expectedAttachType, expectedAttachTypeOptional, sleepable } = program;
  if (type !== BpfProgType.BPF_PROG_TYPE_UNSPEC) {
    const name = enumName(BpfProgType, type) ?? `program type ${type}`;
    yield { kind: "program type", name, since: programTypeSince(type), where };
  }
  if (expectedAttachType !== 0 && !expectedAttachTypeOptional) {
    const name = enumName(BpfAttachType, expectedAttachType) ?? `attach type ${expectedAttachType}`;
    yield { kind: "attach type", name, since: attachTypeSince(expectedAttachType), where };
  }
  // Programs of type syscall may sleep anyway, and came later.
  if (sleepable && type !== BpfProgType.BPF_PROG_TYPE_SYSCALL) {
    yield { kind: "feature", name: "sleepable programs", since: "5.10", where };
  }
}

function* instructionNeeds(insn: Instruction, where: string): Generator<Need> {
  const extern = insn.get(EXTERN);
  // A weak one may be missing.
  if (extern?.weak) return;
  if (extern?.kind === "kfunc") {
    yield { kind: "kfunc", name: extern.name, since: kfuncSince(extern.name), where };
    return;
  }
  if (extern?.kind === "ksym_var") {
    yield { kind: "instruction", name: "addresses of kernel variables", since: "5.10", where };
    return;
  }
  if (isHelperCall(insn)) {
    const name = helperName(insn.imm);
    yield {
      kind: "helper",
      name: name === undefined ? `helper ${insn.imm}` : `bpf_${name}`,
      since: helperSince(insn.imm),
      where,
    };
  }
  const feature = instructionFeature(insn);
  if (feature !== undefined) yield { kind: "instruction", name: feature.name, since: feature.since, where };
}

/** The functions that a program calls or whose address it takes, and those that they call. */
function reached(program: ProgramSpec, functions: readonly FunctionSpec[]): FunctionSpec[] {
  const found = new Set<FunctionSpec>();
  const open: (readonly Instruction[])[] = [program.instructions];
  for (let insns = open.pop(); insns !== undefined; insns = open.pop()) {
    for (const insn of insns) {
      if (!isCall(insn) && !isFunctionPointer(insn)) continue;
      const label = insn.get(REFERENCE);
      const target = label === undefined ? undefined : functionOf(label, functions);
      if (target === undefined || found.has(target)) continue;
      found.add(target);
      open.push(target.instructions);
    }
  }
  return functions.filter((fn) => found.has(fn));
}

/** As the linker does it: functions that are seen from outside are found by name. */
function functionOf(label: Label, functions: readonly FunctionSpec[]): FunctionSpec | undefined {
  if (label.binding === "local") return functions.find((fn) => fn.label === label);
  const named = functions.filter((fn) => fn.label.binding !== "local" && fn.label.name === label.name);
  return named.find((fn) => fn.label.binding === "global") ?? named[0];
}
