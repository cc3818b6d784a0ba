/**
 * References to maps that are not created. They are no error as long as they are not reached: a program may ask first
 * whether the kernel has what it takes.
 *
 * @module
 */
import { Instruction, isLoadImm64, MAP, MetadataKey, OPCODE } from "../asm/mod.ts";
import type { CollectionSpec, MapSpec } from "../spec/mod.ts";

/**
 * Added to the number of a map that is not created: no helper has such a number, so the verifier complains if the place is
 * reached; libbpf's users know the number from its message.
 */
export const UNCREATED_MAP = 2001000000;

/** The map (by its name in the collection) that an instruction would refer to if it were created. */
export const MISSING_MAP: MetadataKey<string> = new MetadataKey("missing map");

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
