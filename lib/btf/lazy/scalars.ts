/**
 * Numbers: integers, floats, enums.
 *
 * @module
 */
import { BtfIntEncoding, BtfKind } from "../../uapi/mod.ts";
import type { Enum64Type, Enum64Value, EnumType, EnumValue, FloatType, IntType } from "../types.ts";
import { infoFlag, infoVlen } from "../wire.ts";
import { LazyType, type TypeSource } from "./lazy_type.ts";

/** An integer. */
export class LazyInt extends LazyType implements IntType {
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

/** A floating point number. */
export class LazyFloat extends LazyType implements FloatType {
  readonly kind = BtfKind.Float;
  constructor(source: TypeSource, id: number, at: number) {
    super(source, id, at);
    this.checkSize("float", [2, 4, 8, 12, 16]);
  }
  get size(): number {
    return this.sizeOrType;
  }
}

/** An enum of at most 32-bit values. */
export class LazyEnum extends LazyType implements EnumType {
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

/** An enum of 64-bit values. */
export class LazyEnum64 extends LazyType implements Enum64Type {
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
