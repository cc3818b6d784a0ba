/**
 * Attributes and padding with which a C compiler puts members where BTF says they are.
 *
 * BTF knows neither `packed` nor `aligned`, nor unnamed bitfields. What is written here is found by doing what compilers do
 * (the System V ABIs of all 64-bit machines agree in this): a member goes to the next multiple of its alignment, a bitfield to
 * the next bit unless it would cross a storage unit of its type, and the end is rounded up to the largest alignment. Where a
 * struct cannot be so it is packed, where it leaves gaps they are filled. Alignment is always that of the text itself, not what
 * the source may have had, so that what embeds a struct pads for it.
 *
 * @module
 */
import { UnsupportedError } from "../../errors.ts";
import { BtfKind } from "../../uapi/mod.ts";
import { BTF_TYPE, infoKind, infoVlen } from "../wire.ts";
import { type CLayout, MAX_CHAIN, type PadPlace, type RawMember, rawSizeOf, readMember } from "./c_layout.ts";
import { rawName, type RawTypes } from "./raw_types.ts";
import type { TextBuffer } from "./text_buffer.ts";

/** How a struct or union is written. */
interface Body {
  readonly packed: boolean;
  /** Alignment by attribute, in bytes; 0: none. */
  readonly alignedTo: number;
  /** Alignment that it then has, in bytes. */
  readonly alignment: number;
  /** Whether a union needs a member of padding to be as large as it is. */
  readonly filled: boolean;
}

/** The largest alignment that a type has by itself: that of 128-bit integers. */
const MOST_ALIGNED = 16;

/** Words for padding, from the largest. */
const UNITS = [
  { word: "long", bytes: 8 },
  { word: "int", bytes: 4 },
  { word: "short", bytes: 2 },
  { word: "char", bytes: 1 },
] as const;

/** Layout that a compiler reproduces. */
export class ExactLayout implements CLayout {
  readonly #types: RawTypes;
  readonly #bodies: (Body | undefined)[] = [];

  constructor(types: RawTypes) {
    this.#types = types;
  }

  isPacked(id: number): boolean {
    return this.#body(id).packed;
  }

  alignedTo(id: number): number {
    return this.#body(id).alignedTo;
  }

  /** As BTF has it, but for bitfields from before `kind_flag` (4.20), which only their integer tells; the codec reads them so. */
  member(id: number, index: number, member: RawMember): void {
    const { words, offsets } = this.#types;
    const at = offsets[id - 1]!;
    readMember(this.#types, at, index, member);
    if (member.bits !== 0) return;
    const int = this.#intBehind(member.type);
    if (int === 0) return;
    const encoding = words[int + BTF_TYPE.words]!;
    const [offset, bits] = [encoding >>> 16 & 0xff, encoding & 0xff];
    if (offset === 0 && bits === words[int + BTF_TYPE.sizeOrType]! * 8) return;
    member.offset += offset;
    member.bits = bits;
  }

  sizeOf(id: number): number {
    return rawSizeOf(this.#types, id);
  }

  padBefore(out: TextBuffer, indent: string, place: PadPlace, member: RawMember): void {
    if (this.#isUnion(place.id)) return;
    const { packed } = this.#body(place.id);
    const fits = (from: number) => this.#natural(from, member, packed) === member.offset;
    this.#pad(out, indent, place, member.offset, fits);
  }

  padAfter(out: TextBuffer, indent: string, place: PadPlace): void {
    const { alignment, filled, packed } = this.#body(place.id);
    const { words, offsets } = this.#types;
    const size = words[offsets[place.id - 1]! + BTF_TYPE.sizeOrType]! * 8;
    const fits = (from: number) => roundUp(from, alignment * 8) === size;
    if (!this.#isUnion(place.id)) {
      this.#pad(out, indent, place, size, fits);
    } else if (filled) {
      out.ascii(`\n${indent}struct {`);
      this.#pad(out, `${indent}\t`, { ...place, end: 0 }, size, fits);
      out.ascii(`\n${indent}}${packed ? " __attribute__((packed))" : ""};`);
    }
  }

  /**
   * Writes unnamed bitfields until what follows gets to `to` by itself. Their types are no more aligned than the size of the
   * struct: on ARM unnamed bitfields count for its alignment.
   */
  #pad(out: TextBuffer, indent: string, place: PadPlace, to: number, fits: (from: number) => boolean): void {
    const { words, offsets, pointerSize } = this.#types;
    const { packed } = this.#body(place.id);
    const size = words[offsets[place.id - 1]! + BTF_TYPE.sizeOrType]!;
    const start = (at: number, bytes: number) => packed ? at : roundUp(at, bytes * 8);
    for (let at = place.end; !fits(at);) {
      if (at >= to) throw this.#impossible(place.id, `a member at bit ${to} overlaps one before it`);
      const inByte = packed && at % 8 !== 0;
      const unit = UNITS.find(({ bytes }) =>
        !inByte && bytes <= pointerSize && (packed || size % bytes === 0) && start(at, bytes) + bytes * 8 <= to
      );
      const word = unit?.word ?? "char";
      const bits = unit === undefined ? Math.min(to, roundUp(at + 1, 8)) - at : unit.bytes * 8;
      out.ascii(`\n${indent}${word}: ${bits};`);
      at = (unit === undefined ? at : start(at, unit.bytes)) + bits;
    }
  }

  /** Where a compiler puts a member behind `from`, both in bits. */
  #natural(from: number, member: RawMember, packed: boolean): number {
    if (packed) return member.bits !== 0 ? from : roundUp(from, 8);
    const alignment = this.#alignOf(member.type, 0) * 8;
    if (member.bits === 0) return roundUp(from, alignment);
    const unit = this.sizeOf(member.type) * 8;
    return from % alignment + member.bits > unit ? roundUp(from, alignment) : from;
  }

  #body(id: number, depth = 0): Body {
    const known = this.#bodies[id];
    if (known !== undefined) return known;
    const at = this.#types.offsets[id - 1]!;
    return this.#bodies[id] = this.#isUnion(id) ? this.#union(id, at, depth) : this.#struct(id, at, depth);
  }

  #isUnion(id: number): boolean {
    const { words, offsets } = this.#types;
    return infoKind(words[offsets[id - 1]! + BTF_TYPE.info]!) === BtfKind.Union;
  }

  #struct(id: number, at: number, depth: number): Body {
    const { words } = this.#types;
    const size = words[at + BTF_TYPE.sizeOrType]!;
    const count = infoVlen(words[at + BTF_TYPE.info]!);
    const member: RawMember = { type: 0, offset: 0, bits: 0 };
    let alignment = 1;
    let packed = false;
    let end = 0;
    for (let index = 0; index < count; index++) {
      this.member(id, index, member);
      const { type, offset, bits } = member;
      const own = this.#alignOf(type, depth + 1);
      alignment = Math.max(alignment, own);
      if (bits === 0) {
        if (offset % 8 !== 0) throw this.#impossible(id, `member ${index} starts inside a byte, at bit ${offset}`);
        packed ||= offset % (own * 8) !== 0;
        end = Math.max(end, offset + this.sizeOf(type) * 8);
      } else {
        const unit = this.sizeOf(type) * 8;
        if (bits > unit) throw this.#impossible(id, `member ${index} has ${bits} bits, more than its type`);
        packed ||= offset % (own * 8) + bits > unit;
        end = Math.max(end, offset + bits);
      }
    }
    if (end > size * 8) throw this.#impossible(id, `its members need more than its ${size} bytes`);
    packed ||= size % alignment !== 0;
    return { packed, alignedTo: 0, alignment: packed ? 1 : alignment, filled: false };
  }

  #union(id: number, at: number, depth: number): Body {
    const { words } = this.#types;
    const size = words[at + BTF_TYPE.sizeOrType]!;
    const count = infoVlen(words[at + BTF_TYPE.info]!);
    const member: RawMember = { type: 0, offset: 0, bits: 0 };
    let alignment = 1;
    let end = 0;
    for (let index = 0; index < count; index++) {
      this.member(id, index, member);
      const { type, offset, bits } = member;
      if (offset !== 0) throw this.#impossible(id, `member ${index} does not start at its beginning`);
      alignment = Math.max(alignment, this.#alignOf(type, depth + 1));
      end = Math.max(end, bits === 0 ? this.sizeOf(type) : Math.ceil(bits / 8));
    }
    if (end > size) throw this.#impossible(id, `its members need more than its ${size} bytes`);
    const packed = size % alignment !== 0;
    if (packed) alignment = 1;
    if (roundUp(end, alignment) === size) return { packed, alignedTo: 0, alignment, filled: false };
    for (let wanted = alignment * 2; wanted <= size; wanted *= 2) {
      if (end > 0 && roundUp(end, wanted) === size) {
        return { packed, alignedTo: wanted, alignment: wanted, filled: false };
      }
    }
    return { packed, alignedTo: 0, alignment, filled: true };
  }

  /** Alignment in bytes that a type has in the text; 1 for what has none. */
  #alignOf(id: number, depth: number): number {
    const { words, offsets, pointerSize } = this.#types;
    for (let steps = 0; steps < MAX_CHAIN && id !== 0; steps++) {
      const at = offsets[id - 1]!;
      const sizeOrType = words[at + BTF_TYPE.sizeOrType]!;
      switch (infoKind(words[at + BTF_TYPE.info]!)) {
        case BtfKind.Int:
        case BtfKind.Float:
          return alignmentOfSize(sizeOrType, pointerSize);
        case BtfKind.Enum:
        case BtfKind.Enum64:
          return alignmentOfSize(sizeOrType, pointerSize);
        case BtfKind.Ptr:
          return pointerSize;
        case BtfKind.Typedef:
        case BtfKind.Volatile:
        case BtfKind.Const:
        case BtfKind.Restrict:
        case BtfKind.TypeTag:
          id = sizeOrType;
          break;
        case BtfKind.Array:
          id = words[at + BTF_TYPE.words]!;
          break;
        case BtfKind.Struct:
        case BtfKind.Union:
          if (depth > MAX_CHAIN) return 1;
          return this.#body(id, depth).alignment;
        default:
          return 1;
      }
    }
    return 1;
  }

  /** Word offset of the integer behind typedefs and qualifiers; 0 if something else is there. */
  #intBehind(id: number): number {
    const { words, offsets } = this.#types;
    for (let steps = 0; steps < MAX_CHAIN && id !== 0; steps++) {
      const at = offsets[id - 1]!;
      switch (infoKind(words[at + BTF_TYPE.info]!)) {
        case BtfKind.Int:
          return at;
        case BtfKind.Typedef:
        case BtfKind.Volatile:
        case BtfKind.Const:
        case BtfKind.Restrict:
        case BtfKind.TypeTag:
          id = words[at + BTF_TYPE.sizeOrType]!;
          break;
        default:
          return 0;
      }
    }
    return 0;
  }

  #impossible(id: number, problem: string): UnsupportedError {
    const name = rawName(this.#types, id) || "(anonymous)";
    return new UnsupportedError(
      "layout in C",
      `${this.#types.what}: type id ${id}, ${name}: cannot be said in C: ${problem}`,
    );
  }
}

/** 32-bit machines differ in the alignment of 64 bits: the smaller one is safe, as gaps are filled. */
function alignmentOfSize(size: number, pointerSize: number): number {
  const power = 2 ** Math.floor(Math.log2(size & -size || 1));
  return Math.min(power, pointerSize < 8 ? 4 : MOST_ALIGNED);
}

function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}
