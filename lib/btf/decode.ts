/**
 * Types read from BTF: classes of the shapes in `types.ts` that look into the blob only when a field is asked for, and
 * remember what they found.
 *
 * @module
 */
import { FormatError, UnsupportedError } from "../errors.ts";
import { BtfIntEncoding, BtfKind } from "../uapi/mod.ts";
import type {
  ArrayType,
  BtfType,
  ConstType,
  DatasecEntry,
  DatasecType,
  DeclTagType,
  Enum64Type,
  Enum64Value,
  EnumType,
  EnumValue,
  FloatType,
  FuncProtoType,
  FuncType,
  FwdType,
  IntType,
  Linkage,
  Member,
  Param,
  PtrType,
  RestrictType,
  StructType,
  TypedefType,
  TypeTagType,
  UnionType,
  VarType,
  VoidType,
  VolatileType,
} from "./types.ts";
import { BTF_TYPE, infoFlag, infoKind, infoVlen } from "./wire.ts";

/** What a lazy type reads from: words and strings of its BTF, and the types it refers to. */
export interface TypeSource {
  /** The type section. */
  readonly words: Uint32Array;
  /** How errors call the BTF. */
  readonly what: string;
  /** The string at an offset. */
  string(offset: number): string;
  /** The type of an id. */
  type(id: number): BtfType;
}

/** `void`, the same object in every BTF. */
export const VOID: VoidType = Object.freeze({ kind: BtfKind.Unknown, id: 0, name: "" });

const LINKAGES: readonly Linkage[] = ["static", "global", "extern"];

abstract class LazyType {
  readonly id: number;
  protected readonly source: TypeSource;
  /** Word offset of the type's record. */
  protected readonly at: number;
  #name: string | undefined;

  constructor(source: TypeSource, id: number, at: number) {
    this.source = source;
    this.id = id;
    this.at = at;
  }

  get name(): string {
    return this.#name ??= this.source.string(this.source.words[this.at]!);
  }

  protected get info(): number {
    return this.source.words[this.at + BTF_TYPE.info]!;
  }

  /** `size` or `type`, whichever the kind has. */
  protected get sizeOrType(): number {
    return this.source.words[this.at + BTF_TYPE.sizeOrType]!;
  }

  /** The `index`-th word behind `struct btf_type`. */
  protected trailer(index: number): number {
    return this.source.words[this.at + BTF_TYPE.words + index]!;
  }

  protected linkageOf(value: number): Linkage {
    return LINKAGES[value] ?? this.fail(`linkage ${value} is unknown`);
  }

  protected fail(problem: string): never {
    throw new FormatError(`${this.source.what}: type id ${this.id} at offset ${this.at * 4}: ${problem}`);
  }

  /** The sizes that the kernel allows for this kind. */
  protected checkSize(kind: string, allowed: readonly number[]): void {
    const size = this.sizeOrType;
    if (!allowed.includes(size)) this.fail(`${kind} of ${size} bytes; only ${allowed.join(", ")} are possible`);
  }
}

/** Pointers, typedefs, modifiers, functions, variables, tags: what refers to one other type. */
abstract class LazyReference extends LazyType {
  #target: BtfType | undefined;

  get target(): BtfType {
    return this.#target ??= this.source.type(this.sizeOrType);
  }
}

class LazyInt extends LazyType implements IntType {
  readonly kind = BtfKind.Int;
  constructor(source: TypeSource, id: number, at: number) {
    super(source, id, at);
    this.checkSize("int", [1, 2, 4, 8, 16]);
    if (this.bits + this.offsetBits > this.size * 8) {
      this.fail(`int of ${this.bits} bits at bit ${this.offsetBits} does not fit into its ${this.size} bytes`);
    }
  }
  get size(): number {
    return this.sizeOrType;
  }
  get signed(): boolean {
    return (this.trailer(0) >>> 24 & BtfIntEncoding.BTF_INT_SIGNED) !== 0;
  }
  get char(): boolean {
    return (this.trailer(0) >>> 24 & BtfIntEncoding.BTF_INT_CHAR) !== 0;
  }
  get bool(): boolean {
    return (this.trailer(0) >>> 24 & BtfIntEncoding.BTF_INT_BOOL) !== 0;
  }
  get offsetBits(): number {
    return this.trailer(0) >>> 16 & 0xff;
  }
  get bits(): number {
    return this.trailer(0) & 0xff;
  }
}

class LazyPtr extends LazyReference implements PtrType {
  readonly kind = BtfKind.Ptr;
}

class LazyArray extends LazyType implements ArrayType {
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
    return this.#source.type(this.#source.words[this.#at + 1]!);
  }
}

abstract class LazyComposite extends LazyType {
  #members: readonly Member[] | undefined;

  get size(): number {
    return this.sizeOrType;
  }
  get members(): readonly Member[] {
    return this.#members ??= Array.from(
      { length: infoVlen(this.info) },
      (_, index) => new LazyMember(this.source, this.at + BTF_TYPE.words + index * 3, infoFlag(this.info)),
    );
  }
}

class LazyStruct extends LazyComposite implements StructType {
  readonly kind = BtfKind.Struct;
}

class LazyUnion extends LazyComposite implements UnionType {
  readonly kind = BtfKind.Union;
}

class LazyEnum extends LazyType implements EnumType {
  readonly kind = BtfKind.Enum;
  #values: readonly EnumValue[] | undefined;

  constructor(source: TypeSource, id: number, at: number) {
    super(source, id, at);
    this.checkSize("enum", [1, 2, 4, 8]);
  }
  get size(): number {
    return this.sizeOrType;
  }
  get signed(): boolean {
    return infoFlag(this.info);
  }
  get values(): readonly EnumValue[] {
    return this.#values ??= Array.from({ length: infoVlen(this.info) }, (_, index) => {
      const value = this.trailer(index * 2 + 1);
      return { name: this.source.string(this.trailer(index * 2)), value: this.signed ? value | 0 : value };
    });
  }
}

class LazyEnum64 extends LazyType implements Enum64Type {
  readonly kind = BtfKind.Enum64;
  #values: readonly Enum64Value[] | undefined;

  constructor(source: TypeSource, id: number, at: number) {
    super(source, id, at);
    this.checkSize("enum64", [1, 2, 4, 8]);
  }
  get size(): number {
    return this.sizeOrType;
  }
  get signed(): boolean {
    return infoFlag(this.info);
  }
  get values(): readonly Enum64Value[] {
    return this.#values ??= Array.from({ length: infoVlen(this.info) }, (_, index) => {
      const value = BigInt(this.trailer(index * 3 + 2)) << 32n | BigInt(this.trailer(index * 3 + 1));
      return {
        name: this.source.string(this.trailer(index * 3)),
        value: this.signed ? BigInt.asIntN(64, value) : value,
      };
    });
  }
}

class LazyFwd extends LazyType implements FwdType {
  readonly kind = BtfKind.Fwd;
  get union(): boolean {
    return infoFlag(this.info);
  }
}

class LazyTypedef extends LazyReference implements TypedefType {
  readonly kind = BtfKind.Typedef;
}

class LazyVolatile extends LazyReference implements VolatileType {
  readonly kind = BtfKind.Volatile;
}

class LazyConst extends LazyReference implements ConstType {
  readonly kind = BtfKind.Const;
}

class LazyRestrict extends LazyReference implements RestrictType {
  readonly kind = BtfKind.Restrict;
}

class LazyFunc extends LazyReference implements FuncType {
  readonly kind = BtfKind.Func;
  readonly linkage: Linkage;

  constructor(source: TypeSource, id: number, at: number) {
    super(source, id, at);
    this.linkage = this.linkageOf(infoVlen(this.info));
  }
}

class LazyFuncProto extends LazyType implements FuncProtoType {
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

class LazyVar extends LazyReference implements VarType {
  readonly kind = BtfKind.Var;
  readonly linkage: Linkage;

  constructor(source: TypeSource, id: number, at: number) {
    super(source, id, at);
    this.linkage = this.linkageOf(this.trailer(0));
  }
}

class LazyDatasec extends LazyType implements DatasecType {
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

class LazyFloat extends LazyType implements FloatType {
  readonly kind = BtfKind.Float;
  constructor(source: TypeSource, id: number, at: number) {
    super(source, id, at);
    this.checkSize("float", [2, 4, 8, 12, 16]);
  }
  get size(): number {
    return this.sizeOrType;
  }
}

class LazyDeclTag extends LazyReference implements DeclTagType {
  readonly kind = BtfKind.DeclTag;
  get componentIndex(): number {
    return this.trailer(0) | 0;
  }
  get attribute(): boolean {
    return infoFlag(this.info);
  }
}

class LazyTypeTag extends LazyReference implements TypeTagType {
  readonly kind = BtfKind.TypeTag;
  get attribute(): boolean {
    return infoFlag(this.info);
  }
}

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
