/**
 * BTF types as TypeScript: what the value codec gives for them.
 *
 * @module
 */
import { DebpfError } from "../../errors.ts";
import { BtfKind } from "../../uapi/mod.ts";
import type { Btf } from "../btf.ts";
import type { BtfType } from "../types.ts";
import { describe, LayoutBuilder, resolveValueType } from "../value/build_layout.ts";
import type { CompositeLayout, EnumLayout, Layout } from "../value/layout.ts";
import { TsNames } from "./ts_names.ts";

/** Options of {@linkcode formatTypeScript}. */
export interface TypeScriptDumpOptions {
  /** Only these types, and those that they are made of. */
  roots?: readonly number[];
}

const HEAD = "// Values of BTF types, as debpf reads and writes them.\n";

/** Numbers that a JavaScript number holds exactly are numbers, as of the codec. */
const NUMBER_BITS = 32;

/**
 * Types of the values that `compileCodec` reads and writes: one for each struct, union, enum and section of variables, named
 * as in C; typedefs and qualifiers are gone, bodies without any name are written where they are used. They are type aliases,
 * not interfaces: only such can be assigned to and from {@linkcode Value}. A type that has no values, as its BTF
 * contradicts itself, is `never`, and a comment says why; a section whose variables have no offsets yet is left out.
 *
 * @throws {FormatError} if a root does not exist, or contradicts itself.
 * @throws {UnsupportedError} if a root has no values: a function, a declaration.
 */
export function formatTypeScript(btf: Btf, options: TypeScriptDumpOptions = {}): string {
  const writer = new TsWriter(btf);
  if (options.roots === undefined) {
    for (const type of btf.types()) {
      if (isBody(type)) writer.addAll(type, type);
      else if (type.kind === BtfKind.Typedef && type.target.name === "" && isBody(type.target)) {
        writer.addAll(type, type.target);
      }
    }
  } else {
    for (const id of options.roots) writer.addRoot(btf.type(id));
  }
  return writer.text();
}

/** What gets a definition of its own. */
function isBody(type: BtfType): boolean {
  switch (type.kind) {
    case BtfKind.Struct:
    case BtfKind.Union:
    case BtfKind.Enum:
    case BtfKind.Enum64:
    case BtfKind.Datasec:
      return true;
    default:
      return false;
  }
}

interface Definition {
  readonly name: string;
  /** Of what kind and size. */
  readonly comment: string;
  readonly text: () => string;
}

class TsWriter {
  readonly #builder: LayoutBuilder;
  readonly #names = new TsNames();
  /** Names of the layouts that have a definition. */
  readonly #known = new Map<Layout, string>();
  readonly #visited = new Set<BtfType>();
  readonly #definitions: Definition[] = [];

  constructor(btf: Btf) {
    this.#builder = new LayoutBuilder(btf.order, btf.pointerSize);
  }

  /** Defines `body`, which `named` gives its name, and what it is made of; what has no values becomes `never`. */
  addAll(named: BtfType, body: BtfType): void {
    if (named.name === "" || this.#visited.has(body)) return;
    try {
      this.#builder.build(body);
      this.#visit(named);
    } catch (error) {
      if (!(error instanceof DebpfError)) throw error;
      this.#visited.add(body);
      // Those of objects say nothing about where variables are.
      if (body.kind === BtfKind.Datasec) return;
      const comment = `No values: ${error.message.replaceAll("*/", "* /")}`;
      this.#definitions.push({ name: this.#names.take(named.name), comment, text: () => "never" });
    }
  }

  /** Defines a type that was asked for by itself, whatever it is. */
  addRoot(type: BtfType): void {
    const layout = this.#builder.build(type);
    this.#visit(type);
    if (type.name === "" || this.#known.get(layout) !== undefined) return;
    const comment = `\`${describe(type)}\`, ${layout.size} bytes.`;
    this.#definitions.push({ name: this.#names.take(type.name), comment, text: () => this.#expression(layout, "") });
  }

  text(): string {
    const sorted = this.#definitions.toSorted((a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
    const texts = sorted.map(({ name, comment, text }) => `\n/** ${comment} */\nexport type ${name} = ${text()};\n`);
    return HEAD + texts.join("");
  }

  /** Names the bodies that values of `type` are made of. Their layout can be built, so they do not contain themselves. */
  #visit(type: BtfType): void {
    const body = resolveValueType(type);
    if (this.#visited.has(body)) return;
    switch (body.kind) {
      case BtfKind.Array:
        return this.#visit(body.element);
      case BtfKind.Struct:
      case BtfKind.Union:
        this.#visited.add(body);
        for (const member of body.members) this.#visit(member.type);
        return this.#define(type, body);
      case BtfKind.Datasec:
        this.#visited.add(body);
        for (const entry of body.entries) {
          if (entry.type.kind === BtfKind.Var) this.#visit(entry.type);
        }
        return this.#define(type, body);
      case BtfKind.Enum:
      case BtfKind.Enum64:
        this.#visited.add(body);
        return this.#define(type, body);
      default:
        return;
    }
  }

  #define(type: BtfType, body: BtfType): void {
    const name = body.name || typedefOf(type, body);
    if (name === "") return;
    const layout = this.#builder.build(body);
    const taken = this.#names.take(name);
    this.#known.set(layout, taken);
    const what = body.name === "" ? name : describe(body);
    const comment = `\`${what}\`, ${layout.size} bytes${layout.flexible ? " and a flexible array" : ""}.`;
    this.#definitions.push({ name: taken, comment, text: () => this.#body(layout, "") });
  }

  /** The type of a layout's values, by its name where it has one. */
  #expression(layout: Layout, indent: string): string {
    return this.#known.get(layout) ?? this.#body(layout, indent);
  }

  #body(layout: Layout, indent: string): string {
    switch (layout.kind) {
      case "int":
        return layout.size * 8 <= NUMBER_BITS ? "number" : "bigint";
      case "bool":
        return "boolean";
      case "pointer":
        return "bigint";
      case "float":
        return "number";
      case "bytes":
        return "Uint8Array";
      case "text":
        return "string | Uint8Array";
      case "enum":
        return enumUnion(layout);
      case "bits":
        if (layout.meaning === "bool") return "boolean";
        if (layout.meaning !== "int") return enumUnion(layout.meaning);
        return layout.bits <= NUMBER_BITS ? "number" : "bigint";
      case "array": {
        const element = this.#expression(layout.element, indent);
        return element.includes(" | ") && !element.startsWith("{") ? `(${element})[]` : `${element}[]`;
      }
      case "struct":
      case "union":
      case "datasec":
        return this.#object(layout, indent);
      default:
        return layout satisfies never;
    }
  }

  #object(layout: CompositeLayout, indent: string): string {
    if (layout.fields.size === 0) return "Record<never, never>";
    const inner = `${indent}  `;
    const lines = [...layout.fields.values()].map((field) =>
      `${inner}${propertyName(field.name)}: ${this.#expression(field.layout, inner)};\n`
    );
    return `{\n${lines.join("")}${indent}}`;
  }
}

/** The typedef that gives a body without a name one. */
function typedefOf(type: BtfType, body: BtfType): string {
  let name = "";
  for (let one = type; one !== body && "target" in one; one = one.target) {
    if (one.kind === BtfKind.Typedef) name = one.name;
  }
  return name;
}

/** Names that reading gives, and the number where it knows none. */
function enumUnion(layout: EnumLayout): string {
  const names = [...layout.names.values()].map((name) => JSON.stringify(name));
  return [...names, layout.wide ? "bigint" : "number"].join(" | ");
}

function propertyName(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) && name !== "__proto__" ? name : JSON.stringify(name);
}
