/**
 * Are two types the same for `bpf_core_type_exists`, `bpf_core_type_size` and kernel type ids? libbpf checks ksyms and
 * kfuncs with the same rules.
 *
 * @module
 */
import { BtfKind } from "../uapi/mod.ts";
import { type BtfType, skipModifiersAndTypedefs } from "../btf/mod.ts";
import { RelocationError } from "../errors.ts";
import { describeType } from "./describe.ts";
import { kindsCompatible } from "./fields_compatible.ts";
import { PairMemo } from "./pair_memo.ts";

/** How deep types may nest before libbpf, and we, give up. */
export const MAX_TYPE_DEPTH = 32;

/**
 * Whether `target` is compatible with `local`. The caller has compared the names of the two: below the root, names do not
 * count. Modifiers and typedefs are stripped; kinds must be equal (32- and 64-bit enums are one kind); then
 *
 * 1. structs, unions, enums, forward declarations and `void`: always;
 * 2. integers: unless one of them is a legacy bitfield;
 * 3. pointers and arrays: if what they point at or hold is compatible;
 * 4. function prototypes: same number of parameters, all of them and the results compatible;
 * 5. nothing else; a float, for one, never is.
 *
 * @throws {RelocationError} if the types nest too deeply to tell.
 */
export function typesCompatible(local: BtfType, target: BtfType): boolean {
  return compare(local, target, MAX_TYPE_DEPTH, new PairMemo());
}

function compare(local: BtfType, target: BtfType, level: number, memo: PairMemo): boolean {
  const root = local;
  for (let depth = 0; depth < MAX_TYPE_DEPTH; depth++) {
    const ours = skipModifiersAndTypedefs(local);
    const theirs = skipModifiersAndTypedefs(target);
    if (!kindsCompatible(ours.kind, theirs.kind)) return false;
    switch (ours.kind) {
      case BtfKind.Unknown:
      case BtfKind.Struct:
      case BtfKind.Union:
      case BtfKind.Enum:
      case BtfKind.Enum64:
      case BtfKind.Fwd:
        return true;
      case BtfKind.Int:
        return theirs.kind === BtfKind.Int && ours.offsetBits === 0 && theirs.offsetBits === 0;
      case BtfKind.Ptr:
        if (theirs.kind !== BtfKind.Ptr) return false;
        local = ours.target;
        target = theirs.target;
        break;
      case BtfKind.Array:
        if (theirs.kind !== BtfKind.Array) return false;
        local = ours.element;
        target = theirs.element;
        break;
      case BtfKind.FuncProto:
        if (theirs.kind !== BtfKind.FuncProto || ours.params.length !== theirs.params.length) return false;
        for (let i = 0; i < ours.params.length; i++) {
          if (level <= 0) throw tooDeep(root);
          const [our, their] = [ours.params[i]!.type, theirs.params[i]!.type];
          if (!memo.answer(our, their, () => compare(our, their, level - 1, memo))) return false;
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

/** The error for types that nest so deeply that no answer is safe. */
export function tooDeep(type: BtfType): RelocationError {
  return new RelocationError(
    `${describeType(type)} nests more than ${MAX_TYPE_DEPTH} levels deep: it can't be compared`,
  );
}
