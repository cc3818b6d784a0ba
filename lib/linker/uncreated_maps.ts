/**
 * References to maps that are not created. They are no error as long as they are not reached: a program may ask first
 * whether the kernel has what it takes.
 *
 * @module
 */
import { Instruction, isLoadImm64, MAP, OPCODE } from "../asm/mod.ts";
import type { CollectionSpec, MapSpec } from "../spec/mod.ts";
import { MISSING_MAP, UNCREATED_MAP } from "./markers/mod.ts";

/**
 * `insns` with two calls of no helper in place of each load of a map that is not created: the same slots, and the first has
 * the load's metadata.
 *
 * @param created The maps that are created.
 */
export function poisonUncreated(
  insns: readonly Instruction[],
  spec: CollectionSpec,
  created: ReadonlyMap<string, MapSpec>,
): readonly Instruction[] {
  const lacks = (insn: Instruction) => {
    const map = insn.get(MAP);
    return map !== undefined && isLoadImm64(insn) && spec.maps.has(map) && !created.has(map);
  };
  if (!insns.some(lacks)) return insns;
  const names = [...spec.maps.keys()];
  return insns.flatMap((insn) => {
    if (!lacks(insn)) return insn;
    const map = insn.get(MAP)!;
    const call = new Instruction(OPCODE.CALL, 0, 0, 0, UNCREATED_MAP + names.indexOf(map));
    const metadata = insn.metadata.with(MAP, undefined).with(MISSING_MAP, map);
    return [call.withMetadata(metadata), call];
  });
}
