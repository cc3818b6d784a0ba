/**
 * An access, understood: which members and elements it goes through, and where it ends.
 *
 * Anonymous structs and unions leave no step, because the target may nest its members otherwise. For
 *
 * ```c
 * struct sample { int x; struct { int y; int a[7]; }; };
 * ```
 *
 * the accessor `"0:1:1:3"` (`&s->a[3]`) has three steps: `[0]`, `.a`, `[3]`.
 *
 * @module
 */
import { type BtfType, type CompositeType, type Member, sizeOf } from "../btf/mod.ts";
import { RelocationError } from "../errors.ts";
import { BtfKind } from "../uapi/mod.ts";
import { describeType } from "./describe.ts";

/** One named member, through any anonymous ones around it. */
export interface MemberStep {
  readonly kind: "member";
  /** The struct or union that has the member itself. */
  readonly parent: CompositeType;
  /** Position of the member in `parent`. */
  readonly index: number;
  readonly member: Member;
  /** Type of the member, without modifiers and typedefs. */
  readonly type: BtfType;
}

/** Pointer arithmetic on the root, or an array element. */
export interface ElementStep {
  readonly kind: "element";
  readonly index: number;
  /** Type of the element, without modifiers and typedefs. */
  readonly type: BtfType;
}

/** One step of an access. */
export type AccessStep = MemberStep | ElementStep;

/** A field access, in the object or in a target. */
export interface AccessSpec {
  /** The type that the access starts from, as it is named. */
  readonly root: BtfType;
  /** The first step is always an element: the index that is added to the pointer. */
  readonly steps: readonly AccessStep[];
  /** Offset of the accessed field's first bit from the pointer. */
  readonly offsetBits: number;
}

/**
 * Whether an array is flexible: without a length, and the last member of its struct. Such an array has elements at any
 * index.
 */
export function isFlexibleArray(step: AccessStep, length: number): boolean {
  return length === 0 && step.kind === "member" && step.index === step.parent.members.length - 1;
}

/**
 * Offset in bits of element `index` of an array of `type`.
 *
 * @throws {RelocationError} if `type` has no size, or the offset no room in 32 bits.
 */
export function elementOffsetBits(index: number, type: BtfType, pointerSize: number): number {
  // Nearly every access starts so.
  if (index === 0 && (type.kind === BtfKind.Struct || type.kind === BtfKind.Union)) return 0;
  const size = sizeOf(type, pointerSize);
  if (size === undefined) throw new RelocationError(`${describeType(type)} has no size, so it can't be accessed`);
  const offset = index * size * 8;
  if (offset > 0xffffffff) {
    throw new RelocationError(`element ${index} of ${describeType(type)} lies ${index} * ${size} bytes away: too far`);
  }
  return offset;
}
