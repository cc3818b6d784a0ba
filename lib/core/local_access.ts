/**
 * From an accessor to the access that the object's author wrote. The object was built against these types, so anything
 * that does not fit them is a broken object, never a missing target.
 *
 * @module
 */
import { BtfKind } from "../uapi/mod.ts";
import { type BtfType, skipModifiersAndTypedefs } from "../btf/mod.ts";
import { RelocationError } from "../errors.ts";
import { type AccessSpec, type AccessStep, elementOffsetBits, isFlexibleArray } from "./access_spec.ts";
import { describeAccess, describeType } from "./describe.ts";

/**
 * The access that `indexes` describe, starting at `root`.
 *
 * @param pointerSize Size of a pointer in the object, in bytes.
 * @throws {RelocationError} if an index leaves its type, or a step goes into something that has no parts.
 */
export function localAccess(root: BtfType, indexes: readonly number[], pointerSize: number): AccessSpec {
  const first = indexes[0]!;
  let type = skipModifiersAndTypedefs(root);
  let last: AccessStep = { kind: "element", index: first, type };
  const steps: AccessStep[] = [last];
  let offsetBits = elementOffsetBits(first, type, pointerSize);
  for (let i = 1; i < indexes.length; i++) {
    const index = indexes[i]!;
    switch (type.kind) {
      case BtfKind.Struct:
      case BtfKind.Union: {
        const member = type.members[index];
        if (member === undefined) {
          throw leaves(root, steps, `member ${index} of ${describeType(type)}, which has ${type.members.length}`);
        }
        offsetBits += member.offsetBits;
        const inner = skipModifiersAndTypedefs(member.type);
        if (member.name !== "") steps.push(last = { kind: "member", parent: type, index, member, type: inner });
        type = inner;
        break;
      }
      case BtfKind.Array: {
        if (index >= type.length && !isFlexibleArray(last, type.length)) {
          throw leaves(root, steps, `element ${index} of ${describeType(type)}`);
        }
        type = skipModifiersAndTypedefs(type.element);
        offsetBits += elementOffsetBits(index, type, pointerSize);
        steps.push(last = { kind: "element", index, type });
        break;
      }
      default:
        throw leaves(root, steps, `part ${index} of ${describeType(type)}, which has no parts`);
    }
  }
  return { root, steps, offsetBits };
}

function leaves(root: BtfType, steps: readonly AccessStep[], what: string): RelocationError {
  const access = describeAccess({ root, steps, offsetBits: 0 });
  return new RelocationError(`${access}: the accessor asks for ${what}: the object's .BTF.ext does not fit its BTF`);
}
