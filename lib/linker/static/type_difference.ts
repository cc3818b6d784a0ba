/**
 * In what two declarations of one thing differ, as far as a linker minds.
 *
 * Names of typedefs, modifiers, names of parameters, signs of integers and values of enums may differ, and lengths of
 * arrays (`extern int table[]`). Behind a pointer, only kinds and names count, and a struct may be declared only.
 * These are libbpf 1.7's rules.
 *
 * @module
 */
import { type BtfType, skipModifiersAndTypedefs } from "../../btf/reading/mod.ts";
import { formatDeclaration } from "../../btf/questions/mod.ts";
import { BtfKind } from "../../uapi/mod.ts";

/** A difference, and the two types that make it, where those are not the declarations themselves. */
export interface Difference {
  readonly reason: string;
  readonly left: BtfType | undefined;
  readonly right: BtfType | undefined;
}

/** Types in types; C's own nesting is far from it, and BTF may have cycles that C does not. */
const MAX_DEPTH = 64;

/** In what two types differ; `undefined` if they agree. */
export function differenceOf(left: BtfType, right: BtfType): Difference | undefined {
  return compare(left, right, true, 0);
}

/** `whole`: whether what is in structs counts. */
function compare(declaredLeft: BtfType, declaredRight: BtfType, whole: boolean, depth: number): Difference | undefined {
  const left = skipModifiersAndTypedefs(declaredLeft);
  const right = skipModifiersAndTypedefs(declaredRight);
  const differ = (reason: string): Difference => ({ reason, left: declaredLeft, right: declaredRight });
  const unlike = () => differ(`${inWords(declaredRight)} instead of ${inWords(declaredLeft)}`);
  if (depth > MAX_DEPTH) return differ("its type is too deep to compare");
  const next = depth + 1;

  if (!whole && (left.kind === BtfKind.Fwd) !== (right.kind === BtfKind.Fwd)) {
    return left.name === right.name && keywordOf(left) === keywordOf(right) ? undefined : unlike();
  }
  if (left.kind !== right.kind) return unlike();
  switch (left.kind) {
    case BtfKind.Unknown:
      return undefined;
    case BtfKind.Int:
    case BtfKind.Float:
      return left.size === (right as typeof left).size ? undefined : unlike();
    case BtfKind.Enum:
    case BtfKind.Enum64:
      return left.name === right.name && left.size === (right as typeof left).size ? undefined : unlike();
    case BtfKind.Fwd:
      return left.name === right.name ? undefined : unlike();
    case BtfKind.Ptr:
      return compare(left.target, (right as typeof left).target, false, next);
    case BtfKind.Array:
      return compare(left.element, (right as typeof left).element, whole, next);
    case BtfKind.Func:
    case BtfKind.Var:
      return left.name === right.name ? compare(left.target, (right as typeof left).target, whole, next) : unlike();
    case BtfKind.Struct:
    case BtfKind.Union: {
      if (left.name !== right.name) return unlike();
      if (!whole) return undefined;
      const { members } = right as typeof left;
      const called = `${keywordOf(left)}${left.name === "" ? "" : ` ${left.name}`}`;
      const differHere = (reason: string): Difference => ({ reason: `${called} ${reason}`, left, right });
      if (left.members.length !== members.length) {
        return differHere(`has ${members.length} members instead of ${left.members.length}`);
      }
      for (const [i, member] of left.members.entries()) {
        const other = members[i]!;
        if (member.name !== other.name) {
          return differHere(`has a member "${other.name}" in the place of "${member.name}"`);
        }
        if (member.offsetBits !== other.offsetBits) {
          return differHere(`has member "${member.name}" at bit ${other.offsetBits} instead of ${member.offsetBits}`);
        }
        const difference = compare(member.type, other.type, whole, next);
        if (difference === undefined) continue;
        const reason = `member "${member.name}": ${difference.reason}`;
        return left.name === "" ? { ...difference, reason } : differHere(reason);
      }
      return undefined;
    }
    case BtfKind.FuncProto: {
      const { params, returns } = right as typeof left;
      if (left.params.length !== params.length) {
        return differ(`${params.length} parameters instead of ${left.params.length}`);
      }
      for (const [i, param] of left.params.entries()) {
        const difference = compare(param.type, params[i]!.type, whole, next);
        if (difference !== undefined) return { ...difference, reason: `parameter ${i + 1}: ${difference.reason}` };
      }
      const difference = compare(left.returns, returns, whole, next);
      return difference && { ...difference, reason: `returned value: ${difference.reason}` };
    }
    default:
      return unlike();
  }
}

function keywordOf(type: BtfType): string {
  switch (type.kind) {
    case BtfKind.Struct:
      return "struct";
    case BtfKind.Union:
      return "union";
    case BtfKind.Fwd:
      return type.union ? "union" : "struct";
    default:
      return "";
  }
}

/** A type as C, and its size where the words alone might be the same. */
function inWords(type: BtfType): string {
  const plain = skipModifiersAndTypedefs(type);
  const size = plain.kind === BtfKind.Int || plain.kind === BtfKind.Float || plain.kind === BtfKind.Enum
    ? ` (${plain.size} bytes)`
    : "";
  switch (plain.kind) {
    case BtfKind.Var:
      return "a variable";
    case BtfKind.Func:
      return "a function";
    default:
      return `"${formatDeclaration(type)}"${size}`;
  }
}
