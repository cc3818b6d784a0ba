/**
 * How large the records are that programs send through each map, as far as constants in their instructions say.
 *
 * @module
 */
import { type Instruction, isHelperCall } from "../asm/mod.ts";
import { BpfFuncId, BpfMapType } from "../uapi/mod.ts";
import { type RegisterValue, visitRegisters } from "./event_constants.ts";
import type { CollectionSpec } from "./types.ts";

/** What is known about the sizes of a map's records. */
export interface EventSizes {
  /** Sizes in bytes that programs send. */
  readonly sizes: Set<number>;
  /** Are those all: had every call that could send to this map a constant map and size? */
  complete: boolean;
}

/** Where a helper takes the map, the record's size and flags: numbers of registers (linux/bpf.h). */
interface OutputHelper {
  readonly mapType: BpfMapType;
  readonly map: number;
  readonly size: number;
  /** Register of flags that can append bytes of a packet to the record. */
  readonly flags?: number;
}

const RINGBUF = BpfMapType.BPF_MAP_TYPE_RINGBUF;
const PERF = { mapType: BpfMapType.BPF_MAP_TYPE_PERF_EVENT_ARRAY, map: 2, flags: 3, size: 5 } as const;

const OUTPUT_HELPERS: ReadonlyMap<number, OutputHelper> = new Map<number, OutputHelper>([
  [BpfFuncId.BPF_FUNC_ringbuf_reserve, { mapType: RINGBUF, map: 1, size: 2 }],
  [BpfFuncId.BPF_FUNC_ringbuf_reserve_dynptr, { mapType: RINGBUF, map: 1, size: 2 }],
  [BpfFuncId.BPF_FUNC_ringbuf_output, { mapType: RINGBUF, map: 1, size: 3 }],
  [BpfFuncId.BPF_FUNC_perf_event_output, PERF],
  [BpfFuncId.BPF_FUNC_skb_output, PERF],
  [BpfFuncId.BPF_FUNC_xdp_output, PERF],
]);

/** `BPF_F_CTXLEN_MASK`: the number of bytes of the packet that follow the record. */
const CONTEXT_LENGTH_MASK = 0xfffffn << 32n;

/** Is `type` that of a map that carries records to user space? */
export function carriesEvents(type: BpfMapType): boolean {
  return type === RINGBUF || type === PERF.mapType;
}

/** The sizes of the records of every map of `spec` that carries some. */
export function traceEventSizes(spec: CollectionSpec): Map<string, EventSizes> {
  const found = new Map<string, EventSizes>();
  for (const map of spec.maps.values()) {
    if (carriesEvents(map.type)) found.set(map.name, { sizes: new Set(), complete: true });
  }
  for (const { instructions } of [...spec.programs.values(), ...spec.functions]) {
    if (!instructions.some((insn) => outputHelper(insn) !== undefined)) continue;
    visitRegisters(instructions, (insn, registers) => {
      const helper = outputHelper(insn);
      if (helper === undefined) return;
      const names = mapNames(registers[helper.map]);
      const sizes = recordSizes(registers[helper.size], helper.flags === undefined ? [0n] : registers[helper.flags]);
      for (const [name, known] of found) {
        if (names !== undefined && !names.includes(name)) continue;
        if (names === undefined && spec.maps.get(name)?.type !== helper.mapType) continue;
        // To which map an unknown one sends is unknown too: its size says nothing about any of them.
        if (names === undefined || sizes === undefined) known.complete = false;
        else sizes.forEach((size) => known.sizes.add(size));
      }
    });
  }
  return found;
}

function outputHelper(insn: Instruction): OutputHelper | undefined {
  return isHelperCall(insn) ? OUTPUT_HELPERS.get(insn.imm) : undefined;
}

function mapNames(value: RegisterValue): string[] | undefined {
  const names = value?.filter((atom) => typeof atom === "string");
  return names?.length === value?.length ? names : undefined;
}

function recordSizes(value: RegisterValue, flags: RegisterValue): number[] | undefined {
  if (value === undefined || flags === undefined) return undefined;
  for (const flag of flags) {
    if (typeof flag !== "bigint" || (flag & CONTEXT_LENGTH_MASK) !== 0n) return undefined;
  }
  const sizes: number[] = [];
  for (const atom of value) {
    if (typeof atom !== "bigint" || atom >= 1n << 32n) return undefined;
    sizes.push(Number(atom));
  }
  return sizes;
}
