/**
 * Bytes on the command line, as bpftool takes and prints them.
 *
 * @module
 */
import type { Words } from "../btf/words.ts";
import { UsageError } from "../command.ts";

/**
 * Takes `size` bytes: `1 0 0 0`, `0x01 0 0 0`, octal `017`, or `hex 0a ff`.
 *
 * @param what What they are, for messages: `"key"`.
 */
export function takeBytes(words: Words, size: number, what: string): Uint8Array<ArrayBuffer> {
  const hex = words.peek() === "hex" && words.take("hex") !== "";
  return Uint8Array.from({ length: size }, (_, index) => {
    const word = words.peek();
    if (word === undefined) throw new UsageError(`${what}: it has ${size} bytes, only ${index} are given`);
    const number = toNumber(words.take(what), hex);
    if (!(number <= 255)) throw new UsageError(`${what}: "${word}" is no byte`);
    return number;
  });
}

function toNumber(word: string, hex: boolean): number {
  if (hex) return /^(0x)?[0-9a-f]+$/i.test(word) ? parseInt(word, 16) : NaN;
  if (/^0[0-7]+$/.test(word)) return parseInt(word, 8);
  return /^(0x[0-9a-f]+|\d+)$/i.test(word) ? Number(word) : NaN;
}

/** `01 00 00 00` */
export function hexText(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

/** `["0x01","0x00"]` */
export function hexJson(bytes: Uint8Array): string[] {
  return Array.from(bytes, (byte) => `0x${byte.toString(16).padStart(2, "0")}`);
}
