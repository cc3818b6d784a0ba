/**
 * BTF for kernels that are older than the compiler: kinds that they would refuse are replaced by older ones of the same
 * size. What the verifier needs (sizes, offsets, names of functions) stays; ids stay.
 *
 * @module
 */
import { BtfKind } from "../../uapi/mod.ts";
import { readSections } from "../header.ts";
import { StringTable } from "../string_table.ts";
import { TypeTable } from "../type_table.ts";
import { BTF_TYPE, infoKind, infoVlen } from "../wire.ts";
import { encodeBlob } from "./encode_blob.ts";

/** Kinds of BTF that kernels with `CONFIG_DEBUG_INFO_BTF` learned after Linux 5.4, and the version that knows each. */
export const BTF_FEATURES = {
  /** Floating point numbers. */
  float: "5.13",
  /** Tags of declarations. */
  declTag: "5.16",
  /** Tags of types. */
  typeTag: "5.17",
  /** Enums of 64-bit values, and the sign of 32-bit ones. */
  enum64: "6.0",
} as const;

/** Something that a kernel's BTF may lack. */
export type BtfFeature = keyof typeof BTF_FEATURES;

/** `btf_type.info` without a kind flag. */
function info(kind: BtfKind, vlen = 0): number {
  return kind << 24 | vlen;
}

/**
 * A BTF with the same ids and no kind that the kernel lacks: a float becomes an empty nameless struct, a tag of a
 * declaration an int, a tag of a type `const`, a 64-bit enum a union that has the names of its values.
 *
 * @param bytes A BTF that stands alone, such as a `BtfBuilder` makes.
 * @param missing What the kernel lacks.
 * @throws {FormatError} if the BTF is malformed.
 */
export function sanitizeBtf(bytes: Uint8Array, missing: ReadonlySet<BtfFeature>): Uint8Array {
  const what = "BTF to load";
  const { order, words: original, strings, recordSizes } = readSections(bytes, what, false);
  const words = [...original];
  const table = new TypeTable({
    words: original,
    recordSizes,
    strings: new StringTable(strings, undefined, what),
    firstId: 1,
    what,
  });
  const count = table.walkAll();
  const placeholder = { id: count + 1, name: new TextEncoder().encode("enum64_placeholder\0"), used: false };

  for (const at of table.offsets.subarray(0, count)) {
    const kind = infoKind(words[at + BTF_TYPE.info]!);
    const vlen = infoVlen(words[at + BTF_TYPE.info]!);
    if (kind === BtfKind.Float && missing.has("float")) {
      // Nameless, because no struct can be called "double".
      words[at + BTF_TYPE.nameOff] = 0;
      words[at + BTF_TYPE.info] = info(BtfKind.Struct);
    } else if (kind === BtfKind.DeclTag && missing.has("declTag")) {
      words[at + BTF_TYPE.info] = info(BtfKind.Int);
      words[at + BTF_TYPE.sizeOrType] = 1;
      words[at + BTF_TYPE.words] = 8;
    } else if (kind === BtfKind.TypeTag && missing.has("typeTag")) {
      words[at + BTF_TYPE.nameOff] = 0;
      words[at + BTF_TYPE.info] = info(BtfKind.Const);
    } else if (kind === BtfKind.Enum && missing.has("enum64")) {
      words[at + BTF_TYPE.info] = info(BtfKind.Enum, vlen);
    } else if (kind === BtfKind.Enum64 && missing.has("enum64")) {
      // A value (name, low half, high half) becomes a member (name, type, offset); of a type that fits any size.
      words[at + BTF_TYPE.info] = info(BtfKind.Union, vlen);
      for (let value = 0; value < vlen; value++) {
        words[at + BTF_TYPE.words + value * 3 + 1] = placeholder.id;
        words[at + BTF_TYPE.words + value * 3 + 2] = 0;
        placeholder.used = true;
      }
    }
  }
  if (!placeholder.used) return encodeBlob(Uint32Array.from(words), strings, order);

  words.push(strings.length, info(BtfKind.Int), 1, 8);
  const withName = new Uint8Array(strings.length + placeholder.name.length);
  withName.set(strings);
  withName.set(placeholder.name, strings.length);
  return encodeBlob(Uint32Array.from(words), withName, order);
}
