/**
 * The type that every BTF that is built by hand begins with.
 *
 * @module
 */
import { BtfKind } from "../../uapi/mod.ts";
import type { IntType } from "../types.ts";

/** C's `int` of 32 bits, of no BTF: to be added to a `BtfBuilder`. */
export const INT_TYPE: IntType = {
  kind: BtfKind.Int,
  id: 0,
  name: "int",
  size: 4,
  signed: true,
  char: false,
  bool: false,
  offsetBits: 0,
  bits: 32,
};
