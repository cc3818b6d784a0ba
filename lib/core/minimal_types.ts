/**
 * The part of a BTF that is wanted, as types made by hand that leave the rest out.
 *
 * A struct keeps its size and only the members that are wanted; a pointer points at `void` unless what it points at is
 * wanted, too; an enum keeps only wanted values. Typedefs and modifiers between types go, since nothing asks for them;
 * arrays keep their elements, which decide what goes with what.
 *
 * @module
 */
import {
  type BtfType,
  type CompositeType,
  type Enum64Type,
  type EnumType,
  type FuncProtoType,
  type PtrType,
  skipModifiersAndTypedefs,
  type VoidType,
} from "../btf/mod.ts";
import { BtfKind } from "../uapi/mod.ts";

const VOID: VoidType = { kind: BtfKind.Unknown, id: 0, name: "" };

/** All pointers at something unwanted are the same. */
const POINTER: PtrType = { kind: BtfKind.Ptr, id: 0, name: "", target: VOID };

/** What is wanted of the types of a kernel, and the smaller types that this leaves. */
export class MinimalTypes {
  readonly #parts = new Map<CompositeType | EnumType | Enum64Type, Set<number>>();
  /** Pointers and prototypes whose insides are wanted. */
  readonly #followed = new Set<PtrType | FuncProtoType>();
  readonly #smaller = new Map<BtfType, BtfType>();

  /** Wants a member of a struct or union, or a value of an enum, by its position. */
  want(type: CompositeType | EnumType | Enum64Type, index: number): void {
    const parts = this.#parts.get(type);
    if (parts === undefined) this.#parts.set(type, new Set([index]));
    else parts.add(index);
  }

  /** Wants all that decides whether another type is compatible: what pointers point at, parameters and results. */
  wantCompatible(type: BtfType): void {
    const pending = [type];
    for (let inner = pending.pop(); inner !== undefined; inner = pending.pop()) {
      inner = skipModifiersAndTypedefs(inner);
      if (inner.kind === BtfKind.Array) pending.push(inner.element);
      if (inner.kind !== BtfKind.Ptr && inner.kind !== BtfKind.FuncProto || this.#followed.has(inner)) continue;
      this.#followed.add(inner);
      if (inner.kind === BtfKind.Ptr) pending.push(inner.target);
      else pending.push(inner.returns, ...inner.params.map((param) => param.type));
    }
  }

  /**
   * Wants all that decides whether a type matches another: all members and values, too, though of structs that a pointer
   * leads to only their names.
   */
  wantWhole(type: BtfType): void {
    const pending = [{ type, behindPointer: false }];
    const seen = [new Set<BtfType>(), new Set<BtfType>()] as const;
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const { behindPointer } = next;
      const inner = skipModifiersAndTypedefs(next.type);
      const known = seen[behindPointer ? 1 : 0];
      if (known.has(inner)) continue;
      known.add(inner);
      switch (inner.kind) {
        case BtfKind.Struct:
        case BtfKind.Union:
          if (behindPointer) break;
          inner.members.forEach((member, index) => {
            this.want(inner, index);
            pending.push({ type: member.type, behindPointer: false });
          });
          break;
        case BtfKind.Enum:
        case BtfKind.Enum64:
          inner.values.forEach((_, index) => this.want(inner, index));
          break;
        case BtfKind.Ptr:
          this.#followed.add(inner);
          pending.push({ type: inner.target, behindPointer: true });
          break;
        case BtfKind.Array:
          pending.push({ type: inner.element, behindPointer });
          break;
        case BtfKind.FuncProto:
          this.#followed.add(inner);
          for (const part of [inner.returns, ...inner.params.map((param) => param.type)]) {
            pending.push({ type: part, behindPointer });
          }
          break;
      }
    }
  }

  /** What is left of `type`; the same object each time. To be asked for when everything is wanted that will be. */
  smaller(type: BtfType): BtfType {
    if (type.kind === BtfKind.Unknown) return VOID;
    if (type.kind === BtfKind.Ptr && !this.#followed.has(type)) return POINTER;
    let smaller = this.#smaller.get(type);
    if (smaller === undefined) {
      smaller = this.#make(type);
      this.#smaller.set(type, smaller);
    }
    return smaller;
  }

  /** All types that `roots` lead to through what is wanted. */
  reachable(roots: Iterable<BtfType>): Set<BtfType> {
    const reached = new Set<BtfType>();
    const pending = [...roots];
    for (let type = pending.pop(); type !== undefined; type = pending.pop()) {
      if (reached.has(type)) continue;
      reached.add(type);
      pending.push(...this.#references(type));
    }
    return reached;
  }

  #references(type: BtfType): BtfType[] {
    return this.#referred(type).map((inner) => skipModifiersAndTypedefs(inner));
  }

  #referred(type: BtfType): BtfType[] {
    switch (type.kind) {
      case BtfKind.Struct:
      case BtfKind.Union:
        return this.#wanted(type, type.members).map((member) => member.type);
      case BtfKind.Ptr:
        return this.#followed.has(type) ? [type.target] : [];
      case BtfKind.FuncProto:
        return this.#followed.has(type) ? [type.returns, ...type.params.map((param) => param.type)] : [];
      case BtfKind.Array:
        return [type.element];
      case BtfKind.Typedef:
      case BtfKind.Func:
      case BtfKind.Var:
        return [type.target];
      default:
        return [];
    }
  }

  #wanted<T>(type: CompositeType | EnumType | Enum64Type, all: readonly T[]): T[] {
    const parts = this.#parts.get(type);
    return parts === undefined ? [] : all.filter((_, index) => parts.has(index));
  }

  /** References are getters: types refer to each other in circles. */
  #make(type: BtfType): BtfType {
    const smaller = (inner: BtfType) => this.smaller(skipModifiersAndTypedefs(inner));
    const { kind, name } = type;
    switch (kind) {
      case BtfKind.Struct:
      case BtfKind.Union: {
        const members = this.#wanted(type, type.members).map((member) => ({
          name: member.name,
          offsetBits: member.offsetBits,
          bitfieldBits: member.bitfieldBits,
          get type() {
            return smaller(member.type);
          },
        }));
        return { kind, id: 0, name, size: type.size, members };
      }
      case BtfKind.Enum:
        return { kind, id: 0, name, size: type.size, signed: type.signed, values: this.#wanted(type, type.values) };
      case BtfKind.Enum64:
        return { kind, id: 0, name, size: type.size, signed: type.signed, values: this.#wanted(type, type.values) };
      case BtfKind.Array:
        return {
          kind,
          id: 0,
          name,
          length: type.length,
          get element() {
            return smaller(type.element);
          },
          get index() {
            return smaller(type.index);
          },
        };
      case BtfKind.FuncProto: {
        const followed = this.#followed.has(type);
        const params = type.params.map((param) => ({
          name: "",
          get type() {
            return followed ? smaller(param.type) : VOID;
          },
        }));
        return {
          kind,
          id: 0,
          name,
          params,
          get returns() {
            return followed ? smaller(type.returns) : VOID;
          },
        };
      }
      case BtfKind.Ptr:
      case BtfKind.Typedef:
        return {
          kind,
          id: 0,
          name,
          get target() {
            return smaller(type.target);
          },
        };
      case BtfKind.Func:
      case BtfKind.Var:
        return {
          kind,
          id: 0,
          name,
          linkage: type.linkage,
          get target() {
            return smaller(type.target);
          },
        };
      // Integers, floats and forward declarations refer to nothing, and the others are never reached.
      default:
        return type;
    }
  }
}
