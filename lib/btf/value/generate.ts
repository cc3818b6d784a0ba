/**
 * What generated code is made of: expressions that read a scalar, and the functions and tables that the code uses.
 *
 * Names of members come from files that may be hostile. They enter the code only through `JSON.stringify`, which gives
 * literals of the language since ECMAScript 2019; everything else in it is a number or a name made here.
 *
 * @module
 */
import { flexibleLength, isNonzero } from "./decode.ts";
import { readBits, readInt128 } from "./bits.ts";
import type { EnumLayout, Layout } from "./layout.ts";
import { readText, readText16 } from "./text.ts";

/** Functions that generated code may call, under the names that it uses. */
export const RUNTIME = {
  readText,
  readText16,
  readBits,
  readInt128,
  isNonzero,
  flexibleLength,
  bytes: (view: DataView, offset: number, size: number): Uint8Array =>
    new Uint8Array(view.buffer, view.byteOffset + offset, size).slice(),
} as const;

/** Collects the objects that one piece of generated code refers to. */
export class CodeScope {
  readonly little: boolean;
  readonly #names: string[] = Object.keys(RUNTIME);
  readonly #values: unknown[] = Object.values(RUNTIME);
  readonly #bound = new Map<unknown, string>();
  readonly #functions: string[] = [];

  /** @param little Whether the order of bytes is little-endian. */
  constructor(little: boolean) {
    this.little = little;
  }

  /** The name under which the code sees `value`. */
  bind(value: unknown): string {
    let name = this.#bound.get(value);
    if (name === undefined) {
      name = `_${this.#names.length}`;
      this.#bound.set(value, name);
      this.#names.push(name);
      this.#values.push(value);
    }
    return name;
  }

  /** Makes a function for `key` with the code that `body` gives, once; returns its name. */
  define(key: unknown, parameters: string, body: () => string): string {
    let name = this.#bound.get(key);
    if (name === undefined) {
      name = `f${this.#bound.size}`;
      this.#bound.set(key, name);
      this.#functions.push(`function ${name}(${parameters}) {\n${body()}\n}`);
    }
    return name;
  }

  /**
   * Runs the code that was collected.
   *
   * @param result Expression of what to return.
   * @throws {EvalError} where code generation is forbidden.
   */
  run(result: string): unknown {
    const source = `"use strict";\n${this.#functions.join("\n")}\nreturn ${result};`;
    return new Function(...this.#names, source)(...this.#values);
  }
}

/** The expression of byte `offset` from the variable `base`. */
export function at(base: string, offset: number): string {
  return offset === 0 ? base : `${base} + ${offset}`;
}

/** Names of the `DataView` methods for integers of `size` bytes, without `get` or `set`. */
export function accessor(size: number, signed: boolean): string {
  return `${size === 8 ? "Big" : ""}${signed ? "Int" : "Uint"}${size * 8}`;
}

/** An expression that reads the scalar at the expression `place` of `view`; `undefined` if `layout` is no scalar. */
export function readExpression(layout: Layout, view: string, place: string, scope: CodeScope): string | undefined {
  const { little } = scope;
  switch (layout.kind) {
    case "int":
      return layout.size === 16
        ? `readInt128(${view}, ${place}, ${layout.signed}, ${little})`
        : getter(layout.size, layout.signed, view, place, little);
    case "bool":
      return layout.size === 1 ? `${view}.getUint8(${place}) !== 0` : `isNonzero(${view}, ${place}, ${layout.size})`;
    case "enum":
      return `${enumFunction(layout, scope)}(${getter(layout.size, layout.signed, view, place, little)})`;
    case "bits": {
      const { bits, shift, signed, size, meaning } = layout;
      const direct = size === 1 || size === 2 || size === 4;
      const raw = direct
        ? `${getter(size, false, view, place, little)} << ${32 - bits - shift} ${signed ? ">>" : ">>>"} ${32 - bits}`
        : `readBits(${view}, ${place}, ${size}, ${shift}, ${bits}, ${signed}, ${little})`;
      if (meaning === "int") return raw;
      return meaning === "bool" ? `Number(${raw}) !== 0` : `${enumFunction(meaning, scope)}(${raw})`;
    }
    case "pointer": {
      const raw = getter(layout.size, false, view, place, little);
      return layout.size === 8 ? raw : `BigInt(${raw})`;
    }
    case "float":
      return `${view}.getFloat${layout.size * 8}(${place}, ${little})`;
    case "bytes":
      return `bytes(${view}, ${place}, ${layout.size})`;
    case "text":
      if (layout.flexible) return undefined;
      return layout.size === 16 ? `readText16(${view}, ${place})` : `readText(${view}, ${place}, ${layout.size})`;
    default:
      return undefined;
  }
}

function getter(size: number, signed: boolean, view: string, place: string, little: boolean): string {
  return `${view}.get${accessor(size, signed)}(${place}${size === 1 ? "" : `, ${little}`})`;
}

/** A function from an enum's number to its name. */
function enumFunction(layout: EnumLayout, scope: CodeScope): string {
  return scope.define(layout, "raw", () => {
    const value = layout.wide ? "BigInt(raw)" : "raw";
    return `const value = ${value}, name = ${
      scope.bind(layout.names)
    }.get(value);\nreturn name === undefined ? value : name;`;
  });
}
