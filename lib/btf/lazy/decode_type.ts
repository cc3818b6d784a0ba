/**
 * Types read from BTF: classes of the shapes in `types.ts` that look into the blob only when a field is asked for, and
 * remember what they found.
 *
 * @module
 */
import { UnsupportedError } from "../../errors.ts";
import { BtfKind } from "../../uapi/mod.ts";
import type { BtfType, VoidType } from "../types.ts";
import { BTF_TYPE, infoKind } from "../wire.ts";
import { LazyArray, LazyDatasec, LazyFuncProto, LazyStruct, LazyUnion } from "./aggregates.ts";
import type { TypeSource } from "./lazy_type.ts";
import {
  LazyConst,
  LazyDeclTag,
  LazyFunc,
  LazyFwd,
  LazyPtr,
  LazyRestrict,
  LazyTypedef,
  LazyTypeTag,
  LazyVar,
  LazyVolatile,
} from "./references.ts";
import { LazyEnum, LazyEnum64, LazyFloat, LazyInt } from "./scalars.ts";

/** `void`, the same object in every BTF. */
export const VOID: VoidType = Object.freeze({ kind: BtfKind.Unknown, id: 0, name: "" });

/**
 * The type at word offset `at`, whose record lies inside the section.
 *
 * @throws {FormatError} if its size is not one that its kind can have.
 * @throws {UnsupportedError} for a kind that only the BTF's own layout section knows.
 */
export function decodeType(source: TypeSource, id: number, at: number): BtfType {
  const kind = infoKind(source.words[at + BTF_TYPE.info]!);
  switch (kind) {
    case BtfKind.Int:
      return new LazyInt(source, id, at);
    case BtfKind.Ptr:
      return new LazyPtr(source, id, at);
    case BtfKind.Array:
      return new LazyArray(source, id, at);
    case BtfKind.Struct:
      return new LazyStruct(source, id, at);
    case BtfKind.Union:
      return new LazyUnion(source, id, at);
    case BtfKind.Enum:
      return new LazyEnum(source, id, at);
    case BtfKind.Fwd:
      return new LazyFwd(source, id, at);
    case BtfKind.Typedef:
      return new LazyTypedef(source, id, at);
    case BtfKind.Volatile:
      return new LazyVolatile(source, id, at);
    case BtfKind.Const:
      return new LazyConst(source, id, at);
    case BtfKind.Restrict:
      return new LazyRestrict(source, id, at);
    case BtfKind.Func:
      return new LazyFunc(source, id, at);
    case BtfKind.FuncProto:
      return new LazyFuncProto(source, id, at);
    case BtfKind.Var:
      return new LazyVar(source, id, at);
    case BtfKind.Datasec:
      return new LazyDatasec(source, id, at);
    case BtfKind.Float:
      return new LazyFloat(source, id, at);
    case BtfKind.DeclTag:
      return new LazyDeclTag(source, id, at);
    case BtfKind.TypeTag:
      return new LazyTypeTag(source, id, at);
    case BtfKind.Enum64:
      return new LazyEnum64(source, id, at);
    default:
      throw new UnsupportedError(
        `BTF kind ${kind}`,
        `${source.what}: type id ${id} at offset ${at * 4} has kind ${kind}, which is newer than this library`,
      );
  }
}
