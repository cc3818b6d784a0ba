/**
 * Two plain ways to tell types apart, against which merging is held.
 *
 * @module
 */
import type { Btf, BtfType } from "../../../../lib/btf/mod.ts";
import { BtfKind } from "../../../../lib/uapi/mod.ts";

/** A type and what it refers to, in order; numbers and names in `own`. */
interface Node {
  readonly own: string;
  readonly refers: readonly BtfType[];
}

function nodeOf(type: BtfType): Node {
  switch (type.kind) {
    case BtfKind.Struct:
    case BtfKind.Union: {
      const members = type.members.map(({ name, offsetBits, bitfieldBits }) => [name, offsetBits, bitfieldBits]);
      return {
        own: JSON.stringify([type.kind, type.name, type.size, members]),
        refers: type.members.map((member) => member.type),
      };
    }
    case BtfKind.FuncProto:
      return {
        own: JSON.stringify([type.kind, type.params.map(({ name }) => name)]),
        refers: [type.returns, ...type.params.map((param) => param.type)],
      };
    case BtfKind.Array:
      return { own: JSON.stringify([type.kind, type.length]), refers: [type.element, type.index] };
    case BtfKind.Enum:
      return { own: JSON.stringify([type.kind, type.name, type.size, type.values]), refers: [] };
    case BtfKind.Int:
      return { own: JSON.stringify([type.kind, type.name, type.size, type.bits, type.signed]), refers: [] };
    case BtfKind.Fwd:
      return { own: JSON.stringify([type.kind, type.name, type.union]), refers: [] };
    case BtfKind.Ptr:
    case BtfKind.Typedef:
    case BtfKind.Const:
      return { own: JSON.stringify([type.kind, type.name]), refers: [type.target] };
    case BtfKind.Unknown:
      return { own: "void", refers: [] };
    default:
      throw new Error(`this test makes no types of kind ${type.kind}`);
  }
}

/**
 * The number of types that differ, `void` included: types are told apart by what they are, then again and again by what
 * they refer to is, until that tells no more apart.
 */
export function countDifferent(btfs: readonly Btf[]): number {
  const types = btfs.flatMap((btf) => [btf.type(0), ...btf.types()]);
  const nodes = new Map(types.map((type) => [type, nodeOf(type)]));
  let colors = numbered([...nodes].map(([type, { own }]) => [type, own]));
  for (;;) {
    const finer = numbered(
      [...nodes].map(([type, { own, refers }]) => [type, `${own} ${refers.map((other) => colors.get(other))}`]),
    );
    if (new Set(finer.values()).size === new Set(colors.values()).size) return new Set(finer.values()).size;
    colors = finer;
  }
}

function numbered(texts: readonly [BtfType, string][]): Map<BtfType, number> {
  const numbers = new Map<string, number>();
  return new Map(texts.map(([type, text]) => {
    const number = numbers.get(text) ?? numbers.size;
    numbers.set(text, number);
    return [type, number];
  }));
}

/**
 * Whether nothing that can be reached from two types in the same way differs; only, where `before` declares a struct, `after`
 * may define it.
 */
export function isSame(before: BtfType, after: BtfType): boolean {
  const seen = new Map<BtfType, Set<BtfType>>();
  const pairs: [BtfType, BtfType][] = [[before, after]];
  for (let pair = pairs.pop(); pair !== undefined; pair = pairs.pop()) {
    const [a, b] = pair;
    const partners = seen.get(a) ?? new Set();
    if (partners.has(b)) continue;
    seen.set(a, partners.add(b));
    if (a.kind === BtfKind.Fwd && b.kind === (a.union ? BtfKind.Union : BtfKind.Struct)) {
      if (a.name !== b.name) return false;
      continue;
    }
    const left = nodeOf(a);
    const right = nodeOf(b);
    if (left.own !== right.own || left.refers.length !== right.refers.length) return false;
    for (const [index, other] of left.refers.entries()) pairs.push([other, right.refers[index]!]);
  }
  return true;
}
