/**
 * Structures that the kernel reads and writes, as tables: a field's name is the kernel's in camelCase.
 *
 * @module
 */
import { HOST_BYTE_ORDER } from "../../lib/bytes.ts";
import { native } from "./libc.ts";

/** How a field is stored; `name` is `char[16]`, `tag` is `__u8[8]`, a `pointer` takes 64 bits. */
export type FieldKind = "u16" | "u32" | "s32" | "u64" | "pointer" | "name" | "tag";

/** Offset in bytes and storage of each field. */
export type FieldTable = { readonly [field: string]: readonly [offset: number, kind: FieldKind] };

/** A structure: its fields, and its size in bytes up to the end of the last. */
export interface Layout<F extends FieldTable = FieldTable> {
  /** The fields. */
  readonly fields: F;
  /** Offset in bytes of the end of the last field. */
  readonly size: number;
}

/** What a `pointer` field takes: memory that the kernel reads or writes, a string (a NUL is added), or an address. */
export type Pointee = ArrayBufferView | string | bigint | null;

/** What a field takes. */
type Input<K extends FieldKind> = K extends "u64" ? number | bigint
  : K extends "pointer" ? Pointee
  : K extends "name" ? string
  : K extends "tag" ? never
  : number;

/** What a field gives: for a pointer the address. */
type Output<K extends FieldKind> = K extends "u64" | "pointer" ? bigint
  : K extends "name" ? string
  : K extends "tag" ? Uint8Array<ArrayBuffer>
  : number;

/** Values for some of the fields; the others are zero. */
export type Inputs<F extends FieldTable> = { readonly [N in keyof F]?: Input<F[N][1]> | undefined };

/** Values of all fields. */
export type Outputs<F extends FieldTable> = { [N in keyof F]: Output<F[N][1]> };

const WIDTHS: Record<FieldKind, number> = { u16: 2, u32: 4, s32: 4, u64: 8, pointer: 8, name: 16, tag: 8 };
const LITTLE = HOST_BYTE_ORDER === "little";
const UTF8 = new TextEncoder();

/** Makes a {@linkcode Layout} of its fields. */
export function layout<const F extends FieldTable>(fields: F): Layout<F> {
  return { fields, size: Math.max(...Object.values(fields).map(([offset, kind]) => offset + WIDTHS[kind])) };
}

/** The UTF-8 bytes of `text` and a NUL. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  if (text.includes("\0")) throw new TypeError(`a string for the kernel cannot contain a NUL: ${JSON.stringify(text)}`);
  return UTF8.encode(`${text}\0`);
}

/** The text of the bytes before the first NUL (all of them without one). */
export function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}

/** The address of `memory`; 0 for empty memory. It stays right while `memory` is reachable and not transferred. */
export function addressOf(memory: ArrayBufferView): bigint {
  return Deno.UnsafePointer.value(Deno.UnsafePointer.of(memory as ArrayBufferView<ArrayBuffer>));
}

/**
 * Memory for a structure, allocated once and used again for every call: its address is taken once, and what its pointers
 * point at is kept reachable until {@linkcode WireBuffer.release}. (Optimised code drops a buffer after its last use in
 * JavaScript, also when the kernel is about to read it.)
 */
export class WireBuffer {
  /** The memory. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The memory, for reading results. */
  readonly view: DataView<ArrayBuffer>;
  /** Where it is. */
  readonly pointer: Deno.PointerObject;
  readonly #kept: unknown[] = [];

  /** @param size Size in bytes. */
  constructor(size: number) {
    // Where FFI is not allowed, this says so in our words; Deno's would come from the next lines.
    native();
    this.bytes = new Uint8Array(size);
    this.view = new DataView(this.bytes.buffer);
    const pointer = Deno.UnsafePointer.of(this.bytes);
    if (pointer === null) throw new RangeError("a structure cannot be empty");
    this.pointer = pointer;
  }

  /** Zeroes all, then sets the fields that `inputs` names. */
  fill<F extends FieldTable>(layout: Layout<F>, inputs: Inputs<F>): void {
    this.#kept.length = 0;
    this.bytes.fill(0);
    this.set(layout, inputs);
  }

  /** Sets the fields that `inputs` names. */
  set<F extends FieldTable>(layout: Layout<F>, inputs: Inputs<F>): void {
    const table: FieldTable = layout.fields;
    for (const [name, value] of Object.entries<number | bigint | Pointee | undefined>(inputs)) {
      const field = table[name];
      if (field === undefined || value === undefined || value === null) continue;
      this.#write(field[0], field[1], value);
    }
  }

  /** The value of a field. */
  get<F extends FieldTable, N extends keyof F & string>(layout: Layout<F>, name: N): Output<F[N][1]> {
    const [offset, kind] = layout.fields[name]!;
    return this.#read(offset, kind) as Output<F[N][1]>;
  }

  /** The values of all fields. */
  read<F extends FieldTable>(layout: Layout<F>): Outputs<F> {
    const entries = Object.entries<FieldTable[string]>(layout.fields);
    return Object.fromEntries(entries.map(([name, [offset, kind]]) => [name, this.#read(offset, kind)])) as Outputs<F>;
  }

  /** Keeps `memory` reachable until {@linkcode WireBuffer.release}, for addresses that were taken elsewhere. */
  keep(memory: unknown): void {
    this.#kept.push(memory);
  }

  /** To be called after the system call: what the pointers point at may go. */
  release(): void {
    this.#kept.length = 0;
  }

  #write(offset: number, kind: FieldKind, value: number | bigint | Exclude<Pointee, null>): void {
    switch (kind) {
      case "u16":
        return this.view.setUint16(offset, Number(value), LITTLE);
      case "u32":
        return this.view.setUint32(offset, Number(value), LITTLE);
      case "s32":
        return this.view.setInt32(offset, Number(value), LITTLE);
      case "u64":
        return this.view.setBigUint64(offset, BigInt(value as number | bigint), LITTLE);
      case "pointer":
        return this.view.setBigUint64(offset, this.#address(value as Exclude<Pointee, null>), LITTLE);
      case "name": {
        // The kernel wants the NUL to be inside; what does not fit is cut, never in the middle of a character.
        UTF8.encodeInto(value as string, this.bytes.subarray(offset, offset + WIDTHS.name - 1));
        return;
      }
      case "tag":
        throw new TypeError("a tag is only read");
      default:
        return kind satisfies never;
    }
  }

  #read(offset: number, kind: FieldKind): Output<FieldKind> {
    switch (kind) {
      case "u16":
        return this.view.getUint16(offset, LITTLE);
      case "u32":
        return this.view.getUint32(offset, LITTLE);
      case "s32":
        return this.view.getInt32(offset, LITTLE);
      case "u64":
      case "pointer":
        return this.view.getBigUint64(offset, LITTLE);
      case "name":
        return textOf(this.bytes.subarray(offset, offset + WIDTHS.name));
      case "tag":
        return this.bytes.slice(offset, offset + WIDTHS.tag);
      default:
        return kind satisfies never;
    }
  }

  #address(pointee: Exclude<Pointee, null>): bigint {
    if (typeof pointee === "bigint") return pointee;
    const memory = typeof pointee === "string" ? cString(pointee) : pointee;
    this.#kept.push(memory);
    return addressOf(memory);
  }
}
