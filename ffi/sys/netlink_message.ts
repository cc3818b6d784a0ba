/**
 * Netlink messages: a header, a fixed structure, attributes that may nest (linux/netlink.h). All in the host's byte order.
 *
 * @module
 */
import { HOST_BYTE_ORDER } from "../../lib/bytes.ts";
import { FormatError } from "../../lib/errors.ts";
import { textOf } from "./wire.ts";

/** `struct nlmsghdr`: length, type, flags, sequence number, port. */
export const NLMSG_HEADER = { len: 0, type: 4, flags: 6, seq: 8, pid: 12, size: 16 } as const;
/** `struct nlattr`: length with header, type. */
const NLATTR = { len: 0, type: 2, size: 4 } as const;
const NLA_F_NESTED = 0x8000;
const NLA_TYPE_MASK = 0x3fff;
const LITTLE = HOST_BYTE_ORDER === "little";

/** The value of an attribute: a `u32`, text that ends with a NUL, bytes, nested attributes; `undefined` is left out. */
export type AttributeValue = number | string | Uint8Array | Attributes | undefined;

/** Attributes by their numbers. */
export interface Attributes {
  readonly [type: number]: AttributeValue;
}

/** The bytes of attributes, each padded to 4. */
export function encodeAttributes(attributes: Attributes): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  for (const [type, value] of Object.entries(attributes) as [string, AttributeValue][]) {
    if (value === undefined) continue;
    const nested = typeof value === "object" && !(value instanceof Uint8Array);
    const payload = payloadOf(value);
    const bytes = new Uint8Array(align(NLATTR.size + payload.length));
    const view = new DataView(bytes.buffer);
    view.setUint16(NLATTR.len, NLATTR.size + payload.length, LITTLE);
    view.setUint16(NLATTR.type, Number(type) | (nested ? NLA_F_NESTED : 0), LITTLE);
    bytes.set(payload, NLATTR.size);
    parts.push(bytes);
  }
  return concatenated(parts);
}

/** A message: header, structure, attributes. */
export function encodeMessage(
  type: number,
  flags: number,
  seq: number,
  fixed: Uint8Array,
  attributes: Attributes,
): Uint8Array<ArrayBuffer> {
  const body = concatenated([fixed, encodeAttributes(attributes)]);
  const bytes = new Uint8Array(NLMSG_HEADER.size + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(NLMSG_HEADER.len, bytes.length, LITTLE);
  view.setUint16(NLMSG_HEADER.type, type, LITTLE);
  view.setUint16(NLMSG_HEADER.flags, flags, LITTLE);
  view.setUint32(NLMSG_HEADER.seq, seq, LITTLE);
  bytes.set(body, NLMSG_HEADER.size);
  return bytes;
}

/** A message of the kernel. */
export interface NetlinkMessage {
  /** `NLMSG_*`, `RTM_*`. */
  readonly type: number;
  /** `NLM_F_*`. */
  readonly flags: number;
  /** That of the request. */
  readonly seq: number;
  /** What follows the header. */
  readonly body: DataView<ArrayBuffer>;
}

/**
 * The messages of one datagram.
 *
 * @throws {FormatError} if one does not end in it.
 */
export function decodeMessages(bytes: Uint8Array<ArrayBuffer>): NetlinkMessage[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const messages: NetlinkMessage[] = [];
  for (let at = 0; at + NLMSG_HEADER.size <= bytes.length;) {
    const length = view.getUint32(at + NLMSG_HEADER.len, LITTLE);
    if (length < NLMSG_HEADER.size || at + length > bytes.length) {
      throw new FormatError(`netlink: a message at byte ${at} has ${length} bytes, the datagram ${bytes.length}`);
    }
    messages.push({
      type: view.getUint16(at + NLMSG_HEADER.type, LITTLE),
      flags: view.getUint16(at + NLMSG_HEADER.flags, LITTLE),
      seq: view.getUint32(at + NLMSG_HEADER.seq, LITTLE),
      body: viewPart(view, at + NLMSG_HEADER.size, at + length),
    });
    at += align(length);
  }
  return messages;
}

/** Attributes that were read: the last of each type. */
export class AttributeReader {
  readonly #values: ReadonlyMap<number, DataView<ArrayBuffer>>;

  /** @param view Their bytes; what does not fit is left out, as the kernel does. @param offset Where they begin. */
  constructor(view: DataView<ArrayBuffer>, offset = 0) {
    const values = new Map<number, DataView<ArrayBuffer>>();
    for (let at = offset; at + NLATTR.size <= view.byteLength;) {
      const length = view.getUint16(at + NLATTR.len, LITTLE);
      if (length < NLATTR.size || at + length > view.byteLength) break;
      values.set(
        view.getUint16(at + NLATTR.type, LITTLE) & NLA_TYPE_MASK,
        viewPart(view, at + NLATTR.size, at + length),
      );
      at += align(length);
    }
    this.#values = values;
  }

  /** Is the attribute there. */
  has(type: number): boolean {
    return this.#values.has(type);
  }

  /** The value of a `u32`; `undefined` if it is not there. */
  u32(type: number): number | undefined {
    const value = this.#values.get(type);
    return value === undefined || value.byteLength < 4 ? undefined : value.getUint32(0, LITTLE);
  }

  /** The value of a `u8`; `undefined` if it is not there. */
  u8(type: number): number | undefined {
    const value = this.#values.get(type);
    return value === undefined || value.byteLength < 1 ? undefined : value.getUint8(0);
  }

  /** A text; `undefined` if it is not there. */
  text(type: number): string | undefined {
    const value = this.#values.get(type);
    return value === undefined ? undefined : textOf(bytesOf(value));
  }

  /** Nested attributes; none if they are not there. */
  nested(type: number): AttributeReader {
    return new AttributeReader(this.#values.get(type) ?? new DataView(new ArrayBuffer(0)));
  }

  /** The bytes of an attribute; `undefined` if it is not there. */
  bytes(type: number): Uint8Array<ArrayBuffer> | undefined {
    const value = this.#values.get(type);
    return value === undefined ? undefined : bytesOf(value).slice();
  }
}

/** The bytes of 16 bits: attributes of that width are given as bytes. */
export function u16(value: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Uint16Array.of(value).buffer);
}

function payloadOf(value: Exclude<AttributeValue, undefined>): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (typeof value === "number") return new Uint8Array(Uint32Array.of(value).buffer);
  if (typeof value === "string") return new TextEncoder().encode(`${value}\0`);
  return encodeAttributes(value);
}

function concatenated(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function viewPart(view: DataView<ArrayBuffer>, start: number, end: number): DataView<ArrayBuffer> {
  return new DataView(view.buffer, view.byteOffset + start, end - start);
}

function bytesOf(view: DataView<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

function align(length: number): number {
  return (length + 3) & ~3;
}
