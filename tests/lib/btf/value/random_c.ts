/**
 * Random C: structs, a variable of each with an initializer, and the value that this initializer means.
 *
 * @module
 */
import type { StructValue, Value } from "../../../../lib/btf/value/mod.ts";
import type { Random } from "./random_types.ts";

/** A declaration with a hole for the name, an initializer and the value that it stands for. */
interface Piece {
  readonly declare: (name: string) => string;
  readonly init: string;
  readonly value: Value;
  /** Width of an integer that can be a bitfield. */
  readonly bits?: number;
  readonly signed?: boolean;
}

/** A file of C and the values of its variables. */
export interface RandomC {
  readonly source: string;
  readonly values: ReadonlyMap<string, StructValue>;
}

/** Makes a file with `count` structs; only what clang 14 compiles for BPF. */
export function randomC(random: Random, count: number): RandomC {
  const lines = [
    "enum level { LOW, MID = 5, HIGH = 9, TOP = 0xffffffff };",
    "enum sign { MINUS = -1, ZERO, PLUS };",
    "typedef unsigned short port_t;",
    "typedef const volatile unsigned char byte_t;",
  ];
  const values = new Map<string, StructValue>();
  for (let i = 0; i < count; i++) {
    let names = 0;
    const body = composite(random, 3, () => `m${names++}`);
    // Without a section, clang 14's BTF puts a variable of zeros in another one than its ELF symbol.
    lines.push(`struct s${i} ${body.declare("")} v${i} __attribute__((section(".data.layout"))) = ${body.init};`);
    values.set(`v${i}`, body.value as StructValue);
  }
  return { source: lines.join("\n") + "\n", values };
}

const INTS: readonly [string, number, boolean][] = [
  ["unsigned char", 8, false],
  ["signed char", 8, true],
  ["port_t", 16, false],
  ["short", 16, true],
  ["unsigned int", 32, false],
  ["int", 32, true],
  ["unsigned long long", 64, false],
  ["long", 64, true],
  ["byte_t", 8, false],
];

function plain(type: string, init: string, value: Value): Piece {
  return { declare: (name) => `${type} ${name}`, init, value };
}

function integer(random: Random): Piece {
  const [type, bits, signed] = random.pick(INTS);
  const value = random.integer(bits, signed);
  return { ...plain(type, literal(value), bits <= 32 ? Number(value) : value), bits, signed };
}

/** A literal of any 64-bit value: the cast of a negative one is what C99 defines for all compilers that clang imitates. */
function literal(value: bigint): string {
  return value < 0n ? `(long long)${BigInt.asUintN(64, value)}ULL` : `${value}ULL`;
}

function piece(random: Random, depth: number): Piece {
  switch (random.below(depth > 0 ? 11 : 8)) {
    case 0: {
      const [name, number] = random.pick([["LOW", 0], ["MID", 5], ["HIGH", 9], ["TOP", 0xffff_ffff]] as const);
      return plain("enum level", `(enum level)${number}U`, name);
    }
    case 1: {
      const name = random.pick(["MINUS", "ZERO", "PLUS"]);
      return plain("enum sign", name, name);
    }
    case 2: {
      const set = random.below(2) === 1;
      return plain("_Bool", set ? "1" : "0", set);
    }
    case 3: {
      const value = random.below(2 ** 24) / 8;
      return plain(random.pick(["float", "double"]), value.toString(), value);
    }
    case 4: {
      const value = random.integer(64, false);
      return plain("void *", `(void *)${value}ULL`, value);
    }
    case 5: {
      const value = random.integer(128, true);
      const [high, low] = [BigInt.asUintN(64, value >> 64n), BigInt.asUintN(64, value)];
      return plain("__int128", `((__int128)${high}ULL << 64 | ${low}ULL)`, value);
    }
    case 6: {
      const room = 1 + random.below(20);
      const text = "the quick brown fox!".slice(0, random.below(room + 1));
      return { declare: (name) => `char ${name}[${room}]`, init: JSON.stringify(text), value: text };
    }
    case 7:
      return integer(random);
    case 8: {
      const items = Array.from({ length: 1 + random.below(3) }, () => integer(random));
      const [type, bits, signed] = random.pick(INTS);
      const numbers = items.map(() => random.integer(bits, signed));
      return {
        declare: (name) => `${type} ${name}[${items.length}]`,
        init: `{ ${numbers.map(literal).join(", ")} }`,
        value: numbers.map((number) => bits <= 32 ? Number(number) : number),
      };
    }
    default: {
      let inner = 0;
      const body = composite(random, depth - 1, () => `m${inner++}`);
      return { declare: (name) => `struct ${body.declare("")} ${name}`, init: body.init, value: body.value };
    }
  }
}

/** The body of a struct: `{ members } attributes`. */
function composite(random: Random, depth: number, names: () => string): Piece {
  const packed = random.below(4) === 0 ? " __attribute__((packed))" : "";
  const members: string[] = [];
  const inits: string[] = [];
  const value: StructValue = {};
  for (let i = random.below(6); i >= 0; i--) addMember(random, depth, names, members, inits, value);
  return { declare: () => `{ ${members.join(" ")} }${packed}`, init: `{ ${inits.join(", ")} }`, value };
}

function addMember(
  random: Random,
  depth: number,
  names: () => string,
  members: string[],
  inits: string[],
  value: StructValue,
): void {
  const kind = random.below(10);
  if (kind < 4) {
    const base = integer(random);
    const bits = 1 + random.below(base.bits!);
    const number = random.integer(bits, base.signed!);
    const name = names();
    members.push(`${base.declare(name)} : ${bits};`);
    inits.push(`.${name} = ${literal(number)}`);
    value[name] = bits <= 32 ? Number(number) : number;
    if (random.below(6) === 0) members.push(random.pick(["int : 3;", "int : 0;", "long long : 0;"]));
  } else if (kind < 5 && depth > 0) {
    const body = composite(random, depth - 1, names);
    members.push(`struct ${body.declare("")};`);
    inits.push(body.init);
    Object.assign(value, body.value);
  } else if (kind < 7 && depth > 0) {
    const anonymous = random.below(2) === 0;
    let inner = 0;
    const innerNames = anonymous ? names : () => `m${inner++}`;
    const choices = Array.from({ length: 1 + random.below(3) }, () => ({
      name: innerNames(),
      ...piece(random, depth - 1),
    }));
    const chosen = random.pick(choices);
    const body = `union { ${choices.map((one) => `${one.declare(one.name)};`).join(" ")} }`;
    const init = `{ .${chosen.name} = ${chosen.init} }`;
    if (anonymous) {
      members.push(`${body};`);
      inits.push(init);
      value[chosen.name] = chosen.value;
    } else {
      const name = names();
      members.push(`${body} ${name};`);
      inits.push(`.${name} = ${init}`);
      value[name] = { [chosen.name]: chosen.value };
    }
  } else {
    const name = names();
    const made = piece(random, depth);
    members.push(`${made.declare(name)};`);
    inits.push(`.${name} = ${made.init}`);
    value[name] = made.value;
  }
}
