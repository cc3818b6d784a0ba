/**
 * Members by name, as C finds them: through anonymous structs and unions.
 *
 * @module
 */
import { BtfKind } from "../uapi/mod.ts";
import { type BtfType, type CompositeType, skipModifiersAndTypedefs } from "../btf/mod.ts";
import { RelocationError } from "../errors.ts";
import { MAX_ACCESS_STEPS } from "./accessor.ts";
import type { MemberStep } from "./access_spec.ts";
import { describeType } from "./describe.ts";

/** A member and where it lies. */
export interface FoundMember {
  readonly step: MemberStep;
  /** Offset of its first bit from the start of the struct that was searched. */
  readonly offsetBits: number;
  /** Number of levels that were gone through: 1 for a member of the struct itself. */
  readonly levels: number;
}

/**
 * The first member called `name` of the struct or union `type`, depth first through anonymous members, in the order of
 * declaration; `undefined` if there is none, or if `type` has no members.
 *
 * @param levels Number of levels that the access has gone through already.
 * @throws {RelocationError} if the search goes deeper than an access may.
 */
export function findMember(type: BtfType, name: string, levels: number): FoundMember | undefined {
  const parent = skipModifiersAndTypedefs(type);
  if (parent.kind !== BtfKind.Struct && parent.kind !== BtfKind.Union) return undefined;
  return search(parent, name, levels, 0, 1, undefined);
}

function search(
  parent: CompositeType,
  name: string,
  before: number,
  offsetBits: number,
  levels: number,
  searched: Set<CompositeType> | undefined,
): FoundMember | undefined {
  if (before + levels > MAX_ACCESS_STEPS) {
    throw new RelocationError(`${describeType(parent)} is nested more than ${MAX_ACCESS_STEPS} levels deep`);
  }
  const members = parent.members;
  for (let index = 0; index < members.length; index++) {
    const member = members[index]!;
    const own = member.name;
    if (own === name) {
      const type = skipModifiersAndTypedefs(member.type);
      const step: MemberStep = { kind: "member", parent, index, member, type };
      return { step, offsetBits: offsetBits + member.offsetBits, levels };
    }
    if (own !== "") continue;
    const inner = skipModifiersAndTypedefs(member.type);
    if (inner.kind !== BtfKind.Struct && inner.kind !== BtfKind.Union) continue;
    // Hostile BTF can name one anonymous struct many times on many levels; each is worth one search.
    searched ??= new Set();
    if (searched.has(inner)) continue;
    const deeper = search(inner, name, before, offsetBits + member.offsetBits, levels + 1, searched);
    if (deeper !== undefined) return deeper;
    searched.add(inner);
  }
  return undefined;
}

/** The members that lead to what {@linkcode findMember} finds: anonymous ones, then the one called `name`. */
export function memberPath(type: BtfType, name: string): { parent: CompositeType; index: number }[] {
  const searched = new Set<CompositeType>();
  const descend = (type: BtfType): { parent: CompositeType; index: number }[] => {
    const parent = skipModifiersAndTypedefs(type);
    if (parent.kind !== BtfKind.Struct && parent.kind !== BtfKind.Union || searched.has(parent)) return [];
    searched.add(parent);
    for (let index = 0; index < parent.members.length; index++) {
      const member = parent.members[index]!;
      if (member.name === name) return [{ parent, index }];
      const inner = member.name === "" ? descend(member.type) : [];
      if (inner.length > 0) return [{ parent, index }, ...inner];
    }
    return [];
  };
  return descend(type);
}

/** Names of all members that {@linkcode findMember} could find in `type`. */
export function memberNames(type: BtfType): string[] {
  const names: string[] = [];
  const seen = new Set<BtfType>();
  const collect = (type: BtfType): void => {
    const parent = skipModifiersAndTypedefs(type);
    if (parent.kind !== BtfKind.Struct && parent.kind !== BtfKind.Union) return;
    if (seen.has(parent)) return;
    seen.add(parent);
    for (const member of parent.members) {
      if (member.name === "") collect(member.type);
      else names.push(member.name);
    }
  };
  collect(type);
  return names;
}
