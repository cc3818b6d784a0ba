/**
 * Giving map loads the fds of live maps.
 *
 * @module
 */
import { type Instruction, MAP } from "../asm/mod.ts";

/**
 * `insns` with the fd of its map in each instruction that carries `MAP`; offsets into values stay.
 *
 * @param insns Linked instructions; they do not change.
 * @param fdOf The fd of a map, by its name in the collection.
 */
export function bindMaps(insns: readonly Instruction[], fdOf: (map: string) => number): Instruction[] {
  return insns.map((insn) => {
    const map = insn.get(MAP);
    return map === undefined ? insn : insn.edit({ imm: fdOf(map) });
  });
}
