/**
 * Values of 64-bit enums.
 *
 * @module
 */

/** The value of two words. */
export function enumValue(low: number, high: number, signed: boolean): bigint {
  const value = BigInt(high) << 32n | BigInt(low);
  return signed ? BigInt.asIntN(64, value) : value;
}
