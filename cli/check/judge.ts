/**
 * Would a program load on a kernel, as far as the kernel's BTF tells?
 *
 * What the verifier can't reach does not matter to it: it follows constants, so once `bpf_core_field_exists()` has become
 * 0, what stands behind it is dead. The same constants are followed here: immediates, and values of `.rodata`.
 *
 * @module
 */
import { controlFlow, type FlowConstants } from "../../lib/asm/flow/mod.ts";
import { type Instruction, isHelperCall, isInnerLabel, LABEL, SOURCE } from "../../lib/asm/mod.ts";
import type { Btf, BtfType } from "../../lib/btf/mod.ts";
import { BAD_RELOCATION, type CoreTarget, poisonedBy } from "../../lib/core/mod.ts";
import { DebpfError, UnsupportedError } from "../../lib/errors.ts";
import { missingKfunc, type RelocatedProgram } from "../../lib/linker/mod.ts";
import type { CollectionSpec, MapSpec, ProgramSpec } from "../../lib/spec/mod.ts";
import { BpfAttachType, BpfMapType, BpfProgType, BtfKind, enumName, helperName } from "../../lib/uapi/mod.ts";

/**
 * What becomes of a program on a kernel: `ok`; `guarded`: it asks for something that is missing, and never gets there;
 * `poisoned`: it can get there; `missing`: the kernel lacks a helper or a type of maps, programs or attachments; `broken`: it
 * can't be relocated or linked; `unchecked`: it needs what this library can't do.
 */
export type Status = "ok" | "guarded" | "poisoned" | "missing" | "broken" | "unchecked";

/** Why a program does not load, or is guarded. */
export interface Finding {
  /** Function, instruction and line of C; empty for what concerns the program or the object as a whole. */
  readonly place: string;
  /** A sentence. */
  readonly text: string;
}

/** A program on a kernel. */
export interface Judgement {
  readonly status: Status;
  readonly findings: readonly Finding[];
}

/** Statuses of programs that load. */
export const LOADS: readonly Status[] = ["ok", "guarded"];

/** Functions by which BTF of a kernel is told from BTF that was made of it. */
const EVERY_KERNEL_HAS: readonly string[] = ["schedule", "kfree"];

/** What a kernel has, by its own enums. A minimal BTF has none of them, and then nothing is said. */
export class KernelEnums {
  readonly #btf: Btf;
  readonly #values = new Map<string, ReadonlySet<number> | undefined>();

  /** Reads nothing yet. */
  constructor(kernel: CoreTarget) {
    this.#btf = kernel.btf;
  }

  /** Whether anything is known of the kernel's functions. */
  get hasFunctions(): boolean {
    return EVERY_KERNEL_HAS.some((name) => this.#btf.find(name, BtfKind.Func) !== undefined);
  }

  /** Whether the kernel's enum `name` lacks `value`; not if it has no such enum. */
  lacks(name: string, value: number): boolean {
    if (!this.#values.has(name)) this.#values.set(name, valuesOf(this.#btf.find(name, BtfKind.Enum)));
    const values = this.#values.get(name);
    return values !== undefined && !values.has(value);
  }
}

function valuesOf(type: BtfType | undefined): ReadonlySet<number> | undefined {
  if (type === undefined || type.kind !== BtfKind.Enum || type.values.length < 2) return undefined;
  // The last one of these enums is the number of those before it.
  return new Set(type.values.filter(({ name }) => !/MAX/i.test(name)).map(({ value }) => value));
}

/** What a kernel lacks for any program of a collection: all maps are made before a program is loaded. */
export function judgeMaps(spec: CollectionSpec, kernel: KernelEnums): Finding[] {
  return [...spec.maps.values()].flatMap((map) => [map, ...map.inner === undefined ? [] : [map.inner]])
    .filter((map) => kernel.lacks("bpf_map_type", map.type))
    .map((map) => ({ place: "", text: `map "${map.name}": the kernel has no ${enumName(BpfMapType, map.type)}` }));
}

/** Judges a program that was relocated and linked, or was not. */
export function judgeProgram(
  spec: CollectionSpec,
  program: ProgramSpec,
  relocated: RelocatedProgram | Error,
  kernel: KernelEnums,
): Judgement {
  if (relocated instanceof UnsupportedError) return whole("unchecked", relocated.message);
  if (relocated instanceof Error) return whole("broken", relocated.message);
  const missing: Finding[] = [];
  if (kernel.lacks("bpf_prog_type", program.type)) {
    missing.push({ place: "", text: `the kernel has no ${enumName(BpfProgType, program.type)}` });
  }
  if (program.expectedAttachType !== 0 && kernel.lacks("bpf_attach_type", program.expectedAttachType)) {
    const type = enumName(BpfAttachType, program.expectedAttachType);
    missing.push({ place: "", text: `the kernel has no ${type}, so it could not be attached` });
  }
  let dead: ReadonlySet<number>;
  try {
    dead = deadInstructions(spec, relocated.insns);
  } catch (error) {
    if (error instanceof DebpfError) return whole("broken", error.message);
    throw error;
  }
  const guarded: Finding[] = [];
  const poisoned: Finding[] = [];
  for (const [index, insn] of relocated.insns.entries()) {
    const fixup = poisonedBy(insn);
    const kfunc = missingKfunc(insn);
    if (kfunc !== undefined) {
      const text = `the kernel has no function ${kfunc.name} for programs, or one with other parameters`;
      (dead.has(index) ? guarded : missing).push({ place: placeOf(relocated.insns, index), text });
    } else if (fixup !== undefined) {
      const finding = { place: placeOf(relocated.insns, index), text: fixup.explanation.text };
      (dead.has(index) ? guarded : poisoned).push(finding);
    } else if (callsMissing(insn, kernel) && !dead.has(index)) {
      const name = helperName(insn.imm);
      const text = `the kernel has no helper ${name === undefined ? insn.imm : `bpf_${name}`}`;
      missing.push({ place: placeOf(relocated.insns, index), text });
    }
  }
  if (poisoned.length > 0) return { status: "poisoned", findings: [...poisoned, ...missing] };
  if (missing.length > 0) return { status: "missing", findings: missing };
  return guarded.length > 0 ? { status: "guarded", findings: guarded } : { status: "ok", findings: [] };
}

/** The second half of a poisoned 64-bit load is no call of its own. */
function callsMissing(insn: Instruction, kernel: KernelEnums): boolean {
  return isHelperCall(insn) && insn.imm !== BAD_RELOCATION && kernel.lacks("bpf_func_id", insn.imm);
}

function whole(status: Status, text: string): Judgement {
  return { status, findings: [{ place: "", text }] };
}

/** Indices of the instructions that control can't get to. */
function deadInstructions(spec: CollectionSpec, insns: readonly Instruction[]): ReadonlySet<number> {
  const constants: FlowConstants = {
    order: spec.order,
    mapValue: (name, offset, sizeBytes) => constantIn(spec.maps.get(name), offset, sizeBytes, spec.order === "little"),
  };
  const dead = new Set<number>();
  for (const flow of controlFlow(insns, { constants })) {
    for (const block of flow.blocks) {
      if (flow.reachable && block.reachable) continue;
      for (let index = block.first; index < block.end; index++) dead.add(index);
    }
  }
  return dead;
}

/** A value of `.rodata`: it is frozen before programs are verified. */
function constantIn(
  map: MapSpec | undefined,
  offset: number,
  sizeBytes: number,
  little: boolean,
): bigint | undefined {
  if (map === undefined || !map.readOnly || map.data === undefined) return undefined;
  if (offset < 0 || offset + sizeBytes > map.data.length) return undefined;
  const bytes = Array.from(map.data.subarray(offset, offset + sizeBytes));
  if (little) bytes.reverse();
  return bytes.reduce((value, byte) => value << 8n | BigInt(byte), 0n);
}

/** `exec.bpf.c:31, function "helper", instruction 14`: counted from the program's first, as the verifier does. */
function placeOf(insns: readonly Instruction[], index: number): string {
  let slot = 0;
  let label = "";
  let source = "";
  for (let i = 0; i <= index; i++) {
    const insn = insns[i]!;
    const line = insn.get(SOURCE);
    const own = insn.get(LABEL);
    if (own !== undefined && !isInnerLabel(own)) [label, source] = [own.name, ""];
    if (line !== undefined) source = `${line.file}:${line.line}, `;
    if (i < index) slot += insn.slots;
  }
  return `${source}function "${label}", instruction ${slot}`;
}
