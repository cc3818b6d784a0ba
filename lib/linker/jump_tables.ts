/**
 * Jump tables of a linked program: the kernel has each as a map of instructions (`BPF_MAP_TYPE_INSN_ARRAY`, 6.19), by their
 * slots in the whole program.
 *
 * @module
 */
import { type Instruction, LABEL, type Label } from "../asm/mod.ts";
import { LinkError } from "../errors.ts";
import { JUMP_TABLE, type JumpTable, type MapSpec } from "../spec/mod.ts";
import { BpfMapType } from "../uapi/mod.ts";

/** Name of the maps of jump tables, as libbpf has it. */
export const JUMP_TABLE_MAP = ".jumptables";

/** The map of a jump table of `length` entries; its values are `struct bpf_insn_array_value`, whose first word is a slot. */
export function jumpTableMap(length: number): MapSpec {
  return {
    name: JUMP_TABLE_MAP,
    type: BpfMapType.BPF_MAP_TYPE_INSN_ARRAY,
    keySize: 4,
    valueSize: 16,
    maxEntries: length,
    flags: 0,
    extra: 0n,
    pinning: "none",
    readOnly: true,
    contents: [],
    tags: [],
  };
}

/** A jump table of a linked program. */
export interface LinkedJumpTable {
  /** The table, which instructions refer to. */
  readonly table: JumpTable;
  /** Slots of the instructions, in the order of the table. */
  readonly slots: readonly number[];
}

/**
 * The jump tables that a program refers to, each once, in the order of the first reference.
 *
 * @param insns Linked instructions.
 * @throws {LinkError} if a table names a place that is not among them.
 */
export function jumpTablesOf(insns: readonly Instruction[]): LinkedJumpTable[] {
  const tables = new Set<JumpTable>();
  for (const insn of insns) {
    const table = insn.get(JUMP_TABLE);
    if (table !== undefined) tables.add(table);
  }
  if (tables.size === 0) return [];
  const slotOf = new Map<Label, number>();
  let slot = 0;
  for (const insn of insns) {
    const label = insn.get(LABEL);
    if (label !== undefined) slotOf.set(label, slot);
    slot += insn.slots;
  }
  return [...tables].map((table) => ({
    table,
    slots: table.targets.map((target, index) => {
      const found = slotOf.get(target);
      if (found !== undefined) return found;
      throw new LinkError(`jump table "${table.name}": entry ${index} ("${target.name}") is not in the linked program`);
    }),
  }));
}

/**
 * `insns` with the fd of its map in each instruction that refers to a jump table.
 *
 * @param insns Linked instructions; they do not change.
 * @param fdOf The fd of a table's map.
 */
export function bindJumpTables(insns: readonly Instruction[], fdOf: (table: JumpTable) => number): Instruction[] {
  return insns.map((insn) => {
    const table = insn.get(JUMP_TABLE);
    return table === undefined ? insn : insn.edit({ imm: fdOf(table) });
  });
}
