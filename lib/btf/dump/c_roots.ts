/**
 * The order of definitions in a C header: by kind and name.
 *
 * @module
 */
import { BtfKind } from "../../uapi/mod.ts";
import { BTF_TYPE, infoKind } from "../wire.ts";
import { MAX_CHAIN } from "./c_layout.ts";
import { rawName, type RawTypes } from "./raw_types.ts";

/** Ranks of definitions; what has none is no definition. */
const RANK: Readonly<Partial<Record<number, number>>> = {
  [BtfKind.Enum]: 1,
  [BtfKind.Enum64]: 1,
  [BtfKind.Int]: 2,
  [BtfKind.Float]: 2,
  [BtfKind.Fwd]: 3,
  [BtfKind.Struct]: 4,
  [BtfKind.Union]: 4,
  [BtfKind.FuncProto]: 5,
};
const ANONYMOUS_ENUM = 0;
const OTHER = 6;

/**
 * Ids of all definitions: constants, enums, then what names numbers, structs and unions, functions, each by name. A typedef
 * stands where what it names would; what a definition needs comes before it anyway. The same types in another order of ids
 * come in the same order, as far as names tell them apart.
 */
export function sortedRoots(types: RawTypes): number[] {
  const roots: { id: number; rank: number; name: string }[] = [];
  for (let id = 1; id < types.count; id++) {
    const rank = rankOf(types, id);
    if (rank !== undefined) roots.push({ id, rank, name: rawName(types, id) });
  }
  roots.sort((a, b) => a.rank - b.rank || (a.name < b.name ? -1 : a.name > b.name ? 1 : a.id - b.id));
  return roots.map(({ id }) => id);
}

function rankOf(types: RawTypes, id: number): number | undefined {
  const { words, offsets } = types;
  const at = offsets[id - 1]!;
  const kind = infoKind(words[at + BTF_TYPE.info]!);
  const isTypedef = kind === BtfKind.Typedef;
  if (words[at] === 0) return RANK[kind] === 1 ? ANONYMOUS_ENUM : undefined;
  return isTypedef
    ? rankBehind(types, words[at + BTF_TYPE.sizeOrType]!)
    : kind === BtfKind.FuncProto
    ? undefined
    : RANK[kind];
}

/** The rank of what a typedef names. */
function rankBehind(types: RawTypes, id: number): number {
  const { words, offsets } = types;
  for (let steps = 0; steps < MAX_CHAIN && id > 0 && id < types.count; steps++) {
    const at = offsets[id - 1]!;
    const kind = infoKind(words[at + BTF_TYPE.info]!);
    switch (kind) {
      case BtfKind.Ptr:
      case BtfKind.Typedef:
      case BtfKind.Volatile:
      case BtfKind.Const:
      case BtfKind.Restrict:
      case BtfKind.TypeTag:
        id = words[at + BTF_TYPE.sizeOrType]!;
        break;
      case BtfKind.Array:
        id = words[at + BTF_TYPE.words]!;
        break;
      default:
        return RANK[kind] ?? OTHER;
    }
  }
  return OTHER;
}
