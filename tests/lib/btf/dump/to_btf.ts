/**
 * BTF of types made by hand.
 *
 * @module
 */
import { Btf, BtfBuilder } from "../../../../lib/btf/mod.ts";
import type { BtfType } from "../../../../lib/btf/types.ts";

/** A BTF of these types and what they refer to, as if it were read from a file. */
export function toBtf(...types: BtfType[]): Btf {
  const builder = new BtfBuilder();
  for (const type of types) builder.add(type);
  return Btf.parse(builder.encode());
}

/** The definitions of a C header, without what stands around them. */
export function definitions(header: string): string {
  const start = header.indexOf("#endif\n\n") + "#endif\n\n".length;
  return header.slice(start, header.lastIndexOf("#ifndef")).trimEnd();
}
