/**
 * Whether a live map can be used for a spec.
 *
 * @module
 */
import type { MapSpec } from "../../lib/spec/mod.ts";
import { BpfMapFlag, BpfMapType } from "../../lib/uapi/mod.ts";
import type { MapInfo } from "../sys/mod.ts";
import { maxEntries } from "./create_map.ts";
import { mapTypeName } from "./map_type.ts";

/**
 * Compares what decides how programs use a map, as libbpf does before it reuses one.
 *
 * @param spec What is wanted.
 * @param info What is there.
 * @param what How errors call what is there: `what is pinned at "..."`.
 * @param advice What to do about it.
 * @throws {Error} naming all that differs.
 */
export function checkFit(spec: MapSpec, info: MapInfo, what: string, advice: string): void {
  const differences: string[] = [];
  const compare = (name: string, there: unknown, wanted: unknown) => {
    if (there !== wanted) differences.push(`${name} is ${there}, wanted is ${wanted}`);
  };
  compare("type", mapTypeName(info.type), mapTypeName(spec.type));
  compare("key size", info.keySize, spec.keySize);
  compare("value size", info.valueSize, spec.valueSize);
  compare("max_entries", info.maxEntries, maxEntries(spec));
  compare("flags", hex(info.mapFlags & ~ownFlags(info.type)), hex(spec.flags & ~TOKEN));
  compare("map_extra", info.mapExtra, spec.extra);
  if (differences.length === 0) return;
  throw new Error(`map "${spec.name}": ${what} does not fit: its ${differences.join("; its ")}: ${advice}`);
}

const TOKEN = BpfMapFlag.BPF_F_TOKEN_FD;

/** Flags that the kernel adds: it makes device maps read-only for programs by itself (5.16). */
function ownFlags(type: BpfMapType): number {
  const device = type === BpfMapType.BPF_MAP_TYPE_DEVMAP || type === BpfMapType.BPF_MAP_TYPE_DEVMAP_HASH;
  return TOKEN | (device ? BpfMapFlag.BPF_F_RDONLY_PROG : 0);
}

function hex(flags: number): string {
  return `0x${flags.toString(16)}`;
}
