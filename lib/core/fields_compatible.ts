/**
 * May a field of one type stand for a field of another? Looser than C: what matters is that the same code can read both.
 *
 * @module
 */
import { BtfKind } from "../uapi/mod.ts";
import { type BtfType, essentialName, skipModifiersAndTypedefs } from "../btf/mod.ts";

/** Whether two kinds are one for CO-RE: equal, or both enums of whatever width. */
export function kindsCompatible(local: BtfKind, target: BtfKind): boolean {
  return local === target || (isEnum(local) && isEnum(target));
}

/**
 * Whether a member of type `target` can be accessed by code that was written for type `local`. Modifiers and typedefs are
 * stripped first; then
 *
 * 1. any struct or union goes with any struct or union: their members are matched by name later;
 * 2. any pointer goes with any pointer, any float with any float;
 * 3. any integer goes with any integer, whatever its size and sign, unless one of them is a legacy bitfield;
 * 4. enums (32 or 64 bits) and forward declarations go together if their names are equal without flavours, or one has none;
 * 5. arrays go together if their elements do, whatever their lengths;
 * 6. nothing else.
 */
export function fieldsCompatible(local: BtfType, target: BtfType): boolean {
  for (;;) {
    const ours = skipModifiersAndTypedefs(local);
    const theirs = skipModifiersAndTypedefs(target);
    if (isComposite(ours.kind) && isComposite(theirs.kind)) return true;
    if (!kindsCompatible(ours.kind, theirs.kind)) return false;
    switch (ours.kind) {
      case BtfKind.Ptr:
      case BtfKind.Float:
        return true;
      case BtfKind.Int:
        return theirs.kind === BtfKind.Int && ours.offsetBits === 0 && theirs.offsetBits === 0;
      case BtfKind.Enum:
      case BtfKind.Enum64:
      case BtfKind.Fwd:
        return ours.name === "" || theirs.name === "" || essentialName(ours.name) === essentialName(theirs.name);
      case BtfKind.Array:
        if (theirs.kind !== BtfKind.Array) return false;
        local = ours.element;
        target = theirs.element;
        break;
      default:
        return false;
    }
  }
}

function isEnum(kind: BtfKind): boolean {
  return kind === BtfKind.Enum || kind === BtfKind.Enum64;
}

function isComposite(kind: BtfKind): boolean {
  return kind === BtfKind.Struct || kind === BtfKind.Union;
}
