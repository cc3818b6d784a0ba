/**
 * C text that lets a compiler check the layout of a header which was made of BTF.
 *
 * @module
 */
import type { Btf } from "../../lib/btf/mod.ts";
import type { BtfType, CompositeType } from "../../lib/btf/types.ts";
import { BtfKind } from "../../lib/uapi/mod.ts";

/** How much is asserted. */
export interface Asserts {
  readonly text: string;
  readonly sizes: number;
  readonly offsets: number;
}

/** Assertions of the size of every uniquely named struct and union, and of the offset of every plain member. */
export function layoutAsserts(btf: Btf): Asserts {
  const named = new Map<string, CompositeType[]>();
  const others = new Set<string>();
  for (const type of btf.types()) {
    if (type.name === "") continue;
    if (type.kind === BtfKind.Struct || type.kind === BtfKind.Union) {
      named.set(type.name, [...named.get(type.name) ?? [], type]);
    } else if (type.kind === BtfKind.Enum || type.kind === BtfKind.Enum64) {
      others.add(type.name);
    }
  }
  const lines: string[] = [];
  let sizes = 0;
  let offsets = 0;
  for (const [name, types] of named) {
    const [type] = types;
    if (type === undefined || types.length > 1 || others.has(name)) continue;
    const tag = `${type.kind === BtfKind.Struct ? "struct" : "union"} ${name}`;
    lines.push(`_Static_assert(sizeof(${tag}) == ${type.size}, "sizeof(${tag})");`);
    sizes++;
    for (const [path, bits] of plainMembers(type, 0)) {
      lines.push(`_Static_assert(__builtin_offsetof(${tag}, ${path}) == ${bits / 8}, "${tag}.${path}");`);
      offsets++;
    }
  }
  return { text: lines.join("\n") + "\n", sizes, offsets };
}

/** Members with a name that are no bitfields, those of anonymous members included, and their offsets in bits. */
function plainMembers(type: CompositeType, start: number): [string, number][] {
  return type.members.flatMap((member): [string, number][] => {
    const offset = start + member.offsetBits;
    if (member.name !== "") return isBitfield(member.type, member.bitfieldBits) ? [] : [[member.name, offset]];
    const body = untagged(member.type);
    return body.kind === BtfKind.Struct || body.kind === BtfKind.Union ? plainMembers(body, offset) : [];
  });
}

/** Legacy bitfields say so in their integer only. */
function isBitfield(type: BtfType, bits: number): boolean {
  const int = behind(type);
  return bits !== 0 || (int.kind === BtfKind.Int && int.bits !== int.size * 8);
}

function behind(type: BtfType): BtfType {
  const inner = untagged(type);
  return inner.kind === BtfKind.Typedef ? behind(inner.target) : inner;
}

function untagged(type: BtfType): BtfType {
  switch (type.kind) {
    case BtfKind.TypeTag:
    case BtfKind.Const:
    case BtfKind.Volatile:
      return untagged(type.target);
    default:
      return type;
  }
}
