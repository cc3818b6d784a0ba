/**
 * What a relocation is about: a field access, a type, or one value of an enum. The object's subject and the one found in a
 * target have the same shape, so that the same function gives the value of both.
 *
 * @module
 */
import { BpfCoreReloKind, BtfKind } from "../uapi/mod.ts";
import {
  type BtfType,
  type CoreRelocation,
  type Enum64Type,
  type EnumType,
  skipModifiersAndTypedefs,
} from "../btf/mod.ts";
import { RelocationError } from "../errors.ts";
import type { AccessSpec } from "./access_spec.ts";
import { type AccessorParser, parseAccessor } from "./accessor.ts";
import { describeAccess, describeType } from "./describe.ts";
import { relocationFamily, relocationKindName } from "./kinds.ts";
import { localAccess } from "./local_access.ts";

/** A field, reached by an access. */
export interface FieldSubject {
  readonly family: "field";
  readonly root: BtfType;
  readonly access: AccessSpec;
}

/** A type itself. */
export interface TypeSubject {
  readonly family: "type";
  readonly root: BtfType;
}

/** A named value of an enum. */
export interface EnumeratorSubject {
  readonly family: "enumerator";
  readonly root: BtfType;
  /** The enum, without modifiers and typedefs. */
  readonly type: EnumType | Enum64Type;
  /** Position of the value. */
  readonly index: number;
}

/** What a relocation is about. */
export type Subject = FieldSubject | TypeSubject | EnumeratorSubject;

/**
 * The subject as the object sees it.
 *
 * @param parse Gives the numbers of the accessor.
 * @throws {RelocationError} if kind, accessor and type do not fit together.
 */
export function localSubject(relocation: CoreRelocation, parse: AccessorParser = parseAccessor): Subject {
  const { kind, type: root, accessor } = relocation;
  const family = relocationFamily(kind);
  switch (family) {
    case "type":
      if (accessor === "0") return { family, root };
      throw new RelocationError(`accessor ${JSON.stringify(accessor)} of ${relocationKindName(kind)} should be "0"`);
    case "enumerator": {
      const type = skipModifiersAndTypedefs(root);
      const indexes = parse(accessor);
      const index = indexes[0]!;
      if (type.kind !== BtfKind.Enum && type.kind !== BtfKind.Enum64) {
        throw new RelocationError(`${describeType(root)} is not an enum, as ${relocationKindName(kind)} needs`);
      }
      if (indexes.length === 1 && index < type.values.length) return { family, root, type, index };
      throw new RelocationError(
        `accessor "${accessor}" names no value of ${describeType(root)}, which has ${type.values.length}`,
      );
    }
    case "field":
      return { family, root, access: localAccess(root, parse(accessor), relocation.btf.pointerSize) };
    case undefined:
      throw new RelocationError(
        `CO-RE relocation of kind ${kind} is unknown: this library knows 0 to ${BpfCoreReloKind.BPF_CORE_TYPE_MATCHES}`,
      );
    default:
      return family satisfies never;
  }
}

/** The subject as C text: `struct task_struct.comm[3]`, `enum bpf_map_type: BPF_MAP_TYPE_HASH`, `struct file`. */
export function describeSubject(subject: Subject): string {
  switch (subject.family) {
    case "field":
      return describeAccess(subject.access);
    case "type":
      return describeType(subject.root);
    case "enumerator":
      return `${describeType(subject.root)}: ${subject.type.values[subject.index]!.name}`;
    default:
      return subject satisfies never;
  }
}
