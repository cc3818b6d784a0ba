/**
 * Integers of any width: bitfields, and the 128 bits that `DataView` does not know.
 *
 * @module
 */

/** The whole `size` bytes (1 to 17) at `offset` as an unsigned bigint. */
function loadWide(view: DataView, offset: number, size: number, little: boolean): bigint {
  let value = 0n;
  for (let i = 0; i < size; i++) {
    value = value << 8n | BigInt(view.getUint8(little ? offset + size - 1 - i : offset + i));
  }
  return value;
}

/** The whole `size` bytes (1 to 4) at `offset` as an unsigned number. */
function loadNarrow(view: DataView, offset: number, size: number, little: boolean): number {
  switch (size) {
    case 1:
      return view.getUint8(offset);
    case 2:
      return view.getUint16(offset, little);
    case 3: {
      const [low, high] = little ? [offset, offset + 2] : [offset + 2, offset];
      return view.getUint8(low) | view.getUint8(offset + 1) << 8 | view.getUint8(high) << 16;
    }
    default:
      return view.getUint32(offset, little);
  }
}

/**
 * `bits` bits of the `size` bytes at `offset`, from the bit `shift` above the least significant one: a number up to 32
 * bits, a bigint above.
 */
export function readBits(
  view: DataView,
  offset: number,
  size: number,
  shift: number,
  bits: number,
  signed: boolean,
  little: boolean,
): number | bigint {
  if (size <= 4) {
    const raw = loadNarrow(view, offset, size, little) << (32 - bits - shift);
    return signed ? raw >> (32 - bits) : raw >>> (32 - bits);
  }
  const raw = loadWide(view, offset, size, little) >> BigInt(shift);
  const value = signed ? BigInt.asIntN(bits, raw) : BigInt.asUintN(bits, raw);
  return bits <= 32 ? Number(value) : value;
}

/** Writes `value`, which fits, where {@linkcode readBits} reads; the bits around it stay. */
export function writeBits(
  view: DataView,
  offset: number,
  size: number,
  shift: number,
  bits: number,
  value: number | bigint,
  little: boolean,
): void {
  const mask = (1n << BigInt(bits)) - 1n << BigInt(shift);
  const field = BigInt.asUintN(bits, BigInt(value)) << BigInt(shift);
  let bytes = loadWide(view, offset, size, little) & ~mask | field;
  for (let i = 0; i < size; i++) {
    view.setUint8(little ? offset + i : offset + size - 1 - i, Number(bytes & 0xffn));
    bytes >>= 8n;
  }
}

/** The integer of 16 bytes at `offset`. */
export function readInt128(view: DataView, offset: number, signed: boolean, little: boolean): bigint {
  const low = view.getBigUint64(little ? offset : offset + 8, little);
  const highOffset = little ? offset + 8 : offset;
  const high = signed ? view.getBigInt64(highOffset, little) : view.getBigUint64(highOffset, little);
  return high << 64n | low;
}

/** Writes an integer of 16 bytes, whatever its sign. */
export function writeInt128(view: DataView, offset: number, value: bigint, little: boolean): void {
  view.setBigUint64(little ? offset : offset + 8, BigInt.asUintN(64, value), little);
  view.setBigUint64(little ? offset + 8 : offset, BigInt.asUintN(64, value >> 64n), little);
}
