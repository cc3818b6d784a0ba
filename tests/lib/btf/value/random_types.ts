/**
 * Random types and values from a seed: the same seed, the same types.
 *
 * @module
 */
import type { BtfType, Member } from "../../../../lib/btf/types.ts";
import type { StructValue, Value } from "../../../../lib/btf/value/mod.ts";
import { BtfKind } from "../../../../lib/uapi/mod.ts";
import {
  alignOf,
  array,
  bitfield,
  BOOL,
  CHAR,
  enum64,
  enumeration,
  float,
  int,
  layOut,
  member,
  modifier,
  pointer,
  S128,
  S16,
  S32,
  S64,
  S8,
  sizeOf,
  struct,
  typedef,
  U128,
  U16,
  U32,
  U64,
  U8,
} from "./make_types.ts";

/** A sequence of numbers that a seed decides (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** An integer in [0, below). */
  below(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ this.#state >>> 15, this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ mixed >>> 7, mixed | 61);
    return Math.floor(((mixed ^ mixed >>> 14) >>> 0) / 2 ** 32 * below);
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  bytes(length: number): Uint8Array<ArrayBuffer> {
    return Uint8Array.from({ length }, () => this.below(256));
  }

  /** An integer of `bits` bits, often at the edge of its range. */
  integer(bits: number, signed: boolean): bigint {
    let value = 0n;
    for (let i = 0; i < bits; i += 16) value = value << 16n | BigInt(this.below(2 ** 16));
    value = this.pick([value, value, 0n, 1n, -1n, 1n << BigInt(bits - 1)]);
    return signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
  }
}

const SCALARS: BtfType[] = [
  ...[U8, S8, U16, S16, U32, S32, U64, S64, U128, S128, BOOL, CHAR, float(4), float(8), pointer()],
  enumeration("level", { LOW: 0, MID: 5, HIGH: 9 }),
  enumeration("signed", { MINUS: -1, PLUS: 1 }, { signed: true, size: 2 }),
  enum64("huge", { HUGE: 1n << 40n, NONE: 0n }),
];

/** A random type: a scalar, or one made of others. */
export function randomType(random: Random, depth: number): BtfType {
  const kind = depth <= 0 ? 0 : random.below(10);
  if (kind < 4) return random.pick(SCALARS);
  if (kind < 5) return array(CHAR, random.pick([1, 3, 16, 20]));
  if (kind < 6) return array(randomType(random, depth - 1), 1 + random.below(3));
  if (kind < 7) return typedef("alias", modifier(BtfKind.Const, randomType(random, depth - 1)));
  return randomComposite(random, depth, `t${random.below(1e6)}`);
}

/** A random struct or union: laid out as in C, packed, or made of bitfields of either encoding. */
export function randomComposite(random: Random, depth: number, name: string): BtfType {
  const names = nameSource();
  switch (random.below(5)) {
    case 0:
      return layOut(name, randomMembers(random, depth, names), "union");
    case 1:
      return packed(name, randomMembers(random, depth, names));
    case 2:
      return randomBitfields(random, name, names);
    default:
      return layOut(name, randomMembers(random, depth, names));
  }
}

function nameSource(): () => string {
  let count = 0;
  return () => `m${count++}`;
}

function randomMembers(random: Random, depth: number, names: () => string): [string, BtfType][] {
  return Array.from({ length: 1 + random.below(6) }, (): [string, BtfType] => {
    // Names inside anonymous members come from the same source: in C they must differ.
    if (depth > 0 && random.below(6) === 0) {
      return ["", layOut("", randomMembers(random, depth - 1, names), random.pick(["struct", "union"]))];
    }
    return [names(), randomType(random, depth - 1)];
  });
}

function packed(name: string, members: [string, BtfType][]): BtfType {
  let end = 0;
  const placed = members.map(([name, type]) => {
    const offset = end;
    end += sizeOf(type);
    return member(name, type, offset);
  });
  return struct(name, end, placed);
}

function randomBitfields(random: Random, name: string, names: () => string): BtfType {
  const legacy = random.below(2) === 0;
  const members: Member[] = [];
  let end = 0;
  for (let i = random.below(8); i >= 0; i--) {
    const type = random.pick([U8, S8, U16, U32, S32, U64, S64, U128, BOOL, SCALARS[15]!]);
    const size = sizeOf(type);
    const bits = type === BOOL ? 1 : 1 + random.below(size * 8);
    end += random.below(4);
    if (legacy && type.kind === BtfKind.Int) {
      // The encoding before kind_flag: the member starts at a storage unit, the integer says where in it.
      const unitBits = size * 8;
      const fits = end % unitBits + bits <= unitBits;
      const start = fits ? end : Math.ceil(end / unitBits) * unitBits;
      const unit = Math.floor(start / unitBits) * unitBits;
      const narrow = int(type.name, size, { ...type, bits, offsetBits: start - unit });
      members.push({ name: names(), type: narrow, offsetBits: unit, bitfieldBits: 0 });
      end = start + bits;
    } else {
      members.push(bitfield(names(), type, end, bits));
      end += bits;
    }
  }
  return struct(name, Math.ceil(end / 8), members);
}

/** A random value of `type`; of unions one member is given. */
export function randomValue(random: Random, type: BtfType, bits?: number): Value {
  switch (type.kind) {
    case BtfKind.Typedef:
    case BtfKind.Const:
    case BtfKind.Volatile:
      return randomValue(random, type.target, bits);
    case BtfKind.Int: {
      if (type.bool) return random.below(2) === 1;
      const width = bits ?? type.bits;
      const value = random.integer(width, type.signed);
      return width <= 32 ? Number(value) : value;
    }
    case BtfKind.Enum: {
      const width = bits ?? type.size * 8;
      const named = type.values.find((entry) => BigInt.asUintN(width, BigInt(entry.value)) === BigInt(entry.value));
      if (named !== undefined && random.below(2) === 0) return named.name;
      const value = random.integer(width, type.signed);
      return type.values.find((entry) => BigInt(entry.value) === value)?.name ?? Number(value);
    }
    case BtfKind.Enum64: {
      const value = random.integer(64, false);
      return type.values.find((entry) => entry.value === value)?.name ?? value;
    }
    case BtfKind.Ptr:
      return random.integer(64, false);
    case BtfKind.Float:
      return type.size === 4 ? Math.fround(random.below(1e9) / 7) : random.below(1e9) / 7;
    case BtfKind.Array:
      if (plain(type.element) === CHAR) return randomText(random, type.length);
      return Array.from(
        { length: sizeOf(type.element) === 0 ? 0 : type.length },
        () => randomValue(random, type.element),
      );
    case BtfKind.Struct:
    case BtfKind.Union:
      return randomMembersOf(random, type);
    default:
      throw new Error(`no values of kind ${type.kind}`);
  }
}

/** The type behind typedefs and modifiers. */
function plain(type: BtfType): BtfType {
  const wrapped = type.kind === BtfKind.Typedef || type.kind === BtfKind.Const || type.kind === BtfKind.Volatile;
  return wrapped ? plain(type.target) : type;
}

function randomMembersOf(random: Random, type: BtfType & { members: readonly Member[] }): StructValue {
  const sized = type.members.filter((one) => sizeOf(one.type) > 0);
  const given = type.kind === BtfKind.Union && sized.length > 0 ? [random.pick(sized)] : type.members;
  const value: StructValue = {};
  for (const one of given) {
    const made = randomValue(random, one.type, one.bitfieldBits || undefined);
    if (one.name === "") Object.assign(value, made);
    else value[one.name] = made;
  }
  return value;
}

function randomText(random: Random, room: number): string {
  let text = "";
  for (let left = random.below(room + 1); left > 0;) {
    const letter = random.pick(["a", "Z", " ", "~", "ß", "€"]);
    left -= new TextEncoder().encode(letter).length;
    if (left >= 0) text += letter;
  }
  return text;
}

/** Checks that `type` is one of C's making, for those who compare with a compiler. */
export function isAligned(type: BtfType): boolean {
  if (type.kind !== BtfKind.Struct && type.kind !== BtfKind.Union) return true;
  return type.size % alignOf(type) === 0 &&
    type.members.every((one) => one.offsetBits % (8 * alignOf(one.type)) === 0 && isAligned(one.type));
}

/** Is `part` what `whole` says? Of unions `whole` has all members, `part` those that were given. */
export function agrees(part: Value, whole: Value): boolean {
  if (Array.isArray(part)) {
    return Array.isArray(whole) && part.length === whole.length && part.every((item, i) => agrees(item, whole[i]!));
  }
  if (typeof part !== "object" || part instanceof Uint8Array) return Object.is(part, whole);
  if (typeof whole !== "object" || whole instanceof Uint8Array || Array.isArray(whole)) return false;
  return Object.keys(part).every((name) => name in whole && agrees(part[name]!, whole[name]!));
}
