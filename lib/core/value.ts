/**
 * The value that a relocation stands for, in the object and in a target.
 *
 * @module
 */
import { BpfCoreReloKind, BtfKind } from "../uapi/mod.ts";
import { type BtfType, sizeOf } from "../btf/mod.ts";
import { RelocationError } from "../errors.ts";
import { describeType } from "./describe.ts";
import { fieldValue, type Layout } from "./field_value.ts";
import { relocationKindName } from "./kinds.ts";
import type { EnumeratorSubject, Subject } from "./subject.ts";

/** What one instruction moves when it accesses a field. */
export interface AccessWidth {
  readonly bytes: number;
  /** The field's type, without modifiers and typedefs. */
  readonly type: BtfType;
}

/** A value and what is known about it. */
export interface RelocationValue {
  /** A number, except for the values of 64-bit enums. */
  readonly value: number | bigint;
  /** Of the object's own value: whether the instruction must hold it. */
  readonly checked: boolean;
  /** Only of the offset of a field that is no bitfield. */
  readonly width?: AccessWidth;
}

/**
 * The answer of `kind` for `subject`, in BTF of the given layout.
 *
 * @throws {RelocationError} if the question makes no sense for the subject.
 */
export function relocationValue(kind: BpfCoreReloKind, subject: Subject, layout: Layout): RelocationValue {
  switch (subject.family) {
    case "field":
      return fieldValue(kind, subject.access, layout);
    case "type":
      return typeValue(kind, subject.root, layout);
    case "enumerator":
      if (kind === BpfCoreReloKind.BPF_CORE_ENUMVAL_EXISTS) return { value: 1, checked: true };
      return { value: enumeratorValue(subject), checked: true };
    default:
      return subject satisfies never;
  }
}

/** What `kind` answers when no candidate matches; `undefined` if there is no answer, so that the instruction is poisoned. */
export function missingValue(kind: BpfCoreReloKind): 0 | undefined {
  switch (kind) {
    case BpfCoreReloKind.BPF_CORE_FIELD_EXISTS:
    case BpfCoreReloKind.BPF_CORE_TYPE_ID_TARGET:
    case BpfCoreReloKind.BPF_CORE_TYPE_EXISTS:
    case BpfCoreReloKind.BPF_CORE_TYPE_SIZE:
    case BpfCoreReloKind.BPF_CORE_TYPE_MATCHES:
    case BpfCoreReloKind.BPF_CORE_ENUMVAL_EXISTS:
      return 0;
    default:
      return undefined;
  }
}

/** Whether two values are the same 64 bits: -1 of a 32-bit enum is 2^64 - 1 of a 64-bit one. */
export function sameValue(a: number | bigint, b: number | bigint): boolean {
  if (typeof a === "number" && typeof b === "number") return a === b;
  return BigInt.asUintN(64, BigInt(a)) === BigInt.asUintN(64, BigInt(b));
}

/** libbpf reads the values of a 32-bit enum as signed, even where the enum is not. */
function enumeratorValue({ type, index }: EnumeratorSubject): number | bigint {
  return type.kind === BtfKind.Enum ? type.values[index]!.value | 0 : type.values[index]!.value;
}

function typeValue(kind: BpfCoreReloKind, type: BtfType, layout: Layout): RelocationValue {
  switch (kind) {
    case BpfCoreReloKind.BPF_CORE_TYPE_ID_TARGET:
      // A linker that merged objects has renumbered their types, so the id in the instruction says nothing.
      return { value: type.id, checked: false };
    case BpfCoreReloKind.BPF_CORE_TYPE_EXISTS:
    case BpfCoreReloKind.BPF_CORE_TYPE_MATCHES:
      return { value: 1, checked: true };
    case BpfCoreReloKind.BPF_CORE_TYPE_SIZE: {
      const size = sizeOf(type, layout.pointerSize);
      if (size === undefined) throw new RelocationError(`${describeType(type)} has no size`);
      return { value: size, checked: true };
    }
    default:
      throw new RelocationError(`${relocationKindName(kind)} is not a question about a target's type`);
  }
}
