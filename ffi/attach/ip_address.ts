/**
 * Addresses as text.
 *
 * @module
 */

/** An address and how many of its bits count. */
export interface Prefix {
  /** 4 or 16 bytes. */
  readonly address: Uint8Array<ArrayBuffer>;
  /** Bits that count. */
  readonly length: number;
}

/**
 * Reads `10.1.0.0/16`, `fd00::/8`; without a length all bits count.
 *
 * @throws {SyntaxError} if it is none.
 */
export function parsePrefix(text: string): Prefix {
  const [addressText = "", lengthText, more] = text.split("/");
  const address = parseAddress(addressText);
  const bits = address.length * 8;
  const length = lengthText === undefined ? bits : /^\d+$/.test(lengthText) ? Number(lengthText) : NaN;
  if (more !== undefined || !(length <= bits)) throw new SyntaxError(`"${text}" is no network: write 10.1.0.0/16`);
  return { address, length };
}

/**
 * Reads `10.1.0.1` into 4 bytes, `fd00::1` into 16.
 *
 * @throws {SyntaxError} if it is none.
 */
export function parseAddress(text: string): Uint8Array<ArrayBuffer> {
  const bytes = text.includes(":") ? ipv6(text) : ipv4(text);
  if (bytes === undefined) throw new SyntaxError(`"${text}" is no address: write 10.1.0.1 or fd00::1`);
  return Uint8Array.from(bytes);
}

function ipv4(text: string): number[] | undefined {
  const parts = text.split(".");
  const bytes = parts.map((part) => /^\d{1,3}$/.test(part) ? Number(part) : NaN);
  return parts.length === 4 && bytes.every((byte) => byte <= 255) ? bytes : undefined;
}

function ipv6(text: string): number[] | undefined {
  const [head, tail, more] = text.split("::");
  if (head === undefined || more !== undefined) return undefined;
  const [left, right] = [groups(head), tail === undefined ? [] : groups(tail)];
  if (left === undefined || right === undefined) return undefined;
  const missing = 16 - left.length - right.length;
  if (tail === undefined ? missing !== 0 : missing < 2) return undefined;
  return [...left, ...new Array<number>(missing).fill(0), ...right];
}

/** The bytes of groups of hexadecimal digits; the last group may be an IPv4 address. */
function groups(text: string): number[] | undefined {
  if (text === "") return [];
  const bytes: number[] = [];
  const parts = text.split(":");
  for (const [index, part] of parts.entries()) {
    const dotted = index === parts.length - 1 && part.includes(".") ? ipv4(part) : undefined;
    if (dotted !== undefined) {
      bytes.push(...dotted);
    } else {
      if (!/^[0-9a-f]{1,4}$/i.test(part)) return undefined;
      const group = parseInt(part, 16);
      bytes.push(group >> 8, group & 0xff);
    }
  }
  return bytes;
}
