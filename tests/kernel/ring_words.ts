/**
 * The records of testdata/ring_wraps.bpf.c.
 *
 * @module
 */

/** How many words a record has, by its number. */
export function ringWords(number: number): number {
  return Math.imul(number, 2654435761) >>> 16 & 63;
}

/** Bytes that it takes in the ring, by its number. */
export function ringBytes(number: number): number {
  return (8 + 12 + ringWords(number) * 4 + 7) & ~7;
}
