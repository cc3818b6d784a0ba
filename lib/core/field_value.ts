/**
 * The answers to questions about a field: where it lies, how big it is, how to shift a bitfield out of the integer that is
 * loaded.
 *
 * @module
 */
import { BpfCoreReloKind, BtfKind } from "../uapi/mod.ts";
import type { ByteOrder } from "../bytes.ts";
import { type BtfType, sizeOf, skipModifiersAndTypedefs } from "../btf/mod.ts";
import { RelocationError } from "../errors.ts";
import type { AccessSpec, MemberStep } from "./access_spec.ts";
import { describeAccess, describeType } from "./describe.ts";
import { relocationKindName } from "./kinds.ts";
import type { RelocationValue } from "./value.ts";

/** How BTF lays out memory. */
export interface Layout {
  readonly order: ByteOrder;
  /** Size of a pointer in bytes. */
  readonly pointerSize: number;
}

/** The memory that is loaded to get at a field. */
interface Extent {
  readonly offsetBytes: number;
  readonly sizeBytes: number;
  /** Number of the field's own bits. */
  readonly bits: number;
}

/**
 * The answer of `kind` for the field at the end of `access`.
 *
 * @throws {RelocationError} if the question makes no sense for the field, or its type has no size.
 */
export function fieldValue(kind: BpfCoreReloKind, access: AccessSpec, layout: Layout): RelocationValue {
  // The access alone proves that the field is there.
  if (kind === BpfCoreReloKind.BPF_CORE_FIELD_EXISTS) return { value: 1, checked: true };
  const last = access.steps[access.steps.length - 1]!;
  return last.kind === "element"
    ? elementValue(kind, access, last.type, layout)
    : memberValue(kind, access, last, layout);
}

function elementValue(kind: BpfCoreReloKind, access: AccessSpec, type: BtfType, layout: Layout): RelocationValue {
  switch (kind) {
    case BpfCoreReloKind.BPF_CORE_FIELD_BYTE_OFFSET: {
      const width = { bytes: innermostSize(type, layout), type };
      return { value: Math.floor(access.offsetBits / 8), checked: true, width };
    }
    case BpfCoreReloKind.BPF_CORE_FIELD_BYTE_SIZE:
      return { value: sizeInBytes(type, layout), checked: true };
    default:
      throw new RelocationError(
        `${describeAccess(access)} is an array element (or no field at all), of which ${
          relocationKindName(kind)
        } says nothing`,
      );
  }
}

function memberValue(
  kind: BpfCoreReloKind,
  access: AccessSpec,
  { member, type }: MemberStep,
  layout: Layout,
): RelocationValue {
  const bitfield = member.bitfieldBits > 0;
  // By far the most frequent question.
  if (kind === BpfCoreReloKind.BPF_CORE_FIELD_BYTE_OFFSET && !bitfield) {
    return {
      value: Math.floor(access.offsetBits / 8),
      checked: true,
      width: { bytes: innermostSize(type, layout), type },
    };
  }
  const extent = bitfield ? bitfieldExtent(access, type, member.bitfieldBits) : plainExtent(access, type, layout);
  // Compilers differ in how they load a bitfield, so the object's own offset and size can't be checked.
  const checked = !bitfield;
  switch (kind) {
    case BpfCoreReloKind.BPF_CORE_FIELD_BYTE_OFFSET:
      return { value: extent.offsetBytes, checked };
    case BpfCoreReloKind.BPF_CORE_FIELD_BYTE_SIZE:
      return { value: extent.sizeBytes, checked };
    case BpfCoreReloKind.BPF_CORE_FIELD_SIGNED:
      return { value: isSigned(type) ? 1 : 0, checked: true };
    case BpfCoreReloKind.BPF_CORE_FIELD_LSHIFT_U64:
      return { value: leftShift(access.offsetBits, extent, layout.order), checked };
    case BpfCoreReloKind.BPF_CORE_FIELD_RSHIFT_U64:
      return { value: (64 - extent.bits) >>> 0, checked: true };
    default:
      throw new RelocationError(`${relocationKindName(kind)} is not a question about a field`);
  }
}

function plainExtent(access: AccessSpec, type: BtfType, layout: Layout): Extent {
  const sizeBytes = sizeInBytes(type, layout);
  return { offsetBytes: Math.floor(access.offsetBits / 8), sizeBytes, bits: sizeBytes * 8 };
}

/**
 * The smallest aligned integer, from the member's own type up to 8 bytes, that holds all of a bitfield. For
 * `int a: 30, b: 4` that is bytes 0 to 3 for `a`, and 0 to 7 for `b`.
 */
function bitfieldExtent(access: AccessSpec, type: BtfType, bits: number): Extent {
  if (type.kind !== BtfKind.Int && type.kind !== BtfKind.Enum && type.kind !== BtfKind.Enum64 || type.size === 0) {
    throw new RelocationError(
      `${describeAccess(access)} is a bitfield of type ${describeType(type)}, which is no integer`,
    );
  }
  const startByte = Math.floor(access.offsetBits / 8);
  const endBits = access.offsetBits + bits;
  let sizeBytes = type.size;
  let offsetBytes = startByte - startByte % sizeBytes;
  while (endBits > (offsetBytes + sizeBytes) * 8) {
    if (sizeBytes >= 8) {
      throw new RelocationError(`${describeAccess(access)} is a bitfield that no load of 8 bytes can hold`);
    }
    sizeBytes *= 2;
    offsetBytes = startByte - startByte % sizeBytes;
  }
  return { offsetBytes, sizeBytes, bits };
}

/**
 * How far to shift a loaded field left, so that its top bit becomes bit 63. The bits of a big-endian bitfield are counted
 * from the top of its integer, which a load puts into the low end of the register. Arithmetic is that of 32-bit C, so
 * that the size of a whole struct gives the (useless) value that the compiler gave it.
 */
function leftShift(offsetBits: number, extent: Extent, order: ByteOrder): number {
  const within = offsetBits - extent.offsetBytes * 8;
  return order === "little" ? 64 - (within + extent.bits) >>> 0 : (8 - extent.sizeBytes) * 8 + within >>> 0;
}

function isSigned(type: BtfType): boolean {
  return (type.kind === BtfKind.Int || type.kind === BtfKind.Enum || type.kind === BtfKind.Enum64) && type.signed;
}

/** Size of one element of (an array of arrays of) `type`: what a single load or store moves. */
function innermostSize(type: BtfType, layout: Layout): number {
  while (type.kind === BtfKind.Array) type = skipModifiersAndTypedefs(type.element);
  return sizeInBytes(type, layout);
}

function sizeInBytes(type: BtfType, layout: Layout): number {
  const size = sizeOf(type, layout.pointerSize);
  if (size === undefined) throw new RelocationError(`${describeType(type)} has no size`);
  return size;
}
