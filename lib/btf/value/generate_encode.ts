/**
 * Code that writes plain values fast. What is not plain (text, enums, bitfields, unions, flexible arrays) is a call of the
 * interpreter in `encode.ts`; a value that is not what the code expects makes it throw, and then the codec writes the
 * value again with the interpreter, which takes more and says what is wrong.
 *
 * @module
 */
import { encodeLayout, encodeUnion } from "./encode.ts";
import { accessor, at, CodeScope } from "./generate.ts";
import type { ArrayLayout, CompositeLayout, Layout } from "./layout.ts";

/** Writes the value at `offset`; anything it throws means: not plain. */
export type EncodeFunction = (value: unknown, view: DataView, offset: number) => void;

/** Thrown by generated code; its text is never seen. */
const NOT_PLAIN = new TypeError("the value is not plain");

/**
 * Makes the function that writes plain values of `layout`.
 *
 * @throws {EvalError} where code generation is forbidden.
 */
export function generateEncode(layout: Layout, little: boolean): EncodeFunction {
  const scope = new CodeScope(little);
  const body = writeStatement(layout, "value", 0, scope);
  return scope.run(`function (value, view, offset) { let item; ${body} }`) as EncodeFunction;
}

/** The statement that writes the expression `value`; it may use the variable `item`. */
function writeStatement(layout: Layout, value: string, shift: number, scope: CodeScope): string {
  const place = at("offset", shift);
  const notPlain = `throw ${scope.bind(NOT_PLAIN)};`;
  switch (layout.kind) {
    case "int":
    case "pointer": {
      const signed = layout.kind === "int" && layout.signed;
      const { size } = layout;
      const set = `view.set${accessor(size, signed)}(${place}, item${size === 1 ? "" : `, ${scope.little}`});`;
      if (size <= 4 && layout.kind === "int") {
        return `item = ${value}; if ((${cut(size, signed)}) !== item) ${notPlain} ${set}`;
      }
      if (size !== 8) break;
      return `item = ${value}; if (typeof item !== "bigint") item = ${scope.bind(toBigInt)}(item);
if (BigInt.as${signed ? "Int" : "Uint"}N(64, item) !== item) ${notPlain} ${set}`;
    }
    case "bool":
      if (layout.size !== 1) break;
      return `item = ${value}; if (item !== true && item !== false) ${notPlain} view.setUint8(${place}, item ? 1 : 0);`;
    case "float":
      if (layout.size !== 8) break;
      return `item = ${value}; if (typeof item !== "number") ${notPlain} view.setFloat64(${place}, item, ${scope.little});`;
    case "array":
      if (layout.flexible || layout.element.flexible) break;
      return `${arrayFunction(layout, scope)}(${value}, view, ${place});`;
    case "struct":
      if (!isPlainStruct(layout)) break;
      return `${structFunction(layout, scope)}(${value}, view, ${place});`;
  }
  return `${scope.bind(encodeLayout)}(${scope.bind(layout)}, ${value}, view, ${place}, ${scope.little}, "");`;
}

/** The number `item` cut to an integer of `size` bytes. */
function cut(size: number, signed: boolean): string {
  if (size === 4) return signed ? "item | 0" : "item >>> 0";
  const bits = 32 - size * 8;
  return signed ? `item << ${bits} >> ${bits}` : `item & ${2 ** (size * 8) - 1}`;
}

function toBigInt(value: unknown): bigint {
  if (typeof value !== "number" || !Number.isSafeInteger(value)) throw NOT_PLAIN;
  return BigInt(value);
}

/** A struct whose members can be asked for by name without surprise, and that has one size. */
function isPlainStruct(layout: CompositeLayout): boolean {
  for (const field of layout.fields.values()) {
    if (field.layout.flexible || field.name in Object.prototype) return false;
  }
  return true;
}

function hasUnions(layout: CompositeLayout): boolean {
  return layout.members.some((member) =>
    member.kind === "group" && (member.layout.kind === "union" || hasUnions(member.layout))
  );
}

function structFunction(layout: CompositeLayout, scope: CodeScope): string {
  return scope.define(layout, "value, view, offset", () => {
    const notPlain = `throw ${scope.bind(NOT_PLAIN)};`;
    // As many names as members, and each member there: then there is no name that is no member. Of unions one member may do.
    const names = hasUnions(layout)
      ? `for (const name in value) if (!${scope.bind(layout.fields)}.has(name)) ${notPlain}`
      : `let count = 0; for (const name in value) count++; if (count !== ${layout.fields.size}) ${notPlain}`;
    return `if (typeof value !== "object" || value === null) ${notPlain}
${names}
let item;
${memberStatements(layout, 0, scope).join("\n")}`;
  });
}

function memberStatements(layout: CompositeLayout, shift: number, scope: CodeScope): string[] {
  return layout.members.flatMap((member) => {
    const offset = shift + member.offset;
    if (member.kind === "field") {
      return [writeStatement(member.layout, `value[${JSON.stringify(member.name)}]`, offset, scope)];
    }
    if (member.layout.kind === "struct") return memberStatements(member.layout, offset, scope);
    const union = `${scope.bind(encodeUnion)}(${scope.bind(member.layout)}, value, view`;
    return [`${union}, ${at("offset", offset)}, ${scope.little}, "");`];
  });
}

function arrayFunction(layout: ArrayLayout, scope: CodeScope): string {
  return scope.define(layout, "value, view, offset", () => {
    const { element, length } = layout;
    return `if (!Array.isArray(value) || value.length !== ${length}) throw ${scope.bind(NOT_PLAIN)};
let item;
for (let i = 0; i < ${length}; i++, offset += ${element.size}) { ${writeStatement(element, "value[i]", 0, scope)} }`;
  });
}
