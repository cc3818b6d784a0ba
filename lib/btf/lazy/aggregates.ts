/**
 * Types that are made of others: arrays, structs, unions, prototypes, sections.
 *
 * @module
 */
import { BtfKind } from "../../uapi/mod.ts";
import type {
  ArrayType,
  BtfType,
  DatasecEntry,
  DatasecType,
  FuncProtoType,
  Member,
  Param,
  StructType,
  UnionType,
} from "../types.ts";
import { BTF_TYPE, infoFlag, infoVlen } from "../wire.ts";
import { LazyType, type TypeSource } from "./lazy_type.ts";

/** An array. */
export class LazyArray extends LazyType implements ArrayType {
  readonly kind = BtfKind.Array;
  get element(): BtfType {
    return this.source.type(this.trailer(0));
  }
  get index(): BtfType {
    return this.source.type(this.trailer(1));
  }
  get length(): number {
    return this.trailer(2);
  }
}

class LazyMember implements Member {
  readonly offsetBits: number;
  readonly bitfieldBits: number;
  readonly #source: TypeSource;
  readonly #at: number;
  #name: string | undefined;
  #type: BtfType | undefined;

  constructor(source: TypeSource, at: number, hasBitfields: boolean) {
    const offset = source.words[at + 2]!;
    this.#source = source;
    this.#at = at;
    this.offsetBits = hasBitfields ? offset & 0xffffff : offset;
    this.bitfieldBits = hasBitfields ? offset >>> 24 : 0;
  }
  get name(): string {
    return this.#name ??= this.#source.string(this.#source.words[this.#at]!);
  }
  get type(): BtfType {
    return this.#type ??= this.#source.type(this.#source.words[this.#at + 1]!);
  }
}

/** A loop, because a kernel's structs have many members and this runs before any compiler has seen it. */
function readMembers(source: TypeSource, first: number, count: number, hasBitfields: boolean): readonly Member[] {
  const members: Member[] = new Array(count);
  for (let i = 0; i < count; i++) members[i] = new LazyMember(source, first + i * 3, hasBitfields);
  return members;
}

abstract class LazyComposite extends LazyType {
  #members: readonly Member[] | undefined;

  get size(): number {
    return this.sizeOrType;
  }
  get members(): readonly Member[] {
    return this.#members ??= readMembers(
      this.source,
      this.at + BTF_TYPE.words,
      infoVlen(this.info),
      infoFlag(this.info),
    );
  }
}

/** A struct. */
export class LazyStruct extends LazyComposite implements StructType {
  readonly kind = BtfKind.Struct;
}

/** A union. */
export class LazyUnion extends LazyComposite implements UnionType {
  readonly kind = BtfKind.Union;
}

/** The type of a function. */
export class LazyFuncProto extends LazyType implements FuncProtoType {
  readonly kind = BtfKind.FuncProto;
  #params: readonly Param[] | undefined;

  get returns(): BtfType {
    return this.source.type(this.sizeOrType);
  }
  get params(): readonly Param[] {
    return this.#params ??= Array.from({ length: infoVlen(this.info) }, (_, index) => {
      const { source } = this;
      const typeId = this.trailer(index * 2 + 1);
      return {
        name: source.string(this.trailer(index * 2)),
        get type(): BtfType {
          return source.type(typeId);
        },
      };
    });
  }
}

/** A section of global variables. */
export class LazyDatasec extends LazyType implements DatasecType {
  readonly kind = BtfKind.Datasec;
  #entries: readonly DatasecEntry[] | undefined;

  get size(): number {
    return this.sizeOrType;
  }
  get entries(): readonly DatasecEntry[] {
    return this.#entries ??= Array.from({ length: infoVlen(this.info) }, (_, index) => {
      const { source } = this;
      const typeId = this.trailer(index * 3);
      return {
        offset: this.trailer(index * 3 + 1),
        size: this.trailer(index * 3 + 2),
        get type(): BtfType {
          return source.type(typeId);
        },
      };
    });
  }
}
