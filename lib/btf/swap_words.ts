/**
 * Byte order of whole blobs: BTF is made of 32-bit words.
 *
 * @module
 */

/** Turns each 32-bit word of `bytes` (whose length is a multiple of 4) from one byte order to the other, in place. */
export function swapWords(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; at += 4) bytes.subarray(at, at + 4).reverse();
}
