/**
 * A random C program for tests of merging: structs that refer to each other in circles, of which each compilation sees
 * some as definitions and some as forward declarations only.
 *
 * @module
 */
import { Btf, BtfBuilder, type BtfType, type Member, type PtrType } from "../../../../lib/btf/mod.ts";
import { BtfKind } from "../../../../lib/uapi/mod.ts";
import type { Random } from "../value/random_types.ts";

/** What a member looks like, in words that every compilation spells out on its own. */
type Shape =
  | { readonly kind: "int" }
  | { readonly kind: "enum"; readonly index: number }
  | { readonly kind: "typedef"; readonly index: number }
  | { readonly kind: "pointer"; readonly to: Shape }
  | { readonly kind: "const"; readonly to: Shape }
  | { readonly kind: "array"; readonly of: Shape; readonly length: number }
  | { readonly kind: "function"; readonly params: readonly Shape[] }
  | { readonly kind: "struct"; readonly index: number }
  | { readonly kind: "anonymous"; readonly union: boolean; readonly members: readonly Shape[] };

/** The structs of a program, called `s0`, `s1`, ..., as the shapes of their members. */
export interface Program {
  readonly structs: readonly (readonly Shape[])[];
}

/** A program in which a struct contains only structs of smaller numbers, but points at any. */
export function randomProgram(random: Random, structs: number): Program {
  const value = (containable: number, depth: number): Shape => {
    switch (random.below(depth > 2 ? 4 : 9)) {
      case 0:
        return { kind: "int" };
      case 1:
        return { kind: "enum", index: random.below(3) };
      case 2:
        return { kind: "typedef", index: random.below(structs) };
      case 3:
        return { kind: "pointer", to: { kind: "struct", index: random.below(structs) } };
      case 4:
        return { kind: "pointer", to: { kind: "const", to: value(containable, depth + 1) } };
      case 5:
        return { kind: "array", of: value(containable, depth + 1), length: random.below(3) };
      case 6: {
        const params = Array.from({ length: random.below(3) }, () => value(0, depth + 1));
        return { kind: "pointer", to: { kind: "function", params } };
      }
      case 7:
        return containable > 0 ? { kind: "struct", index: random.below(containable) } : { kind: "int" };
      default: {
        const members = Array.from({ length: 1 + random.below(2) }, () => value(containable, depth + 1));
        return { kind: "anonymous", union: random.below(2) === 0, members };
      }
    }
  };
  return {
    structs: Array.from(
      { length: structs },
      (_, index) => Array.from({ length: 1 + random.below(4) }, () => value(index, 0)),
    ),
  };
}

/**
 * One compilation of a program: BTF with some of its structs, in an order of its own. `isDefined`: which structs the
 * compilation has seen whole; those that it contains are, too.
 */
export function compile(program: Program, random: Random, isDefined: (index: number) => boolean): Btf {
  const builder = new BtfBuilder();
  const int = intType();
  const enums = [0, 1, 2].map((index): BtfType => ({
    kind: BtfKind.Enum,
    id: 0,
    name: `e${index}`,
    size: 4,
    signed: false,
    values: [{ name: `E${index}`, value: index }],
  }));
  const structs = new Map<number, BtfType>();
  const typedefs = new Map<number, BtfType>();
  const isWhole = new Set(program.structs.keys().filter(isDefined));
  for (let index = program.structs.length - 1; index >= 0; index--) {
    if (!isWhole.has(index)) continue;
    for (const shape of program.structs[index]!) forContained(shape, (contained) => isWhole.add(contained));
  }

  const struct = (index: number): BtfType => {
    const known = structs.get(index);
    if (known !== undefined) return known;
    const name = `s${index}`;
    if (!isWhole.has(index)) {
      const fwd: BtfType = { kind: BtfKind.Fwd, id: 0, name, union: false };
      structs.set(index, fwd);
      return fwd;
    }
    const members: Member[] = [];
    const type: BtfType = { kind: BtfKind.Struct, id: 0, name, size: 8 * program.structs[index]!.length, members };
    structs.set(index, type);
    for (const [at, shape] of program.structs[index]!.entries()) {
      members.push({ name: `m${at}`, type: spell(shape), offsetBits: at * 64, bitfieldBits: 0 });
    }
    return type;
  };
  const spell = (shape: Shape): BtfType => {
    switch (shape.kind) {
      case "int":
        // Compilers spell a type once, pahole may spell it twice.
        return random.below(8) === 0 ? intType() : int;
      case "enum":
        return enums[shape.index]!;
      case "typedef": {
        const known = typedefs.get(shape.index);
        if (known !== undefined) return known;
        // Known before what it refers to is spelled out: that may contain it.
        const pointer: { -readonly [Key in keyof PtrType]: PtrType[Key] } = {
          kind: BtfKind.Ptr,
          id: 0,
          name: "",
          target: int,
        };
        const typedef: BtfType = { kind: BtfKind.Typedef, id: 0, name: `t${shape.index}`, target: pointer };
        typedefs.set(shape.index, typedef);
        pointer.target = struct(shape.index);
        return typedef;
      }
      case "pointer":
        return { kind: BtfKind.Ptr, id: 0, name: "", target: spell(shape.to) };
      case "const":
        return { kind: BtfKind.Const, id: 0, name: "", target: spell(shape.to) };
      case "array":
        return { kind: BtfKind.Array, id: 0, name: "", element: spell(shape.of), index: int, length: shape.length };
      case "function":
        return {
          kind: BtfKind.FuncProto,
          id: 0,
          name: "",
          returns: int,
          params: shape.params.map((param, index) => ({ name: index === 0 ? "" : `p${index}`, type: spell(param) })),
        };
      case "struct":
        return struct(shape.index);
      case "anonymous": {
        const members = shape.members.map((member, index) => ({
          name: `a${index}`,
          type: spell(member),
          offsetBits: shape.union ? 0 : index * 64,
          bitfieldBits: 0,
        }));
        const size = shape.union ? 8 : 8 * members.length;
        return { kind: shape.union ? BtfKind.Union : BtfKind.Struct, id: 0, name: "", size, members };
      }
      default:
        return shape satisfies never;
    }
  };
  const order = program.structs.map((_, index) => index).filter((index) => isWhole.has(index));
  while (order.length > 0) builder.add(struct(order.splice(random.below(order.length), 1)[0]!));
  return Btf.parse(builder.encode());
}

function intType(): BtfType {
  return {
    kind: BtfKind.Int,
    id: 0,
    name: "int",
    size: 4,
    signed: true,
    char: false,
    bool: false,
    offsetBits: 0,
    bits: 32,
  };
}

/** Visits the structs that are parts of a value, so that they must be defined. */
function forContained(shape: Shape, visit: (index: number) => void): void {
  if (shape.kind === "struct") visit(shape.index);
  if (shape.kind === "array") forContained(shape.of, visit);
  if (shape.kind === "const") forContained(shape.to, visit);
  // A struct behind a pointer may be declared only, but not a part of something else behind one.
  if (shape.kind === "pointer" && !pointsAtStruct(shape.to)) forContained(shape.to, visit);
  if (shape.kind === "anonymous") { for (const member of shape.members) forContained(member, visit); }
}

function pointsAtStruct(shape: Shape): boolean {
  return shape.kind === "struct" || (shape.kind === "const" && pointsAtStruct(shape.to));
}
