/**
 * The object's subject, looked for in a candidate of a target: the heart of CO-RE.
 *
 * @module
 */
import { BpfCoreReloKind, BtfKind } from "../uapi/mod.ts";
import { type BtfType, essentialName, skipModifiersAndTypedefs } from "../btf/mod.ts";
import { RelocationError } from "../errors.ts";
import { type AccessSpec, type AccessStep, elementOffsetBits, isFlexibleArray } from "./access_spec.ts";
import { MAX_ACCESS_STEPS } from "./accessor.ts";
import { describeType } from "./describe.ts";
import { fieldsCompatible } from "./fields_compatible.ts";
import { findMember } from "./find_member.ts";
import type { Mismatch } from "./mismatch.ts";
import type { EnumeratorSubject, Subject } from "./subject.ts";
import { typesCompatible } from "./types_compatible.ts";
import { typesMatch } from "./types_match.ts";

/**
 * What `local` is in the candidate type `target`, or why it is not there.
 *
 * @param kind The relocation's kind: `type_matches` compares types more strictly than the others.
 * @param pointerSize Size of a pointer in the target, in bytes.
 * @throws {RelocationError} if the target's types can't be followed: no size, too deep.
 */
export function matchSubject(
  local: Subject,
  target: BtfType,
  kind: BpfCoreReloKind,
  pointerSize: number,
): Subject | Mismatch {
  switch (local.family) {
    case "type": {
      const same = kind === BpfCoreReloKind.BPF_CORE_TYPE_MATCHES
        ? typesMatch(local.root, target)
        : typesCompatible(local.root, target);
      return same ? { family: "type", root: target } : { reason: "incompatible-type", type: target, local: local.root };
    }
    case "enumerator":
      return matchEnumerator(local, target);
    case "field": {
      const access = matchAccess(local.access, target, pointerSize);
      return "reason" in access ? access : { family: "field", root: target, access };
    }
    default:
      return local satisfies never;
  }
}

/** Whether a candidate did not match. */
export function isMismatch(result: Subject | Mismatch): result is Mismatch {
  return "reason" in result;
}

/** Enumerators are compared by name without flavours: `X___old` is how an object asks for what it has another `X` for. */
function matchEnumerator(local: EnumeratorSubject, target: BtfType): Subject | Mismatch {
  const name = essentialName(local.type.values[local.index]!.name);
  const type = skipModifiersAndTypedefs(target);
  if (type.kind === BtfKind.Enum || type.kind === BtfKind.Enum64) {
    for (let index = 0; index < type.values.length; index++) {
      if (essentialName(type.values[index]!.name) === name) return { family: "enumerator", root: target, type, index };
    }
  }
  return { reason: "no-enumerator", type: target, name };
}

/**
 * Goes through the target as `local` goes through the object's own type: every named member is looked for by name, every
 * element by its index, which must be inside the target's array.
 */
function matchAccess(local: AccessSpec, root: BtfType, pointerSize: number): AccessSpec | Mismatch {
  const steps: AccessStep[] = [];
  let type = skipModifiersAndTypedefs(root);
  let offsetBits = 0;
  let levels = 0;
  for (let i = 0; i < local.steps.length; i++) {
    const ours = local.steps[i]!;
    if (ours.kind === "member") {
      const found = findMember(type, ours.member.name, levels);
      if (found === undefined) return { reason: "no-member", parent: type, name: ours.member.name };
      const step = found.step;
      if (!fieldsCompatible(ours.type, step.type)) {
        return { reason: "incompatible-member", parent: step.parent, member: step.member, local: ours.member.type };
      }
      steps.push(step);
      levels += found.levels;
      offsetBits += found.offsetBits;
      type = step.type;
      continue;
    }
    // The first index steps from the root itself, as from an array of it; the others from an array.
    if (steps.length > 0) {
      if (type.kind !== BtfKind.Array) return { reason: "not-an-array", type };
      if (ours.index >= type.length && !isFlexibleArray(steps[steps.length - 1]!, type.length)) {
        return { reason: "array-too-short", type, index: ours.index };
      }
      type = skipModifiersAndTypedefs(type.element);
    }
    if (++levels > MAX_ACCESS_STEPS) {
      throw new RelocationError(`${describeType(root)} is accessed more than ${MAX_ACCESS_STEPS} levels deep`);
    }
    steps.push({ kind: "element", index: ours.index, type });
    offsetBits += elementOffsetBits(ours.index, type, pointerSize);
  }
  return { root, steps, offsetBits };
}
