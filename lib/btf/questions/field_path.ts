/**
 * Where a field is that people name by a path: `task_struct.mm.owner`.
 *
 * @module
 */
import { FormatError } from "../../errors.ts";
import { BtfKind } from "../../uapi/mod.ts";
import type { Btf } from "../btf.ts";
import { sizeOf, skipModifiersAndTypedefs } from "../resolve.ts";
import type { BtfType, CompositeType } from "../types.ts";
import { formatDeclaration } from "./declaration.ts";

/** One read from memory on the way to a field: up to the next pointer, or to the field itself. */
export interface FieldStep {
  /** What the offset counts from. */
  readonly base: BtfType;
  /** The path from there: `"se.cfs_rq"`, `"comm[3]"`; empty for the base itself. */
  readonly path: string;
  /** Offset of the first bit from the start of the base. */
  readonly offsetBits: number;
  /** Width of a bitfield; 0 for a plain field. */
  readonly bitfieldBits: number;
  /** What lies there: a pointer, in all steps but the last. */
  readonly type: BtfType;
}

/** A field that a path leads to. */
export interface FieldPath {
  /** The type that the path starts with. */
  readonly root: BtfType;
  /** The reads; each but the first starts where the pointer of the one before points at. */
  readonly steps: readonly FieldStep[];
  /** The type of the field. */
  readonly type: BtfType;
}

/** Kinds that a path can start with, the more likely ones first. */
const ROOT_KINDS = [BtfKind.Struct, BtfKind.Union, BtfKind.Typedef, BtfKind.Var] as const;

/** A word of a path. */
type Token = { readonly kind: "name"; readonly name: string } | { readonly kind: "index"; readonly index: number };

/**
 * Finds the field of a path: the name of a type, then members (`.` and `->` are the same: pointers are followed), and
 * indices in brackets. Members of anonymous structs and unions count as their parents', as in C. Of several types of the
 * name the first that has the field is taken.
 *
 * @param path `"task_struct.mm.owner"`, `"struct task_struct.comm[3]"`, `"pid_t"`.
 * @throws {FormatError} if the path makes no sense, or there is no such type or field.
 */
export function findField(btf: Btf, path: string): FieldPath {
  const { keyword, root, tokens } = parsePath(path);
  const kinds = keyword === undefined ? ROOT_KINDS : [keyword === "union" ? BtfKind.Union : BtfKind.Struct];
  let failure: FormatError | undefined;
  for (const kind of kinds) {
    for (const id of btf.findIds(root, kind)) {
      try {
        return walk(btf, btf.type(id), tokens, path);
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
        failure ??= error;
      }
    }
  }
  throw failure ?? new FormatError(`${btf.what}: has no ${keyword ?? "struct, union, typedef or variable"} "${root}"`);
}

function parsePath(path: string): { keyword: string | undefined; root: string; tokens: Token[] } {
  const [head, keyword, root] = /^\s*(?:(struct|union)\s+)?([A-Za-z_]\w*)/.exec(path) ?? [];
  if (head === undefined || root === undefined) {
    throw new FormatError(`"${path}": a path starts with the name of a type, as in task_struct.mm.owner`);
  }
  const tokens: Token[] = [];
  const word = /(?:\.|->)([A-Za-z_]\w*)|\[(\d+)\]/y;
  word.lastIndex = head.length;
  while (word.lastIndex < path.length) {
    const at = word.lastIndex;
    const [, name, index] = word.exec(path) ?? [];
    if (name !== undefined) tokens.push({ kind: "name", name });
    else if (index !== undefined) tokens.push({ kind: "index", index: Number(index) });
    else throw new FormatError(`"${path}": "${path.slice(at)}" is neither .MEMBER nor [INDEX]`);
  }
  return { keyword, root, tokens };
}

/** A step that is not finished: a path from its base. */
interface Place {
  base: BtfType;
  path: string;
  offsetBits: number;
  bitfieldBits: number;
  type: BtfType;
}

function walk(btf: Btf, root: BtfType, tokens: readonly Token[], path: string): FieldPath {
  const steps: FieldStep[] = [];
  const start = root.kind === BtfKind.Var ? root.target : root;
  let place: Place = { base: start, path: "", offsetBits: 0, bitfieldBits: 0, type: start };
  for (const token of tokens) {
    let behind = skipModifiersAndTypedefs(place.type);
    if (behind.kind === BtfKind.Ptr) {
      steps.push(place);
      place = { base: behind.target, path: "", offsetBits: 0, bitfieldBits: 0, type: behind.target };
      behind = token.kind === "index" ? behind : skipModifiersAndTypedefs(behind.target);
    }
    place = token.kind === "name"
      ? member(btf, place, behind, token.name, path)
      : element(btf, place, behind, token.index, path);
  }
  steps.push(place);
  return { root, steps, type: place.type };
}

function member(btf: Btf, place: Place, behind: BtfType, name: string, path: string): Place {
  const { base, offsetBits } = place;
  const title = formatDeclaration(behind.kind === BtfKind.Unknown ? place.type : behind);
  if (behind.kind !== BtfKind.Struct && behind.kind !== BtfKind.Union) {
    const why = behind.kind === BtfKind.Fwd ? "is only declared" : "has no members";
    throw new FormatError(`${btf.what}: "${path}": ${title} ${why}, so there is no "${name}"`);
  }
  const found = findMember(behind, name, 0);
  if (found === undefined) throw new FormatError(`${btf.what}: "${path}": ${title} has no member "${name}"`);
  return {
    base,
    path: place.path === "" ? name : `${place.path}.${name}`,
    offsetBits: offsetBits + found.offsetBits,
    bitfieldBits: found.bitfieldBits,
    type: found.type,
  };
}

function element(btf: Btf, place: Place, behind: BtfType, index: number, path: string): Place {
  const isPointer = behind.kind === BtfKind.Ptr;
  if (behind.kind !== BtfKind.Array && !isPointer) {
    throw new FormatError(
      `${btf.what}: "${path}": ${formatDeclaration(behind)} has no elements, so there is no [${index}]`,
    );
  }
  const type = isPointer ? behind.target : behind.element;
  if (!isPointer && behind.length > 0 && index >= behind.length) {
    throw new FormatError(`${btf.what}: "${path}": ${formatDeclaration(behind)} has no element [${index}]`);
  }
  const size = sizeOf(type, btf.pointerSize);
  if (size === undefined) {
    throw new FormatError(`${btf.what}: "${path}": ${formatDeclaration(type)} has no size, so there is no [${index}]`);
  }
  const offsetBits = place.offsetBits + index * size * 8;
  return { base: place.base, path: `${place.path}[${index}]`, offsetBits, bitfieldBits: 0, type };
}

/** Anonymous structs inside of anonymous structs that are looked into: cycles end there. */
const MAX_NESTING = 32;

function findMember(
  composite: CompositeType,
  name: string,
  depth: number,
): { offsetBits: number; bitfieldBits: number; type: BtfType } | undefined {
  for (const { name: own, type, offsetBits, bitfieldBits } of composite.members) {
    if (own === name) return { offsetBits, bitfieldBits: bitfieldBits || legacyBits(type), type };
    if (own !== "" || depth === MAX_NESTING) continue;
    const inner = skipModifiersAndTypedefs(type);
    if (inner.kind !== BtfKind.Struct && inner.kind !== BtfKind.Union) continue;
    const found = findMember(inner, name, depth + 1);
    if (found !== undefined) return { ...found, offsetBits: offsetBits + found.offsetBits };
  }
  return undefined;
}

/** Width of a bitfield of the time before 5.0, which is said by an int of its own. */
function legacyBits(type: BtfType): number {
  const behind = skipModifiersAndTypedefs(type);
  return behind.kind === BtfKind.Int && behind.bits < behind.size * 8 && !behind.bool ? behind.bits : 0;
}
