/**
 * Do two types match for `bpf_core_type_matches`? Stricter than compatible: names count at every level, and every member of
 * the local type must be in the target.
 *
 * @module
 */
import { BtfKind } from "../uapi/mod.ts";
import {
  type BtfType,
  type CompositeType,
  type Enum64Type,
  type EnumType,
  essentialName,
  type FwdType,
  type Member,
  skipModifiersAndTypedefs,
} from "../btf/mod.ts";
import { PairMemo } from "./pair_memo.ts";
import { MAX_TYPE_DEPTH, tooDeep } from "./types_compatible.ts";

/**
 * Whether `target` matches `local`. The caller has compared the names of the roots. Modifiers and typedefs are stripped;
 * names must be equal without flavours; then
 *
 * 1. integers: same size and sign;
 * 2. enums (32 or 64 bits): same size, and every local name is in the target; values do not count;
 * 3. structs and unions: same kind, and every local member has one of its name in the target whose type matches;
 * 4. behind a pointer, for structs and unions, name and kind suffice, and a forward declaration will do on either side;
 * 5. arrays: same length, matching elements; pointers: matching targets; prototypes: matching parameters and results;
 * 6. nothing else.
 *
 * @throws {RelocationError} if the types nest too deeply to tell.
 */
export function typesMatch(local: BtfType, target: BtfType): boolean {
  const comparison: Comparison = { plain: new PairMemo(), behindPointer: new PairMemo() };
  return match(local, target, false, MAX_TYPE_DEPTH, comparison);
}

/** What was compared already; behind a pointer other rules hold. */
interface Comparison {
  readonly plain: PairMemo;
  readonly behindPointer: PairMemo;
}

function match(
  local: BtfType,
  target: BtfType,
  behindPointer: boolean,
  level: number,
  comparison: Comparison,
): boolean {
  const root = local;
  if (level <= 0) throw tooDeep(root);
  for (let depth = 0; depth < MAX_TYPE_DEPTH; depth++) {
    const ours = skipModifiersAndTypedefs(local);
    const theirs = skipModifiersAndTypedefs(target);
    if (!namesMatch(ours.name, theirs.name)) return false;
    switch (ours.kind) {
      case BtfKind.Unknown:
        return theirs.kind === BtfKind.Unknown;
      case BtfKind.Fwd:
        if (theirs.kind === BtfKind.Fwd) return ours.union === theirs.union;
        return behindPointer && theirs.kind === compositeKindOf(ours);
      case BtfKind.Enum:
      case BtfKind.Enum64:
        return (theirs.kind === BtfKind.Enum || theirs.kind === BtfKind.Enum64) && enumsMatch(ours, theirs);
      case BtfKind.Struct:
      case BtfKind.Union:
        if (theirs.kind === BtfKind.Fwd) return behindPointer && ours.kind === compositeKindOf(theirs);
        if (theirs.kind !== ours.kind) return false;
        return behindPointer || membersMatch(ours, theirs, level, comparison);
      case BtfKind.Int:
        return theirs.kind === BtfKind.Int && ours.size === theirs.size && ours.signed === theirs.signed;
      case BtfKind.Ptr:
        if (theirs.kind !== BtfKind.Ptr) return false;
        behindPointer = true;
        local = ours.target;
        target = theirs.target;
        break;
      case BtfKind.Array:
        if (theirs.kind !== BtfKind.Array || ours.length !== theirs.length) return false;
        local = ours.element;
        target = theirs.element;
        break;
      case BtfKind.FuncProto:
        if (theirs.kind !== BtfKind.FuncProto || ours.params.length !== theirs.params.length) return false;
        for (let i = 0; i < ours.params.length; i++) {
          const [our, their] = [ours.params[i]!.type, theirs.params[i]!.type];
          const memo = behindPointer ? comparison.behindPointer : comparison.plain;
          if (!memo.answer(our, their, () => match(our, their, behindPointer, level - 1, comparison))) return false;
        }
        local = ours.returns;
        target = theirs.returns;
        break;
      default:
        return false;
    }
  }
  throw tooDeep(root);
}

function membersMatch(local: CompositeType, target: CompositeType, level: number, comparison: Comparison): boolean {
  if (local.members.length > target.members.length) return false;
  const matches = (our: Member, their: Member): boolean =>
    namesMatch(our.name, their.name) &&
    comparison.plain.answer(our.type, their.type, () => match(our.type, their.type, false, level - 1, comparison));
  return local.members.every((our) => target.members.some((their) => matches(our, their)));
}

function enumsMatch(local: EnumType | Enum64Type, target: EnumType | Enum64Type): boolean {
  if (local.size !== target.size || local.values.length > target.values.length) return false;
  const names = new Set<string>();
  for (const value of target.values) names.add(essentialName(value.name));
  return local.values.every((value) => names.has(essentialName(value.name)));
}

/** An anonymous type or member matches anonymous ones only: an empty name is its own essential name. */
function namesMatch(local: string, target: string): boolean {
  return local === target || essentialName(local) === essentialName(target);
}

function compositeKindOf(fwd: FwdType): BtfKind {
  return fwd.union ? BtfKind.Union : BtfKind.Struct;
}
