/**
 * Layouts: BTF types made ready for reading values. Modifiers and typedefs are gone, bitfields of both encodings are
 * byte offset, shift and width, members of anonymous structs and unions are listed with their parent's. The interpreter
 * and the code generator both work from these, so what a value is gets decided in one place (`build_layout.ts`).
 *
 * @module
 */

/** What every layout has. */
interface LayoutBase {
  /** Size in bytes, without the elements of a flexible array. */
  readonly size: number;
  /** Number of JavaScript values that reading one makes. */
  readonly cells: number;
  /** Number of levels of nesting. */
  readonly depth: number;
  /** Can it be larger than `size`, because it ends in a flexible array? */
  readonly flexible: boolean;
}

/** An integer that fills 1, 2, 4, 8 or 16 bytes. */
export interface IntLayout extends LayoutBase {
  readonly kind: "int";
  readonly signed: boolean;
}

/** A `bool` that fills 1, 2, 4, 8 or 16 bytes. */
export interface BoolLayout extends LayoutBase {
  readonly kind: "bool";
}

/** An enum that fills 1, 2, 4 or 8 bytes. */
export interface EnumLayout extends LayoutBase {
  readonly kind: "enum";
  readonly name: string;
  readonly signed: boolean;
  /** Are values bigints (an `enum64`, or one of 8 bytes)? */
  readonly wide: boolean;
  /** The first name of each value. */
  readonly names: ReadonlyMap<number | bigint, string>;
  /** The value of each name. */
  readonly values: ReadonlyMap<string, number | bigint>;
}

/** Bits of an integer, a `bool` or an enum. */
export interface BitsLayout extends LayoutBase {
  readonly kind: "bits";
  /** Number of bits, 1 to 128. */
  readonly bits: number;
  /** Number of less significant bits in the `size` bytes that the field touches. */
  readonly shift: number;
  readonly signed: boolean;
  /** What the bits mean. */
  readonly meaning: "int" | "bool" | EnumLayout;
}

/** A pointer of 4 or 8 bytes. */
export interface PointerLayout extends LayoutBase {
  readonly kind: "pointer";
}

/** A float of 2, 4 or 8 bytes. */
export interface FloatLayout extends LayoutBase {
  readonly kind: "float";
}

/** Bytes that JavaScript has no value for: floats of 12 and 16 bytes. */
export interface BytesLayout extends LayoutBase {
  readonly kind: "bytes";
}

/** An array of `char`; `size` is its length. */
export interface TextLayout extends LayoutBase {
  readonly kind: "text";
}

/** An array. */
export interface ArrayLayout extends LayoutBase {
  readonly kind: "array";
  readonly element: Layout;
  readonly length: number;
}

/** A member with a name. */
export interface Field {
  readonly kind: "field";
  readonly name: string;
  /** Offset in bytes. */
  readonly offset: number;
  readonly layout: Layout;
  /** Does the record's end decide its size: a flexible array, or a last member that ends in one? */
  readonly tail: boolean;
}

/** An anonymous member, whose members belong to the object around it. */
export interface Group {
  readonly kind: "group";
  /** Offset in bytes. */
  readonly offset: number;
  readonly layout: CompositeLayout;
  /** Does the record's end decide the size of one of its members? */
  readonly tail: boolean;
}

/** A struct, a union or a section of variables. */
export interface CompositeLayout extends LayoutBase {
  readonly kind: "struct" | "union" | "datasec";
  /** As in messages: `struct event`, `anonymous union`. */
  readonly title: string;
  /** Members as declared. */
  readonly members: readonly (Field | Group)[];
  /** All members by name, those of anonymous members included, in order; offsets from this composite's start. */
  readonly fields: ReadonlyMap<string, Field>;
  /** Size in bytes that a record has at least: trailing padding before a flexible array is not needed. */
  readonly leastSize: number;
}

/** Any layout. */
export type Layout =
  | IntLayout
  | BoolLayout
  | EnumLayout
  | BitsLayout
  | PointerLayout
  | FloatLayout
  | BytesLayout
  | TextLayout
  | ArrayLayout
  | CompositeLayout;

/** What an integer is called in messages: `u16`, `s3`. */
export function intName(bits: number, signed: boolean): string {
  return `${signed ? "s" : "u"}${bits}`;
}

/** What a layout is called in messages: `u16`, `char[16]`, `struct event`. */
export function layoutName(layout: Layout): string {
  switch (layout.kind) {
    case "int":
      return intName(layout.size * 8, layout.signed);
    case "bool":
      return "bool";
    case "enum":
      return layout.name === "" ? "anonymous enum" : `enum ${layout.name}`;
    case "bits":
      return typeof layout.meaning === "object"
        ? `${layoutName(layout.meaning)} of ${layout.bits} bits`
        : layout.meaning === "bool"
        ? "bool"
        : intName(layout.bits, layout.signed);
    case "pointer":
      return "pointer";
    case "float":
      return layout.size === 8 ? "double" : layout.size === 4 ? "float" : "float of 2 bytes";
    case "bytes":
      return `float of ${layout.size} bytes`;
    case "text":
      return layout.flexible ? "char[]" : `char[${layout.size}]`;
    case "array":
      return `${layoutName(layout.element)}[${layout.flexible ? "" : layout.length}]`;
    case "struct":
    case "union":
    case "datasec":
      return layout.title;
    default:
      return layout satisfies never;
  }
}
