/**
 * Attributes and padding as bpftool 7.1 (libbpf 1.1 with the padding of 1.2, as Linux 6.1.y has it) writes them, where
 * they are wrong too: alignment is at most that of a pointer, and unions are never packed.
 *
 * @module
 */
import { BtfKind } from "../../uapi/mod.ts";
import { BTF_TYPE, infoKind, infoVlen } from "../wire.ts";
import { type CLayout, MAX_CHAIN, type PadPlace, type RawMember, rawSizeOf, readMember } from "./c_layout.ts";
import type { RawTypes } from "./raw_types.ts";
import type { TextBuffer } from "./text_buffer.ts";

/** In the memo of alignments: not asked yet. */
const UNKNOWN = 255;

/** Layout as bpftool 7.1 has it. */
export class BpftoolLayout implements CLayout {
  readonly #types: RawTypes;
  /** Alignments of structs and unions by id. */
  readonly #alignments: Uint8Array;
  readonly #member: RawMember = { type: 0, offset: 0, bits: 0 };
  readonly #pads: readonly { word: string; bits: number }[];

  constructor(types: RawTypes) {
    this.#types = types;
    this.#alignments = new Uint8Array(types.count).fill(UNKNOWN);
    this.#pads = [
      { word: "long", bits: types.pointerSize * 8 },
      { word: "int", bits: 32 },
      { word: "short", bits: 16 },
      { word: "char", bits: 8 },
    ];
  }

  isPacked(id: number): boolean {
    const { words, offsets } = this.#types;
    const at = offsets[id - 1]!;
    const info = words[at + BTF_TYPE.info]!;
    if (infoKind(info) !== BtfKind.Struct) return false;
    const member = this.#member;
    const count = infoVlen(info);
    let most = 1;
    for (let index = 0; index < count; index++) {
      readMember(this.#types, at, index, member);
      const { offset, bits } = member;
      const alignment = this.#alignOf(member.type, 0);
      if (alignment !== 0 && bits === 0 && offset % (8 * alignment) !== 0) return true;
      if (alignment > most) most = alignment;
    }
    return words[at + BTF_TYPE.sizeOrType]! % most !== 0;
  }

  alignedTo(): number {
    return 0;
  }

  member(id: number, index: number, member: RawMember): void {
    readMember(this.#types, this.#types.offsets[id - 1]!, index, member);
  }

  sizeOf(id: number): number {
    return rawSizeOf(this.#types, id);
  }

  padBefore(out: TextBuffer, indent: string, place: PadPlace, member: RawMember): void {
    if (place.end >= member.offset) return;
    const alignment = this.isPacked(place.id) ? 1 : this.#alignOf(member.type, 0);
    this.#pad(out, indent, place.end, member.offset, alignment, place.afterBitfield && member.bits !== 0);
  }

  padAfter(out: TextBuffer, indent: string, place: PadPlace): void {
    const { words, offsets } = this.#types;
    const at = offsets[place.id - 1]!;
    if (infoKind(words[at + BTF_TYPE.info]!) !== BtfKind.Struct) return;
    const end = words[at + BTF_TYPE.sizeOrType]! * 8;
    if (place.end < end) this.#pad(out, indent, place.end, end, this.#alignOf(place.id, 0), false);
  }

  /**
   * Padding of the bits from `from` to `to`, of the largest type that has a boundary in between. Up to that boundary the
   * compiler gets by itself, if what follows is aligned to it (`alignment` bytes); else `TYPE: 0` takes it there, between
   * bitfields a width.
   */
  #pad(out: TextBuffer, indent: string, from: number, to: number, alignment: number, inBitfields: boolean): void {
    const pads = this.#pads;
    const unit = pads.find(({ bits }) => roundUp(from, bits) <= to) ?? { word: "char", bits: 8 };
    const write = (word: string, width: number) => out.ascii(`\n${indent}${word}: ${width};`);
    const boundary = roundUp(from, unit.bits);
    let at = from;
    if (boundary > from && boundary <= to) {
      const natural = boundary === to
        ? roundUp(from, (alignment || 1) * 8) === boundary
        : to - boundary > boundary - from;
      if (inBitfields || !natural) write(unit.word, inBitfields ? boundary - from : 0);
      at = boundary;
    }
    for (; to - at >= unit.bits; at += unit.bits) write(unit.word, unit.bits);
    if (at === to) return;
    const smallest = pads.findLast(({ bits }) => bits >= to - at) ?? unit;
    write(smallest.word, to - at);
  }

  /** Alignment as libbpf guesses it; 0 where a type has none. */
  #alignOf(id: number, depth: number): number {
    const { words, offsets, pointerSize } = this.#types;
    for (let steps = 0; steps < MAX_CHAIN && id !== 0; steps++) {
      const at = offsets[id - 1]!;
      const info = words[at + BTF_TYPE.info]!;
      const sizeOrType = words[at + BTF_TYPE.sizeOrType]!;
      switch (infoKind(info)) {
        case BtfKind.Int:
        case BtfKind.Enum:
        case BtfKind.Enum64:
        case BtfKind.Float:
          return Math.min(pointerSize, sizeOrType);
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
          return this.#alignOfBody(id, at, infoVlen(info), depth);
        default:
          return 0;
      }
    }
    return 0;
  }

  #alignOfBody(id: number, at: number, count: number, depth: number): number {
    const known = this.#alignments[id]!;
    if (known !== UNKNOWN || depth > MAX_CHAIN) return known;
    const { words } = this.#types;
    const member: RawMember = { type: 0, offset: 0, bits: 0 };
    let most = 1;
    for (let index = 0; index < count; index++) {
      readMember(this.#types, at, index, member);
      const alignment = this.#alignOf(member.type, depth + 1);
      if (alignment === 0) return this.#alignments[id] = 0;
      if (alignment > most) most = alignment;
      if (member.bits === 0 && member.offset % (8 * alignment) !== 0) return this.#alignments[id] = 1;
    }
    if (words[at + BTF_TYPE.sizeOrType]! % most !== 0) most = 1;
    return this.#alignments[id] = most;
  }
}

function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}
