/**
 * Types that are little more than a reference to another.
 *
 * @module
 */
import { BtfKind } from "../../uapi/mod.ts";
import type {
  ConstType,
  DeclTagType,
  FuncType,
  FwdType,
  Linkage,
  PtrType,
  RestrictType,
  TypedefType,
  TypeTagType,
  VarType,
  VolatileType,
} from "../types.ts";
import { infoFlag, infoVlen } from "../wire.ts";
import { LazyReference, LazyType, type TypeSource } from "./lazy_type.ts";

/** A pointer. */
export class LazyPtr extends LazyReference implements PtrType {
  readonly kind = BtfKind.Ptr;
}

/** A typedef. */
export class LazyTypedef extends LazyReference implements TypedefType {
  readonly kind = BtfKind.Typedef;
}

/** `volatile`. */
export class LazyVolatile extends LazyReference implements VolatileType {
  readonly kind = BtfKind.Volatile;
}

/** `const`. */
export class LazyConst extends LazyReference implements ConstType {
  readonly kind = BtfKind.Const;
}

/** `restrict`. */
export class LazyRestrict extends LazyReference implements RestrictType {
  readonly kind = BtfKind.Restrict;
}

/** A function. */
export class LazyFunc extends LazyReference implements FuncType {
  readonly kind = BtfKind.Func;
  readonly linkage: Linkage;

  constructor(source: TypeSource, id: number, at: number) {
    super(source, id, at);
    this.linkage = this.linkageOf(infoVlen(this.info));
  }
}

/** A global variable. */
export class LazyVar extends LazyReference implements VarType {
  readonly kind = BtfKind.Var;
  readonly linkage: Linkage;

  constructor(source: TypeSource, id: number, at: number) {
    super(source, id, at);
    this.linkage = this.linkageOf(this.trailer(0));
  }
}

/** A tag of a declaration. */
export class LazyDeclTag extends LazyReference implements DeclTagType {
  readonly kind = BtfKind.DeclTag;
  get componentIndex(): number {
    return this.trailer(0) | 0;
  }
  get attribute(): boolean {
    return infoFlag(this.info);
  }
}

/** A tag of a type. */
export class LazyTypeTag extends LazyReference implements TypeTagType {
  readonly kind = BtfKind.TypeTag;
  get attribute(): boolean {
    return infoFlag(this.info);
  }
}

/** A forward declaration. */
export class LazyFwd extends LazyType implements FwdType {
  readonly kind = BtfKind.Fwd;
  get union(): boolean {
    return infoFlag(this.info);
  }
}
