/**
 * From a BTF type to its {@linkcode Layout}. Whatever a hostile BTF could do is refused here, so that readers need not
 * ask again: members outside their struct, structs inside themselves, nesting without end, unions of unions that
 * would make thousands of values of one byte.
 *
 * @module
 */
import type { ByteOrder } from "../../bytes.ts";
import { FormatError, UnsupportedError } from "../../errors.ts";
import { BtfKind } from "../../uapi/mod.ts";
import type {
  ArrayType,
  BtfType,
  CompositeType,
  DatasecType,
  Enum64Type,
  EnumType,
  FloatType,
  IntType,
  Member,
} from "../types.ts";
import type { BitsLayout, CompositeLayout, EnumLayout, Field, Group, Layout } from "./layout.ts";

/** Levels of nesting, and of modifiers on one type; the kernel stops at 32. */
const MAX_DEPTH = 64;

/** Values that reading may make: this many, and this many for each byte of the type. */
const MAX_CELLS = { base: 4096, perByte: 64 } as const;

const SCALAR = { cells: 1, depth: 0, flexible: false } as const;

/** The type behind typedefs, modifiers and the declaration of a variable. */
export function resolveValueType(type: BtfType): BtfType {
  let resolved = type;
  for (let steps = 0; steps <= MAX_DEPTH; steps++) {
    switch (resolved.kind) {
      case BtfKind.Typedef:
      case BtfKind.Const:
      case BtfKind.Volatile:
      case BtfKind.Restrict:
      case BtfKind.TypeTag:
      case BtfKind.Var:
        resolved = resolved.target;
        break;
      default:
        return resolved;
    }
  }
  throw new FormatError(`${describe(type)}: more than ${MAX_DEPTH} typedefs and modifiers on one type`);
}

/** Builds layouts for one byte order and pointer size; each type once. */
export class LayoutBuilder {
  readonly #order: ByteOrder;
  readonly #pointerSize: number;
  readonly #layouts = new WeakMap<BtfType, Layout>();
  readonly #open = new Set<BtfType>();

  /**
   * @param order Order of bytes.
   * @param pointerSize Size of a pointer in bytes.
   */
  constructor(order: ByteOrder, pointerSize: number) {
    this.#order = order;
    this.#pointerSize = pointerSize;
  }

  /**
   * The layout of `type`.
   *
   * @throws {FormatError} if the type contradicts itself.
   * @throws {UnsupportedError} if it has no size.
   */
  build(type: BtfType): Layout {
    const resolved = resolveValueType(type);
    const known = this.#layouts.get(resolved);
    if (known !== undefined) return known;
    if (this.#open.has(resolved)) throw new FormatError(`${describe(resolved)}: contains itself`);
    if (this.#open.size > MAX_DEPTH) throw tooDeep(resolved);
    this.#open.add(resolved);
    try {
      const layout = this.#make(resolved);
      if (layout.depth > MAX_DEPTH) throw tooDeep(resolved);
      if (layout.cells > MAX_CELLS.base + MAX_CELLS.perByte * layout.size) {
        throw new FormatError(`${describe(resolved)}: ${layout.size} bytes cannot hold its ${layout.cells} members`);
      }
      this.#layouts.set(resolved, layout);
      return layout;
    } finally {
      this.#open.delete(resolved);
    }
  }

  #make(type: BtfType): Layout {
    switch (type.kind) {
      case BtfKind.Int:
        return this.#int(type);
      case BtfKind.Ptr:
        return { kind: "pointer", size: this.#pointerSize, ...SCALAR };
      case BtfKind.Array:
        return this.#array(type);
      case BtfKind.Struct:
      case BtfKind.Union:
        return this.#composite(type);
      case BtfKind.Enum:
      case BtfKind.Enum64:
        return enumLayout(type);
      case BtfKind.Float:
        return floatLayout(type);
      case BtfKind.Datasec:
        return this.#datasec(type);
      default:
        throw new UnsupportedError("values without size", `${describe(type)}: has no size, so it has no value`);
    }
  }

  #int(type: IntType): Layout {
    const { size, bits, offsetBits } = type;
    checkSize(type, size, [1, 2, 4, 8, 16]);
    if (bits < 1 || offsetBits + bits > size * 8) {
      throw new FormatError(`${describe(type)}: ${bits} bits at bit ${offsetBits} do not fit its ${size} bytes`);
    }
    if (bits !== size * 8) return this.#bits(type, 0, size, offsetBits, bits).layout;
    return type.bool ? { kind: "bool", size, ...SCALAR } : { kind: "int", size, signed: type.signed, ...SCALAR };
  }

  #array(type: ArrayType): Layout {
    const { length } = type;
    const elementType = resolveValueType(type.element);
    if (isChar(elementType)) return { kind: "text", size: length, ...SCALAR, flexible: length === 0 };
    const element = this.build(elementType);
    const { size } = element;
    return {
      kind: "array",
      element,
      // Elements without size hold nothing; a billion of them would.
      length: size === 0 ? 0 : length,
      size: size * length,
      cells: 1 + (size === 0 ? 0 : length * element.cells),
      depth: element.depth + 1,
      flexible: length === 0 && size > 0,
    };
  }

  /** The bits `[lead, lead + bits)` of the `size` bytes at `offset`. */
  #bits(
    type: BitsType,
    offset: number,
    size: number,
    lead: number,
    bits: number,
  ): { layout: BitsLayout; offset: number } {
    // Little-endian bitfields count from the least significant bit of the first byte, big-endian ones from the most
    // significant.
    const shift = this.#order === "little" ? lead : size * 8 - lead - bits;
    const meaning = type.kind !== BtfKind.Int ? enumLayout(type) : type.bool ? "bool" : "int";
    return { layout: { kind: "bits", size, bits, shift, signed: type.signed, meaning, ...SCALAR }, offset };
  }

  #member(parent: CompositeType, member: Member): { layout: Layout; offset: number } {
    const type = resolveValueType(member.type);
    const place = `${describe(parent)}: member "${member.name}"`;
    if (type.kind === BtfKind.Int || type.kind === BtfKind.Enum || type.kind === BtfKind.Enum64) {
      // A bitfield's width is in the member (kind_flag), or it is in an integer made for this bitfield alone.
      const legacy = type.kind === BtfKind.Int && member.bitfieldBits === 0;
      const bits = member.bitfieldBits || (legacy ? type.bits : type.size * 8);
      const offsetBits = member.offsetBits + (legacy ? type.offsetBits : 0);
      if (bits > type.size * 8) {
        throw new FormatError(`${place}: bitfield of ${bits} bits in a type of ${type.size} bytes`);
      }
      if (bits !== type.size * 8 || offsetBits % 8 !== 0) {
        // The type itself must be sound, whatever part of it is used.
        this.build(type);
        // Only the bytes that the field touches count: its storage unit may reach beyond the end of a packed struct.
        const lead = offsetBits % 8;
        return this.#bits(type, Math.floor(offsetBits / 8), Math.ceil((lead + bits) / 8), lead, bits);
      }
    } else if (member.bitfieldBits !== 0) {
      throw new FormatError(`${place}: is a bitfield of ${describe(type)}`);
    }
    if (member.offsetBits % 8 !== 0) {
      throw new FormatError(`${place}: starts at bit ${member.offsetBits}, inside a byte`);
    }
    return { layout: this.build(type), offset: member.offsetBits / 8 };
  }

  #composite(type: CompositeType): CompositeLayout {
    const union = type.kind === BtfKind.Union;
    const parts: { name: string; offset: number; layout: Layout }[] = [];
    for (const member of type.members) {
      const { layout, offset } = this.#member(type, member);
      if (offset + layout.size > type.size) {
        throw new FormatError(
          `${
            describe(type)
          }: member "${member.name}" (${layout.size} bytes at ${offset}) lies outside its ${type.size} bytes`,
        );
      }
      // Without a name and without members of its own, it is padding.
      if (member.name === "" && !isAnonymousBody(layout)) continue;
      parts.push({ name: member.name, offset, layout });
    }
    // An array of no elements is flexible where no byte of the struct follows: what is older than C99's flexible arrays
    // also uses such arrays as names for a place between members.
    let lastSized = -1;
    parts.forEach((part, i) => {
      if (part.layout.size > 0) lastSized = i;
    });
    const members = parts.map((part, i): Field | Group => {
      const { name, offset, layout } = part;
      const tail = layout.flexible && (union || i >= lastSized);
      if (name === "" && isAnonymousBody(layout)) return { kind: "group", offset, layout, tail };
      return { kind: "field", name, offset, layout, tail };
    });
    return compose(type, type.size, members);
  }

  #datasec(type: DatasecType): CompositeLayout {
    const members: Field[] = [];
    const seen = new Map<string, number>();
    let end = 0;
    for (const entry of type.entries) {
      // Functions (kfuncs in .ksyms) have no bytes.
      if (entry.type.kind !== BtfKind.Var) continue;
      const layout = this.build(entry.type);
      const { name } = entry.type;
      end = Math.max(end, entry.offset + layout.size);
      // Static variables of different functions may share a name.
      const count = (seen.get(name) ?? 0) + 1;
      seen.set(name, count);
      const unique = count === 1 ? name : `${name}#${count}`;
      members.push({ kind: "field", name: unique, offset: entry.offset, layout, tail: false });
    }
    checkOverlaps(type, members);
    if (type.size !== 0 && end > type.size) {
      throw new FormatError(`${describe(type)}: its variables end at ${end}, outside its ${type.size} bytes`);
    }
    return compose(type, type.size || end, members);
  }
}

/** Types that a bitfield can have. */
type BitsType = IntType | EnumType | Enum64Type;

function isAnonymousBody(layout: Layout): layout is CompositeLayout {
  return layout.kind === "struct" || layout.kind === "union";
}

/** clang leaves the offsets of variables 0: reading with those would give one variable's bytes for all. */
function checkOverlaps(type: DatasecType, fields: readonly Field[]): void {
  const sorted = fields.filter((field) => field.layout.size > 0).sort((a, b) => a.offset - b.offset);
  sorted.forEach((field, i) => {
    const before = sorted[i - 1];
    if (before === undefined || before.offset + before.layout.size <= field.offset) return;
    throw new FormatError(
      `${describe(type)}: variables "${before.name}" and "${field.name}" overlap: their offsets are not filled in`,
    );
  });
}

/** Gathers what a composite's members tell about it. */
function compose(
  type: CompositeType | DatasecType,
  size: number,
  members: readonly (Field | Group)[],
): CompositeLayout {
  const fields = new Map<string, Field>();
  let cells = 1;
  let depth = 0;
  let flexible = false;
  let leastSize = 0;
  for (const member of members) {
    const { layout, offset, tail } = member;
    if (tail) flexible = true;
    const least = tail && (layout.kind === "struct" || layout.kind === "union") ? layout.leastSize : layout.size;
    leastSize = Math.max(leastSize, offset + least);
    depth = Math.max(depth, layout.depth + 1);
    cells += layout.cells;
    for (const field of member.kind === "field" ? [member] : fieldsOf(member)) {
      if (fields.has(field.name)) throw new FormatError(`${describe(type)}: two members are called "${field.name}"`);
      fields.set(field.name, field);
    }
  }
  const kind = type.kind === BtfKind.Struct ? "struct" : type.kind === BtfKind.Union ? "union" : "datasec";
  const title = describe(type);
  return { kind, title, size, members, fields, cells, depth, flexible, leastSize: flexible ? leastSize : size };
}

/** The members of an anonymous member, as those of the composite around it. */
function fieldsOf(group: Group): Field[] {
  return [...group.layout.fields.values()].map((field) => ({
    ...field,
    offset: field.offset + group.offset,
    tail: field.tail && group.tail,
  }));
}

function enumLayout(type: EnumType | Enum64Type): EnumLayout {
  const { size, signed, name } = type;
  checkSize(type, size, [1, 2, 4, 8]);
  const wide = type.kind === BtfKind.Enum64 || size === 8;
  const names = new Map<number | bigint, string>();
  const values = new Map<string, number | bigint>();
  for (const entry of type.values) {
    // clang before 15 does not say that an enum is signed: its -1 is what reading the storage gives, 4294967295.
    const cut = signed ? BigInt.asIntN(size * 8, BigInt(entry.value)) : BigInt.asUintN(size * 8, BigInt(entry.value));
    const value = wide ? cut : Number(cut);
    if (!names.has(value)) names.set(value, entry.name);
    if (!values.has(entry.name)) values.set(entry.name, value);
  }
  return { kind: "enum", name, size, signed, wide, names, values, ...SCALAR };
}

function floatLayout(type: FloatType): Layout {
  const { size } = type;
  checkSize(type, size, [2, 4, 8, 12, 16]);
  return size > 8 ? { kind: "bytes", size, ...SCALAR } : { kind: "float", size, ...SCALAR };
}

/** The kernel's BTF has no flag on `char`, nor has clang's: only the name tells text from bytes. */
function isChar(type: BtfType): boolean {
  return type.kind === BtfKind.Int && type.size === 1 && type.bits === 8 && !type.bool &&
    (type.char || type.name === "char");
}

function checkSize(type: BtfType, size: number, allowed: readonly number[]): void {
  if (!allowed.includes(size)) throw new FormatError(`${describe(type)}: a size of ${size} bytes is not possible`);
}

function tooDeep(type: BtfType): FormatError {
  return new FormatError(`${describe(type)}: more than ${MAX_DEPTH} types inside one another`);
}

/** A type as messages call it: `struct event`, `anonymous union`. */
export function describe(type: BtfType): string {
  const word = KIND_WORDS[type.kind];
  if (type.name === "") return type.kind === BtfKind.Unknown ? "void" : `anonymous ${word}`;
  return word === "" ? type.name : `${word} ${type.name}`;
}

const KIND_WORDS: Readonly<Record<BtfType["kind"], string>> = {
  [BtfKind.Unknown]: "void",
  [BtfKind.Int]: "",
  [BtfKind.Ptr]: "pointer",
  [BtfKind.Array]: "array",
  [BtfKind.Struct]: "struct",
  [BtfKind.Union]: "union",
  [BtfKind.Enum]: "enum",
  [BtfKind.Fwd]: "struct",
  [BtfKind.Typedef]: "typedef",
  [BtfKind.Volatile]: "volatile",
  [BtfKind.Const]: "const",
  [BtfKind.Restrict]: "restrict",
  [BtfKind.Func]: "function",
  [BtfKind.FuncProto]: "function prototype",
  [BtfKind.Var]: "variable",
  [BtfKind.Datasec]: "section",
  [BtfKind.Float]: "",
  [BtfKind.DeclTag]: "declaration tag",
  [BtfKind.TypeTag]: "type tag",
  [BtfKind.Enum64]: "enum",
};
