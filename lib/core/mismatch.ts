/**
 * Why a candidate is not what a relocation looks for. Holds the types, not words: most mismatches are never read.
 *
 * @module
 */
import type { ArrayType, BtfType, Member } from "../btf/mod.ts";
import { describeType } from "./describe.ts";

/** Why a candidate does not match, in one word. */
export type MismatchReason =
  | "no-member"
  | "incompatible-member"
  | "not-an-array"
  | "array-too-short"
  | "incompatible-type"
  | "no-enumerator";

/** The first thing in which a candidate differs. */
export type Mismatch =
  /** `parent` has no member `name`, not even in an anonymous struct or union inside. */
  | { readonly reason: "no-member"; readonly parent: BtfType; readonly name: string }
  /** The member is there, and its type is of another sort. */
  | {
    readonly reason: "incompatible-member";
    readonly parent: BtfType;
    readonly member: Member;
    readonly local: BtfType;
  }
  /** An element is wanted of something that is no array. */
  | { readonly reason: "not-an-array"; readonly type: BtfType }
  /** The array is too short. */
  | { readonly reason: "array-too-short"; readonly type: ArrayType; readonly index: number }
  /** The type is named alike, but differs. */
  | { readonly reason: "incompatible-type"; readonly type: BtfType; readonly local: BtfType }
  /** The enum has no value of that name. */
  | { readonly reason: "no-enumerator"; readonly type: BtfType; readonly name: string };

/** The mismatch as the end of a sentence about the candidate. */
export function describeMismatch(mismatch: Mismatch): string {
  switch (mismatch.reason) {
    case "no-member":
      return `${describeType(mismatch.parent)} has no member "${mismatch.name}"`;
    case "incompatible-member":
      return `${describeType(mismatch.parent)}.${mismatch.member.name} is of type ${
        describeType(mismatch.member.type)
      }, ` +
        `which code written for ${describeType(mismatch.local)} can't access`;
    case "not-an-array":
      return `${describeType(mismatch.type)} is not an array`;
    case "array-too-short":
      return `${describeType(mismatch.type)} has no element ${mismatch.index}`;
    case "incompatible-type":
      return `${describeType(mismatch.type)} differs from the object's ${describeType(mismatch.local)}`;
    case "no-enumerator":
      return `${describeType(mismatch.type)} has no value ${mismatch.name}`;
    default:
      return mismatch satisfies never;
  }
}
