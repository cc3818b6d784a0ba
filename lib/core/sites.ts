/**
 * Where relocations are found, and how errors call such a place.
 *
 * @module
 */
import { type Instruction, isInnerLabel, LABEL, Metadata, SOURCE, type SourceLine } from "../asm/mod.ts";
import { CORE_RELOCATION, type CoreRelocation } from "../btf/mod.ts";
import { DebpfError, RelocationError } from "../errors.ts";
import { describeType } from "./describe.ts";
import { relocationKindName } from "./kinds.ts";

/** A relocation and where it was found. */
export interface Site {
  readonly relocation: CoreRelocation;
  /** Index of the stream of instructions. */
  readonly stream: number;
  /** Index of the instruction in its stream. */
  readonly index: number;
}

/** A place as people call it. */
export interface Place {
  /** The function that the instruction is in; `undefined` if nothing says. */
  readonly name: string | undefined;
  /** Slot of the instruction, from the function's first. */
  readonly slot: number;
  /** The line of source that it comes from. */
  readonly source: SourceLine | undefined;
}

/** All relocations of `streams`, stream by stream. */
export function findSites(streams: readonly (readonly Instruction[])[]): Site[] {
  const sites: Site[] = [];
  for (let stream = 0; stream < streams.length; stream++) {
    const insns = streams[stream]!;
    for (let index = 0; index < insns.length; index++) {
      const { metadata } = insns[index]!;
      // Of most instructions nothing is known.
      if (metadata === Metadata.EMPTY) continue;
      const relocation = metadata.get(CORE_RELOCATION);
      if (relocation !== undefined) sites.push({ relocation, stream, index });
    }
  }
  return sites;
}

/**
 * Positions of `relocations` in the order in which the object lists them, so that theirs does not matter. Those made by
 * hand, without an index, keep the order given.
 */
export function objectOrder(relocations: readonly CoreRelocation[]): Uint32Array {
  const order = new Uint32Array(relocations.length);
  const rank = new Float64Array(relocations.length);
  let ascends = true;
  for (let i = 0; i < order.length; i++) {
    order[i] = i;
    rank[i] = relocations[i]!.index ?? i;
    if (i > 0 && rank[i]! < rank[i - 1]!) ascends = false;
  }
  return ascends ? order : order.sort((a, b) => rank[a]! - rank[b]! || a - b);
}

function startsFunction(insn: Instruction): boolean {
  const label = insn.get(LABEL);
  return label !== undefined && !isInnerLabel(label);
}

/** Where `insns[index]` is: it belongs to the label before it. */
export function placeOf(insns: readonly Instruction[], index: number): Place {
  let source = insns[index]!.get(SOURCE);
  let first = index;
  let slot = 0;
  while (first > 0 && !startsFunction(insns[first]!)) {
    first--;
    source ??= insns[first]!.get(SOURCE);
    slot += insns[first]!.slots;
  }
  return { name: insns[first]!.get(LABEL)?.name, slot, source };
}

/**
 * `error`, with place and relocation before it: `function "handle_exec", instruction 14, exec.bpf.c:31, relocation 5
 * (field_byte_offset of struct task_struct, accessor "0:3"):`.
 *
 * @throws `error` itself, if it is none of this library's.
 */
export function relocationErrorAt(insns: readonly Instruction[], site: Site, error: unknown): RelocationError {
  if (!(error instanceof DebpfError)) throw error;
  const { name, slot, source } = placeOf(insns, site.index);
  const where = [
    ...(name === undefined ? [] : [`function "${name}"`]),
    `instruction ${slot}`,
    ...(source === undefined ? [] : [`${source.file}:${source.line}`]),
    relocationLabel(site.relocation),
  ];
  return new RelocationError(`${where.join(", ")}:\n  ${error.message}`, { cause: error });
}

/** What is certain of a relocation, however broken it is: `relocation 5 (field_exists of struct s, accessor "0:1")`. */
export function relocationLabel({ index, kind, type, accessor }: CoreRelocation): string {
  const number = index === undefined ? "" : ` ${index}`;
  return `relocation${number} (${relocationKindName(kind)} of ${describeType(type)}, accessor ${
    JSON.stringify(accessor)
  })`;
}
