/**
 * Types that tests make by hand.
 *
 * @module
 */
export type { BtfType, FuncProtoType, FwdType } from "../../../../lib/btf/types.ts";

/** A type that is still being made. */
export type Mutable<T> = { -readonly [K in keyof T]: T[K] };
