/**
 * Variables in an arena: where they begin depends on the kernel, and so do the instructions that refer to them.
 *
 * @module
 */
import { BPF_PSEUDO, type Instruction, isLoadImm64, MAP } from "../asm/mod.ts";
import { arenaOffset, type MapSpec } from "../spec/mod.ts";
import type { MissingFeatures } from "./kernel_features.ts";

/** `map` with its variables where the kernel gets them. */
export function placeArena(map: MapSpec, missing: MissingFeatures, pageSize: number): MapSpec {
  if (map.arena === undefined) return map;
  const offset = arenaOffset(map, pageSize, !missing.has("direct_value_range"));
  return { ...map, arena: { ...map.arena, offset } };
}

/** `insns` whose loads of addresses of variables in an arena count from where those begin. */
export function withArenaOffsets(
  insns: readonly Instruction[],
  maps: ReadonlyMap<string, MapSpec>,
): readonly Instruction[] {
  const offsetOf = (insn: Instruction) => {
    const map = insn.get(MAP);
    if (map === undefined || !isLoadImm64(insn) || insn.src !== BPF_PSEUDO.MAP_VALUE) return 0;
    return maps.get(map)?.arena?.offset ?? 0;
  };
  if (!insns.some((insn) => offsetOf(insn) !== 0)) return insns;
  return insns.map((insn) => {
    const offset = offsetOf(insn);
    return offset === 0 ? insn : insn.edit({ immHigh: (insn.immHigh + offset) | 0 });
  });
}
