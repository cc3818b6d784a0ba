/**
 * Who uses a type.
 *
 * @module
 */
import { FormatError } from "../../errors.ts";
import { BtfKind } from "../../uapi/mod.ts";
import { type Btf, partsOf } from "../btf.ts";
import { ABSENT, elementCount, ELEMENTS, HEADER_REFERS } from "../record_shape.ts";
import type { BtfType, CompositeType } from "../types.ts";
import { BTF_TYPE, infoKind, infoVlen } from "../wire.ts";

/** A type with a name that uses another. */
export interface TypeUse {
  /** A struct, union, typedef, function, variable, or tag of a declaration. */
  readonly user: BtfType;
  /**
   * Where in it: names of members (`"mm"`, `"u.inner"`) or parameters, `"return"` for the result of a function; a parameter
   * without a name by its number, `"#0"`. Empty for users that have no parts.
   */
  readonly places: readonly string[];
}

/** Ids that refer to each id: those of `id` are `users[starts[id]]` to `users[starts[id + 1] - 1]`, ascending. */
interface ReverseIndex {
  readonly starts: Uint32Array;
  readonly users: Uint32Array;
}

/** Built once, by one pass over all types. */
const INDICES = new WeakMap<Btf, ReverseIndex>();

/**
 * All types with a name that use a type: directly, or by pointers, arrays, qualifiers, prototypes, and structs and unions
 * without names. Typedefs are users, and are not looked through. Ascending by id.
 *
 * @throws {FormatError} if there is no such type, or any type is malformed.
 */
export function findUsers(btf: Btf, id: number): TypeUse[] {
  const { starts, users } = indexOf(btf);
  if (!(Number.isInteger(id) && id >= 0 && id < starts.length - 1)) {
    throw new FormatError(`${btf.what}: type id ${id} does not exist: ids end at ${starts.length - 2}`);
  }
  const found = new Set<number>();
  /** What uses the type and has no name of its own. */
  const through = new Set([id]);
  for (const target of through) {
    for (let at = starts[target]!; at < starts[target + 1]!; at++) {
      const user = users[at]!;
      if (isNamed(btf, user)) found.add(user);
      else through.add(user);
    }
  }
  return [...found].sort((a, b) => a - b).map((user) => {
    const type = btf.type(user);
    return { user: type, places: placesIn(type, through) };
  });
}

function isNamed(btf: Btf, id: number): boolean {
  switch (btf.kindOf(id)) {
    case BtfKind.Struct:
    case BtfKind.Union:
      return btf.nameOf(id) !== "";
    case BtfKind.Typedef:
    case BtfKind.Func:
    case BtfKind.Var:
    case BtfKind.Datasec:
    case BtfKind.DeclTag:
      return true;
    default:
      return false;
  }
}

function placesIn(user: BtfType, through: ReadonlySet<number>): string[] {
  switch (user.kind) {
    case BtfKind.Struct:
    case BtfKind.Union:
      return membersOf(user, through, "", 0);
    case BtfKind.Func: {
      // A function also uses what its prototype is made of.
      const proto = user.target;
      if (proto.kind !== BtfKind.FuncProto) return [];
      const params = proto.params.flatMap(({ name, type }, index) => {
        return through.has(type.id) ? [name === "" ? `#${index}` : name] : [];
      });
      return through.has(proto.returns.id) ? ["return", ...params] : params;
    }
    default:
      return [];
  }
}

/** Anonymous structs inside of anonymous structs that are looked into: cycles end there. */
const MAX_NESTING = 32;

function membersOf(composite: CompositeType, through: ReadonlySet<number>, prefix: string, depth: number): string[] {
  return composite.members.flatMap(({ name, type }) => {
    if (!through.has(type.id)) return [];
    const isAnonymous = (type.kind === BtfKind.Struct || type.kind === BtfKind.Union) && type.name === "";
    const path = `${prefix}${name}`;
    if (!isAnonymous || depth === MAX_NESTING) return [path];
    const inner = membersOf(type, through, name === "" ? prefix : `${path}.`, depth + 1);
    return inner.length > 0 ? inner : [path];
  });
}

function indexOf(btf: Btf): ReverseIndex {
  let index = INDICES.get(btf);
  if (index === undefined) {
    index = buildIndex(btf);
    INDICES.set(btf, index);
  }
  return index;
}

/** Counts the users of each type, then puts them in their places. */
function buildIndex(btf: Btf): ReverseIndex {
  const count = btf.typeCount;
  const starts = new Uint32Array(count + 1);
  forReferences(btf, (_, target) => {
    if (target < count) starts[target + 1]!++;
  });
  for (let id = 0; id < count; id++) starts[id + 1]! += starts[id]!;
  const next = starts.slice(0, count);
  const users = new Uint32Array(starts[count]!);
  forReferences(btf, (user, target) => {
    if (target < count) users[next[target]!++] = user;
  });
  return { starts, users };
}

/** Visits every reference from a type to a type, those of the base first. */
function forReferences(btf: Btf, visit: (user: number, target: number) => void): void {
  if (btf.base !== undefined) forReferences(btf.base, visit);
  const { types: { words, offsets } } = partsOf(btf);
  const end = btf.typeCount;
  for (let id = btf.ownStartId; id < end; id++) {
    const at = offsets[id - btf.ownStartId]!;
    const info = words[at + BTF_TYPE.info]!;
    const kind = infoKind(info);
    if (HEADER_REFERS[kind] === 1) visit(id, words[at + BTF_TYPE.sizeOrType]!);
    const typeAt = ELEMENTS.type[kind]!;
    if (typeAt === ABSENT) continue;
    const stride = ELEMENTS.stride[kind]!;
    let element = at + BTF_TYPE.words + typeAt;
    for (let left = elementCount(kind, infoVlen(info)); left > 0; left--) {
      visit(id, words[element]!);
      element += stride;
    }
  }
}
