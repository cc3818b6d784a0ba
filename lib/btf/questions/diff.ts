/**
 * What changed from one BTF to another, such as from a kernel to the next.
 *
 * @module
 */
import { BtfKind } from "../../uapi/mod.ts";
import type { Btf } from "../btf.ts";
import { skipModifiersAndTypedefs } from "../resolve.ts";
import type { BtfType, CompositeType, Enum64Type, EnumType } from "../types.ts";
import { formatDeclaration, formatShape } from "./declaration.ts";
import { NameClasses, type NameSort, sortOf, SORTS } from "./name_classes.ts";

/** A type with a name, or a function or variable. */
export interface TypeTitle {
  /** What it is. */
  readonly sort: NameSort;
  /** What it is called. */
  readonly name: string;
}

/** Something inside of a type that changed: a member, a value, or the whole of what has no parts. */
export interface PartChange {
  /** What happened to it. */
  readonly kind: "added" | "removed" | "moved" | "retyped" | "changed";
  /** Path of a member, name of a value; empty for the size, a prototype, what a typedef stands for, a variable. */
  readonly name: string;
  /** How it was, in C; members with their offset in bits. Nothing if it was not there. */
  readonly before?: PartState;
  /** How it is. Nothing if it is gone. */
  readonly after?: PartState;
}

/** A part of a type at one time. */
export interface PartState {
  /** Its declaration in C, or an enum's value. */
  readonly text: string;
  /** Offset of a member's first bit. */
  readonly offsetBits?: number;
  /** Width of a bitfield. */
  readonly bitfieldBits?: number;
}

/** A type that is in both. */
export interface TypeChange extends TypeTitle {
  /** Its sizes in bytes, where it has one. */
  readonly sizes?: { readonly before: number; readonly after: number };
  /** What is different in it. */
  readonly parts: readonly PartChange[];
}

/** Differences between two BTFs, by sort and name. */
export interface BtfDiff {
  /** Types, functions and variables that only the second has. */
  readonly added: readonly TypeTitle[];
  /** Those that only the first has. */
  readonly removed: readonly TypeTitle[];
  /** Those that both have, and that differ. */
  readonly changed: readonly TypeChange[];
}

/** Options of {@linkcode diffBtf}. */
export interface BtfDiffOptions {
  /** Only these: names (`"task_struct"`), or names of one sort (`"struct task_struct"`). */
  names?: readonly string[];
}

/**
 * What changed from one BTF to another: structs and unions whose size or members changed, enums, typedefs, numbers, prototypes
 * of functions, types of variables, and what is in one only. A change of a type is told once, not again for whoever
 * refers to it by name; members of structs without names are told as those of their parents. Names of parameters do not
 * count. Of several types of one name those count that have no equal in the other BTF.
 *
 * @throws {FormatError} if any type is malformed.
 * @throws {UnsupportedError} if any type is of a kind that this library does not know.
 */
export function diffBtf(before: Btf, after: Btf, options: BtfDiffOptions = {}): BtfDiff {
  const { names = [] } = options;
  const groups = names.length === 0 ? allGroups(before, after) : groupsOf(before, after, names);
  const added: TypeTitle[] = [];
  const removed: TypeTitle[] = [];
  const changed: TypeChange[] = [];
  for (const { old, now } of groups) {
    if (old.length === 0) added.push(titleOf(after, now[0]!));
    else if (now.length === 0) removed.push(titleOf(before, old[0]!));
    else {
      const change = compare(titleOf(before, old[0]!), before.type(old[0]!), after.type(now[0]!));
      if (change !== undefined) changed.push(change);
    }
  }
  return { added: added.sort(byTitle), removed: removed.sort(byTitle), changed: changed.sort(byTitle) };
}

/** Types of one sort and name that have no equal in the other BTF. */
interface Group {
  readonly old: readonly number[];
  readonly now: readonly number[];
}

/** Of all types: words are compared, and only what differs is made into objects. */
function* allGroups(before: Btf, after: Btf): Iterable<Group> {
  const classes = new NameClasses(before, after);
  const old = classes.idsByName(0);
  const now = classes.idsByName(1);
  for (const [key, ids] of old) {
    const others = now.get(key);
    if (others === undefined) yield { old: ids, now: [] };
    else yield* different(ids, others, (id, other) => classes.isSame(id, other));
  }
  for (const [key, ids] of now) {
    if (!old.has(key)) yield { old: [], now: ids };
  }
}

/** Of types that are asked for by name. */
function* groupsOf(before: Btf, after: Btf, names: readonly string[]): Iterable<Group> {
  for (const name of new Set(names)) {
    const [, sort, plain = name] = /^(\w+) (.+)$/.exec(name) ?? [];
    const idsOf = (btf: Btf, wanted: NameSort): number[] =>
      btf.findIds(plain).filter((id) => sortOf(btf.kindOf(id)) === wanted);
    for (const wanted of SORTS) {
      if (sort !== undefined && sort !== wanted) continue;
      const old = idsOf(before, wanted);
      const now = idsOf(after, wanted);
      if (old.length === 0 && now.length === 0) continue;
      if (old.length === 0 || now.length === 0) yield { old, now };
      else {
        yield* different(old, now, (id, other) => {
          return compare({ sort: wanted, name: plain }, before.type(id), after.type(other)) === undefined;
        });
      }
    }
  }
}

function* different(
  old: readonly number[],
  now: readonly number[],
  isSame: (id: number, other: number) => boolean,
): Iterable<Group> {
  const left = old.filter((id) => !now.some((other) => isSame(id, other)));
  const right = now.filter((other) => !old.some((id) => isSame(id, other)));
  if (left.length > 0 && right.length > 0) yield { old: left, now: right };
}

function titleOf(btf: Btf, id: number): TypeTitle {
  return { sort: sortOf(btf.kindOf(id))!, name: btf.nameOf(id) };
}

function byTitle(a: TypeTitle, b: TypeTitle): number {
  return SORTS.indexOf(a.sort) - SORTS.indexOf(b.sort) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
}

/** What is different in two types of one sort; nothing if all that differs is never told. */
function compare(title: TypeTitle, before: BtfType, after: BtfType): TypeChange | undefined {
  const parts = compareParts(before, after);
  const sizes = "size" in before && "size" in after ? { before: before.size, after: after.size } : undefined;
  if (parts.length === 0 && sizes?.before === sizes?.after) return undefined;
  return { ...title, ...(sizes === undefined ? {} : { sizes }), parts };
}

function compareParts(before: BtfType, after: BtfType): PartChange[] {
  if (isComposite(before) && isComposite(after)) return compareLists(membersOf(before), membersOf(after));
  if (isEnum(before) && isEnum(after)) return compareLists(valuesOf(before), valuesOf(after));
  if (shapeOf(before) === shapeOf(after)) return [];
  return [{ kind: "changed", name: "", before: { text: wholeText(before) }, after: { text: wholeText(after) } }];
}

function isComposite(type: BtfType): type is CompositeType {
  return type.kind === BtfKind.Struct || type.kind === BtfKind.Union;
}

function isEnum(type: BtfType): type is EnumType | Enum64Type {
  return type.kind === BtfKind.Enum || type.kind === BtfKind.Enum64;
}

/** All of a type that has no parts, in one text. */
function wholeText(type: BtfType): string {
  switch (type.kind) {
    case BtfKind.Typedef:
    case BtfKind.Func:
    case BtfKind.Var:
      return formatDeclaration(type.target, type.name);
    case BtfKind.Int: {
      const bits = type.bits === type.size * 8 ? "" : `, ${type.bits} bits`;
      return `${type.size} bytes${bits}, ${type.bool ? "bool" : type.signed ? "signed" : "unsigned"}`;
    }
    case BtfKind.Float:
      return `${type.size} bytes, floating point`;
    default:
      return formatDeclaration(type);
  }
}

/** All that counts of a type that has no parts. */
function shapeOf(type: BtfType): string {
  return "target" in type ? formatShape(type.target) : wholeText(type);
}

/** A part, and all that counts of its type. */
interface Part {
  readonly state: PartState;
  readonly shape: string;
}

type Parts = ReadonlyMap<string, Part>;

/** Anonymous structs inside of anonymous structs that are looked into: cycles end there. */
const MAX_NESTING = 32;

/** Members by their paths; those of structs and unions without names are told one by one. */
function membersOf(
  type: CompositeType,
  prefix = "",
  start = 0,
  parts = new Map<string, Part>(),
  depth = 0,
): Parts {
  for (const { name, type: inner, offsetBits, bitfieldBits } of type.members) {
    const at = start + offsetBits;
    if (isComposite(inner) && inner.name === "" && depth < MAX_NESTING) {
      membersOf(inner, name === "" ? prefix : `${prefix}${name}.`, at, parts, depth + 1);
      continue;
    }
    if (name === "" && !isComposite(skipModifiersAndTypedefs(inner))) continue;
    const path = `${prefix}${name === "" ? formatDeclaration(inner) : name}`;
    const state = { text: formatDeclaration(inner), offsetBits: at, ...(bitfieldBits === 0 ? {} : { bitfieldBits }) };
    parts.set(path, { state, shape: `${formatShape(inner)} ${bitfieldBits}` });
  }
  return parts;
}

function valuesOf(type: EnumType | Enum64Type): Parts {
  return new Map(type.values.map(({ name, value }) => [name, { state: { text: `${value}` }, shape: `${value}` }]));
}

/** In the order of the new parts, then those that are gone. */
function compareLists(before: Parts, after: Parts): PartChange[] {
  const changes: PartChange[] = [];
  for (const [name, { state, shape }] of after) {
    const was = before.get(name);
    const change = was === undefined ? undefined : { name, before: was.state, after: state };
    if (change === undefined) changes.push({ kind: "added", name, after: state });
    else if (was?.shape !== shape) {
      changes.push({ kind: state.offsetBits === undefined ? "changed" : "retyped", ...change });
    } else if (was.state.offsetBits !== state.offsetBits) changes.push({ kind: "moved", ...change });
  }
  for (const [name, { state }] of before) {
    if (!after.has(name)) changes.push({ kind: "removed", name, before: state });
  }
  return changes;
}
