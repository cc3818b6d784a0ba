/**
 * Types in C: bodies of structs, unions and enums, and declarations of what is of a type.
 *
 * @module
 */
import { BtfKind } from "../../uapi/mod.ts";
import { BTF_TYPE, infoFlag, infoKind, infoVlen } from "../wire.ts";
import { type CLayout, MAX_CHAIN, type RawMember } from "./c_layout.ts";
import { CNames } from "./c_names.ts";
import { MAX_DEPTH } from "./c_order.ts";
import { PrefixCache } from "./prefix_cache.ts";
import { enumValue } from "./enum_value.ts";
import { rawName, type RawTypes, typeError } from "./raw_types.ts";
import type { TextBuffer } from "./text_buffer.ts";

const { words: TRAILER, sizeOrType: TARGET, info: INFO } = BTF_TYPE;

/** Deeper than this text is not indented, as bpftool's. */
const MAX_INDENT = 13;
const INDENTS: readonly string[] = Array.from({ length: MAX_INDENT + 1 }, (_, level) => "\t".repeat(level));

/** What compilers define by themselves, for each machine in another way. */
const BUILTIN_VA_LIST = "__builtin_va_list";

/** Types of ARM's vector intrinsics that GCC knows and clang does not. */
const GCC_TYPES: Readonly<Record<string, string>> = {
  __Poly8_t: "unsigned char",
  __Poly16_t: "unsigned short",
  __Poly64_t: "unsigned long long",
  __Poly128_t: "unsigned __int128",
};

const ASTERISK = 0x2a;

/** How {@linkcode CText} writes. */
export interface CTextOptions {
  readonly types: RawTypes;
  readonly layout: CLayout;
  readonly out: TextBuffer;
  /** Write what a compiler lays out as BTF says; else what bpftool 7.1 writes. */
  readonly exact: boolean;
}

/** Writes types. */
export class CText {
  readonly #types: RawTypes;
  readonly #layout: CLayout;
  readonly #out: TextBuffer;
  readonly #exact: boolean;
  readonly #names: CNames;
  readonly #prefixes: PrefixCache;
  /** What is left to be written of the declarations at work, each from the name inwards to its type. */
  readonly #chain: number[] = [];
  /** Length of the chain; the array keeps its size, or it would be allocated anew for each declaration. */
  #top = 0;
  /** Bodies and visits that are left before text is called endless. */
  #budget: number;

  constructor({ types, layout, out, exact }: CTextOptions) {
    this.#types = types;
    this.#layout = layout;
    this.#out = out;
    this.#exact = exact;
    this.#names = new CNames(types, out, exact);
    this.#prefixes = new PrefixCache(types.count);
    this.#budget = 1_000_000 + 16 * types.words.length;
  }

  /** Types without a name are written where they are used: a small file can ask for endless text. */
  spend(id: number): void {
    if (--this.#budget < 0) throw typeError(this.#types, id, "text of this BTF would be endless");
  }

  /** `struct NAME` or `union NAME`. */
  tag(id: number, at: number): void {
    const { words } = this.#types;
    this.#out.ascii(infoKind(words[at + INFO]!) === BtfKind.Struct ? "struct" : "union");
    if (words[at] === 0) return;
    this.#out.ascii(" ");
    this.#names.tag(id, at);
  }

  /** A struct or union with its members; `untagged`: without its name, to be a member without one. */
  body(id: number, at: number, level: number, untagged = false): void {
    this.spend(id);
    if (level > MAX_DEPTH) throw typeError(this.#types, id, `more than ${MAX_DEPTH} types inside one another`);
    const { words, offsets, strings } = this.#types;
    const out = this.#out;
    const layout = this.#layout;
    const count = infoVlen(words[at + INFO]!);
    const indent = indentOf(level + 1);
    if (untagged) out.ascii(infoKind(words[at + INFO]!) === BtfKind.Struct ? "struct" : "union");
    else this.tag(id, at);
    out.ascii(" {");
    const member: RawMember = { type: 0, offset: 0, bits: 0 };
    const place = { id, end: 0, afterBitfield: false };
    for (let index = 0; index < count; index++) {
      const nameAt = words[at + TRAILER + index * 3]!;
      layout.member(id, index, member);
      layout.padBefore(out, indent, place, member);
      out.ascii("\n");
      out.ascii(indent);
      const inline = this.#exact && strings[nameAt] === 0 ? this.#bodyBehind(member.type) : 0;
      if (inline === 0) this.#declare(member.type, nameAt, 1, level + 1);
      else this.body(inline, offsets[inline - 1]!, level + 1, true);
      if (member.bits !== 0) {
        out.ascii(": ");
        out.decimal(member.bits);
        place.end = member.offset + member.bits;
        place.afterBitfield = true;
      } else {
        place.end = member.offset + layout.sizeOf(member.type) * 8;
        place.afterBitfield = false;
      }
      out.ascii(";");
    }
    layout.padAfter(out, indent, place);
    if (count !== 0 || words[at + TARGET] !== 0) {
      out.ascii("\n");
      out.ascii(indentOf(level));
    }
    out.ascii("}");
    if (layout.isPacked(id)) out.ascii(" __attribute__((packed))");
    const aligned = layout.alignedTo(id);
    if (aligned !== 0) out.ascii(` __attribute__((aligned(${aligned})))`);
  }

  /**
   * The struct or union that a member without a name is of, by whatever name the type goes; 0 for other types. Kernels of today
   * are built with `-fms-extensions`, where `struct tag;` is such a member; elsewhere in C only a body without a tag is.
   */
  #bodyBehind(id: number): number {
    const { words, offsets } = this.#types;
    for (let steps = 0; steps < MAX_CHAIN && id !== 0; steps++) {
      const at = offsets[id - 1]!;
      switch (infoKind(words[at + INFO]!)) {
        case BtfKind.Struct:
        case BtfKind.Union:
          return id;
        case BtfKind.Typedef:
        case BtfKind.Volatile:
        case BtfKind.Const:
        case BtfKind.TypeTag:
          id = words[at + TARGET]!;
          break;
        default:
          return 0;
      }
    }
    return 0;
  }

  /** An enum with its values. */
  enum(id: number, at: number, level: number): void {
    const { words } = this.#types;
    const out = this.#out;
    const info = words[at + INFO]!;
    const count = infoVlen(info);
    out.ascii("enum");
    if (words[at] !== 0) {
      out.ascii(" ");
      this.#names.tag(id, at);
    }
    if (count === 0) return;
    out.ascii(" {");
    const wide = infoKind(info) === BtfKind.Enum64;
    const signed = infoFlag(info);
    const indent = indentOf(level + 1);
    const step = wide ? 3 : 2;
    for (let index = 0; index < count; index++) {
      const record = at + TRAILER + index * step;
      const nameAt = words[record]!;
      out.ascii("\n");
      out.ascii(indent);
      this.#names.value(nameAt);
      out.ascii(" = ");
      if (wide) {
        const value = enumValue(words[record + 1]!, words[record + 2]!, signed);
        out.ascii(`${value}${signed ? "LL" : "ULL"}`);
      } else {
        this.#number(words[record + 1]!, signed, words[at + TARGET]!);
      }
      out.ascii(",");
    }
    out.ascii("\n");
    out.ascii(indentOf(level));
    out.ascii("}");
    if (this.#exact) this.#mode(at, wide, signed, count);
  }

  /** The value of an enum of `size` bytes. */
  #number(value: number, signed: boolean, size: number): void {
    if (signed) value |= 0;
    // Those of small unsigned enums may have -1 as 4294967295.
    else if (this.#exact && size < 4) value &= 2 ** (size * 8) - 1;
    // Large numbers are rare, and of another kind for the compiler.
    if (value > 0x3fffffff) this.#out.ascii(String(value));
    else this.#out.decimal(value);
  }

  /** What makes an enum as large as it is, unless its values do. */
  #mode(at: number, wide: boolean, signed: boolean, count: number): void {
    const { words } = this.#types;
    const size = words[at + TARGET]!;
    const mode = size === 1 ? "byte" : size === 2 ? "HI" : size === 8 ? "DI" : undefined;
    if (mode === undefined) return;
    if (size === 8 && wide) {
      const end = at + TRAILER + count * 3;
      for (let record = at + TRAILER; record < end; record += 3) {
        const [low, high] = [words[record + 1]!, words[record + 2]!];
        if (signed ? high !== (low & 0x80000000 ? 0xffffffff : 0) : high !== 0) return;
      }
    }
    this.#out.ascii(` __attribute__((mode(${mode})))`);
  }

  /** The declaration of what is defined elsewhere, or nowhere. */
  forward(id: number, at: number): void {
    this.#out.ascii(infoFlag(this.#types.words[at + INFO]!) ? "union " : "struct ");
    this.#names.tag(id, at);
  }

  typedef(id: number, at: number): void {
    const { words } = this.#types;
    const nameAt = words[at]!;
    // Built into the compiler, and not the same in another one.
    if (this.#isNamed(nameAt, BUILTIN_VA_LIST)) return;
    if (words[at + TARGET] === 0 && this.#isNamed(nameAt, "__gnuc_va_list")) {
      // Old GCC says it were `void`.
      this.#names.copyOfTypedef(id, at);
      this.#out.ascii("typedef __builtin_va_list __gnuc_va_list;\n\n");
      return;
    }
    this.#out.ascii("typedef ");
    this.#declare(words[at + TARGET]!, nameAt, this.#names.copyOfTypedef(id, at), 0);
    this.#out.ascii(";\n\n");
  }

  defineInt(id: number, at: number): void {
    const { words, strings } = this.#types;
    this.#names.countInt(id, at);
    const nameAt = words[at]!;
    if (strings[nameAt] !== 0x5f || strings[nameAt + 2] !== 0x50) return;
    const alias = GCC_TYPES[rawName(this.#types, id)];
    if (alias === undefined) return;
    this.#out.ascii(`typedef ${alias} `);
    this.#names.tag(id, at);
    this.#out.ascii(";\n\n");
  }

  /** A declaration: `TYPE NAME`, around the name what C writes around it. */
  #declare(id: number, nameAt: number, copy: number, level: number): void {
    const last = this.#prefixes.write(id, this.#out);
    if (last !== 0) {
      this.#declaredName(nameAt, copy, last === ASTERISK);
      return;
    }
    const { words, offsets } = this.#types;
    const start = this.#top;
    const isPrefix = this.#push(id);
    if (isPrefix) {
      const textStart = this.#out.total;
      this.#unwind(start, 0, 1, level);
      this.#prefixes.keep(id, this.#out, textStart);
      this.#declaredName(nameAt, copy, id !== 0 && infoKind(words[offsets[id - 1]! + INFO]!) === BtfKind.Ptr);
    } else {
      this.#unwind(start, nameAt, copy, level);
    }
    this.#top = start;
  }

  /** Pushes a type and what it refers to, up to a name or a body; gives whether its text all stands before what is declared. */
  #push(id: number): boolean {
    const { words, offsets } = this.#types;
    const chain = this.#chain;
    let isPrefix = true;
    let one = id;
    for (let steps = 0; steps < MAX_CHAIN; steps++) {
      chain[this.#top++] = one;
      if (one === 0) return isPrefix;
      const at = offsets[one - 1]!;
      switch (infoKind(words[at + INFO]!)) {
        case BtfKind.Ptr:
        case BtfKind.Volatile:
        case BtfKind.Const:
        case BtfKind.Restrict:
        case BtfKind.TypeTag:
          one = words[at + TARGET]!;
          break;
        case BtfKind.FuncProto:
          isPrefix = false;
          one = words[at + TARGET]!;
          break;
        case BtfKind.Array:
          isPrefix = false;
          one = words[at + TRAILER]!;
          break;
        case BtfKind.Typedef:
          if (!this.#exact || !this.#isNamed(words[at]!, BUILTIN_VA_LIST)) return isPrefix;
          // Compiled for BPF it would be another type than the kernel's.
          this.#top--;
          one = words[at + TARGET]!;
          break;
        default:
          return isPrefix && words[at] !== 0;
      }
    }
    throw typeError(this.#types, id, `more than ${MAX_CHAIN} types in a row`);
  }

  /** Writes the chain above `start`, the type first and the name in the middle. */
  #unwind(start: number, nameAt: number, copy: number, level: number): void {
    const { words, offsets, strings } = this.#types;
    const out = this.#out;
    const chain = this.#chain;
    // A pointer that is alone in its parentheses wants no space before it: (*name).
    let afterPointer = true;
    while (this.#top > start) {
      const id = chain[--this.#top]!;
      if (id === 0) {
        this.#modifiers(start);
        out.ascii("void");
        afterPointer = false;
        continue;
      }
      const at = offsets[id - 1]!;
      const kind = infoKind(words[at + INFO]!);
      switch (kind) {
        case BtfKind.Int:
        case BtfKind.Float:
          this.#modifiers(start);
          out.copy(strings, words[at]!);
          break;
        case BtfKind.Struct:
        case BtfKind.Union:
          this.#modifiers(start);
          if (words[at] === 0) this.body(id, at, level);
          else this.tag(id, at);
          break;
        case BtfKind.Enum:
        case BtfKind.Enum64:
          this.#modifiers(start);
          if (words[at] === 0) {
            this.enum(id, at, level);
          } else {
            out.ascii("enum ");
            this.#names.tag(id, at);
          }
          break;
        case BtfKind.Fwd:
          this.#modifiers(start);
          this.forward(id, at);
          break;
        case BtfKind.Typedef:
          this.#modifiers(start);
          this.#names.typedef(id, at);
          break;
        case BtfKind.Ptr:
          out.ascii(afterPointer ? "*" : " *");
          break;
        case BtfKind.Volatile:
          out.ascii(" volatile");
          break;
        case BtfKind.Const:
          out.ascii(" const");
          break;
        case BtfKind.Restrict:
          out.ascii(" restrict");
          break;
        case BtfKind.TypeTag:
          // Where bpftool's text then is not C: `intconst`.
          if (!this.#exact) this.#modifiers(start);
          this.#typeTag(at);
          break;
        case BtfKind.Array:
          this.#array(start, at, nameAt, copy, level, afterPointer);
          return;
        case BtfKind.FuncProto:
          this.#function(start, at, nameAt, copy, level, afterPointer);
          return;
        default:
          throw typeError(this.#types, id, "is not a type that something can be of");
      }
      afterPointer = kind === BtfKind.Ptr;
    }
    this.#declaredName(nameAt, copy, afterPointer);
  }

  #typeTag(at: number): void {
    const { words, strings } = this.#types;
    if (this.#exact && infoFlag(words[at + INFO]!)) {
      this.#out.ascii(" __attribute__((");
      this.#out.copy(strings, words[at]!);
      this.#out.ascii("))");
      return;
    }
    this.#out.ascii(' __attribute__((btf_type_tag("');
    this.#out.copy(strings, words[at]!);
    this.#out.ascii('")))');
  }

  #array(start: number, at: number, nameAt: number, copy: number, level: number, afterPointer: boolean): void {
    const { words, offsets, strings } = this.#types;
    const out = this.#out;
    // GCC repeats the qualifiers of the elements on the array.
    this.#dropModifiers(start);
    const next = this.#top > start ? this.#chain[this.#top - 1]! : undefined;
    if (next === undefined) {
      this.#declaredName(nameAt, copy, afterPointer);
    } else {
      const inner = next !== 0 && infoKind(words[offsets[next - 1]! + INFO]!) === BtfKind.Array;
      if (strings[nameAt] !== 0 && !afterPointer) out.ascii(" ");
      if (!inner) out.ascii("(");
      this.#unwind(start, nameAt, copy, level);
      if (!inner) out.ascii(")");
    }
    out.ascii("[");
    out.decimal(words[at + TRAILER + 2]!);
    out.ascii("]");
  }

  #function(start: number, at: number, nameAt: number, copy: number, level: number, afterPointer: boolean): void {
    const { words } = this.#types;
    const out = this.#out;
    // GCC calls functions that do not return volatile.
    this.#dropModifiers(start);
    if (this.#top > start) {
      out.ascii(" (");
      this.#unwind(start, nameAt, copy, level);
      out.ascii(")");
    } else {
      this.#declaredName(nameAt, copy, afterPointer);
    }
    out.ascii("(");
    const count = infoVlen(words[at + INFO]!);
    const first = at + TRAILER;
    // clang knows a function without parameters by a single one of type void.
    if (count === 0 || (count === 1 && words[first + 1] === 0)) {
      out.ascii("void)");
      return;
    }
    for (let index = 0; index < count; index++) {
      if (index > 0) out.ascii(", ");
      const type = words[first + index * 2 + 1]!;
      if (index === count - 1 && type === 0) out.ascii("...");
      else this.#declare(type, words[first + index * 2]!, 1, level);
    }
    out.ascii(")");
  }

  /** Writes the qualifiers on top of the chain, which belong to the type that follows. */
  #modifiers(start: number): void {
    const { words, offsets } = this.#types;
    const chain = this.#chain;
    while (this.#top > start) {
      const id = chain[this.#top - 1]!;
      const kind = id === 0 ? BtfKind.Unknown : infoKind(words[offsets[id - 1]! + INFO]!);
      if (kind === BtfKind.Volatile) this.#out.ascii("volatile ");
      else if (kind === BtfKind.Const) this.#out.ascii("const ");
      else if (kind === BtfKind.Restrict) this.#out.ascii("restrict ");
      else return;
      this.#top--;
    }
  }

  #dropModifiers(start: number): void {
    const { words, offsets } = this.#types;
    const chain = this.#chain;
    while (this.#top > start) {
      const id = chain[this.#top - 1]!;
      const kind = id === 0 ? BtfKind.Unknown : infoKind(words[offsets[id - 1]! + INFO]!);
      if (
        kind !== BtfKind.Volatile && kind !== BtfKind.Const && kind !== BtfKind.Restrict && kind !== BtfKind.TypeTag
      ) return;
      this.#top--;
    }
  }

  #declaredName(nameAt: number, copy: number, afterPointer: boolean): void {
    const { strings } = this.#types;
    if (strings[nameAt] === 0) return;
    if (!afterPointer) this.#out.ascii(" ");
    this.#out.copy(strings, nameAt);
    if (copy > 1) this.#names.suffix(copy);
  }

  #isNamed(nameAt: number, name: string): boolean {
    const { strings } = this.#types;
    for (let i = 0; i < name.length; i++) {
      if (strings[nameAt + i] !== name.charCodeAt(i)) return false;
    }
    return strings[nameAt + name.length] === 0;
  }
}

function indentOf(level: number): string {
  return INDENTS[Math.min(level, MAX_INDENT)]!;
}
