/**
 * Code that reads a value: one object literal for a struct, one loop for an array.
 *
 * @module
 */
import { at, CodeScope, readExpression } from "./generate.ts";
import type { ArrayLayout, CompositeLayout, Layout } from "./layout.ts";
import type { Value } from "./value.ts";

/** Reads the value at `offset`; `end` is the record's end where a flexible array asks for it, else 0. */
export type DecodeFunction = (view: DataView, offset: number, end: number) => Value;

/**
 * Makes the function that reads values of `layout`.
 *
 * @throws {EvalError} where code generation is forbidden.
 */
export function generateDecode(layout: Layout, little: boolean): DecodeFunction {
  const scope = new CodeScope(little);
  const result = `function (view, offset, end) { return ${decodeExpression(layout, 0, "end", scope)}; }`;
  return scope.run(result) as DecodeFunction;
}

/** The expression of the value of `layout` at byte `shift` after the variable `offset` of the variable `view`. */
export function decodeExpression(layout: Layout, shift: number, end: string, scope: CodeScope): string {
  const place = at("offset", shift);
  const scalar = readExpression(layout, "view", place, scope);
  if (scalar !== undefined) return scalar;
  switch (layout.kind) {
    case "array":
      return `${arrayFunction(layout, scope)}(view, ${place}, ${end})`;
    case "struct":
    case "union":
    case "datasec":
      return `${compositeFunction(layout, scope)}(view, ${place}, ${end})`;
    default:
      return `readText(view, ${place}, Math.max(0, ${end} - (${place})))`;
  }
}

function arrayFunction(layout: ArrayLayout, scope: CodeScope): string {
  return scope.define(layout, "view, offset, end", () => {
    const { element } = layout;
    const length = layout.flexible ? `flexibleLength(offset, end, ${element.size})` : layout.length;
    return `const values = [];
for (let i = 0, length = ${length}; i < length; i++, offset += ${element.size}) {
  values.push(${decodeExpression(element, 0, "0", scope)});
}
return values;`;
  });
}

function compositeFunction(layout: CompositeLayout, scope: CodeScope): string {
  return scope.define(layout, "view, offset, end", () => {
    const properties = [...layout.fields.values()].map((field) => {
      const value = decodeExpression(field.layout, field.offset, field.tail ? "end" : "0", scope);
      // `"__proto__": x` in a literal sets the prototype; a computed key makes a member.
      const key = JSON.stringify(field.name);
      return `${field.name === "__proto__" ? `[${key}]` : key}: ${value}`;
    });
    return `return { ${properties.join(",\n")} };`;
  });
}
