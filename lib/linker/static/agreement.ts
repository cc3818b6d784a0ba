/**
 * Whether objects mean the same by one name: types of variables and functions, definitions of maps.
 *
 * @module
 */
import { type BtfType, skipModifiersAndTypedefs } from "../../btf/reading/mod.ts";
import { formatDeclaration } from "../../btf/questions/mod.ts";
import { LinkError } from "../../errors.ts";
import { readMapDefinition } from "../../spec/definitions/mod.ts";
import type { MapSpec } from "../../spec/mod.ts";
import { BtfKind } from "../../uapi/mod.ts";
import type { Candidate } from "./global_symbols.ts";
import { type Difference, differenceOf } from "./type_difference.ts";

/** The section of map definitions. */
const MAPS = ".maps";

const VOID: BtfType = { kind: BtfKind.Unknown, id: 0, name: "" };

/** What one object says of something. */
export interface Declared {
  /** How errors call the object. */
  readonly what: string;
  /** The variable or function as BTF has it; `undefined` if it has none. */
  readonly type: BtfType | undefined;
}

/**
 * Fails if two objects declare something differently.
 *
 * @param chosen What the name means.
 * @param other What another object says of it.
 * @throws {LinkError} naming both objects, and showing both types as C.
 */
export function checkAgreement(name: string, chosen: Candidate, other: Candidate): void {
  const [left, right] = [chosen, other].map(({ input, declaration }) => ({
    what: input.what,
    type: declaration?.type,
  })) as [
    Declared,
    Declared,
  ];
  const isMap = [chosen, other].some(({ declaration }) => declaration?.section === MAPS);
  const definition = isMap && left.type !== undefined ? mapOf(name, left) : undefined;
  if (definition === undefined) checkSameType(name, left, right);
  else checkSameMap(name, { ...left, map: definition }, right);
}

/**
 * Fails if two objects say something different of a variable or function.
 *
 * @throws {LinkError} naming both objects, and showing both types as C.
 */
export function checkSameType(name: string, chosen: Declared, other: Declared): void {
  const [left, right] = [typed(name, chosen), typed(name, other)];
  const difference = differenceOf(left, right);
  if (difference !== undefined) {
    throw disagreement(name, { ...chosen, type: left }, { ...other, type: right }, difference);
  }
}

/**
 * Fails if an object defines or declares a map otherwise than it is.
 *
 * @param chosen The map, and its type where it is known.
 * @throws {LinkError} naming both objects, and showing both definitions as C.
 */
export function checkSameMap(
  name: string,
  chosen: { readonly what: string; readonly type?: BtfType | undefined; readonly map: MapSpec },
  other: Declared,
): void {
  const type = typed(name, other);
  const map = mapOf(name, other);
  const difference = map === undefined
    ? differenceOf(type, chosen.type ?? VOID)
    : definitionDifference(chosen.map, map);
  if (difference !== undefined) throw disagreement(name, chosen, { ...other, type }, difference);
}

/** The map that a declaration defines; `undefined` if it defines none. */
function mapOf(name: string, { what, type }: Declared): MapSpec | undefined {
  if (type?.kind !== BtfKind.Var) return undefined;
  const definition = skipModifiersAndTypedefs(type.target);
  return definition.kind === BtfKind.Struct ? readMapDefinition(definition, { what, name }) : undefined;
}

function typed(name: string, { what, type }: Declared): BtfType {
  if (type !== undefined) return type;
  throw new LinkError(`${what}: has "${name}", as another object has, but its BTF says nothing of it: compile with -g`);
}

function disagreement(
  name: string,
  chosen: { readonly what: string; readonly type?: BtfType | undefined },
  other: { readonly what: string; readonly type: BtfType },
  difference: Difference,
): LinkError {
  const first = chosen.type === undefined ? [] : [`  ${chosen.what}: ${inC(chosen.type, difference.left)}`];
  return new LinkError(
    [
      `${other.what}: "${name}" is another than in ${chosen.what}: ${difference.reason}`,
      ...first,
      `  ${other.what}: ${inC(other.type, difference.right)}`,
    ].join("\n"),
  );
}

/** A declaration as C, and the definition of the struct, union or enum that makes the difference. */
function inC(type: BtfType, different: BtfType | undefined): string {
  const declaration = `${formatDeclaration(type)};`;
  if (different === undefined || !("name" in different) || different.name === "") return declaration;
  return `${definitionOf(different) ?? ""}${declaration}`;
}

function definitionOf(type: BtfType): string | undefined {
  switch (type.kind) {
    case BtfKind.Struct:
    case BtfKind.Union: {
      const { kind, size, members } = type;
      const [keyword = "", ...rest] = formatDeclaration({ kind, id: 0, name: "", size, members }).split(" ");
      return `${keyword} ${type.name} ${rest.join(" ")}; `;
    }
    case BtfKind.Typedef:
      return `typedef ${formatDeclaration(type.target, type.name)}; `;
    default:
      return undefined;
  }
}

/** What of a map's definition is compared as a number. */
const NUMBERS = {
  type: "type",
  keySize: "key_size",
  valueSize: "value_size",
  maxEntries: "max_entries",
  flags: "map_flags",
  extra: "map_extra",
  numaNode: "numa_node",
  pinning: "pinning",
} as const;

function definitionDifference(left: MapSpec, right: MapSpec): Difference | undefined {
  for (const [property, member] of Object.entries(NUMBERS) as [keyof typeof NUMBERS, string][]) {
    const [one, two] = [left[property] ?? 0, right[property] ?? 0];
    if (one !== two) return { reason: `${member} is ${two} instead of ${one}`, left: undefined, right: undefined };
  }
  for (const part of ["key", "value"] as const) {
    const [one, two] = [left[part], right[part]];
    if (one === undefined && two === undefined) continue;
    if (one === undefined || two === undefined) {
      return { reason: `only one of them has a type for the ${part}`, left: undefined, right: undefined };
    }
    const difference = differenceOf(one, two);
    if (difference !== undefined) return { ...difference, reason: `the type of the ${part}: ${difference.reason}` };
  }
  if (left.inner === undefined && right.inner === undefined) return undefined;
  if (left.inner === undefined || right.inner === undefined) {
    return { reason: "only one of them says what the maps inside are", left: undefined, right: undefined };
  }
  const inner = definitionDifference(left.inner, right.inner);
  return inner && { ...inner, reason: `the maps inside: ${inner.reason}` };
}
