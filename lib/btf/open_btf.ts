/**
 * BTF as it lies in files.
 *
 * @module
 */
import { BTF_SECTION, ElfFile, isElf } from "../elf/mod.ts";
import { FormatError } from "../errors.ts";
import { Btf, type BtfOptions } from "./btf.ts";
import { relocateBase } from "./relocate_base.ts";

/** Where modules that were built apart from their kernel keep the types that their own refer to (6.11). */
const BASE_SECTION = ".BTF.base";

/** First bytes of files that have BTF in them, but packed, and what to do. */
const PACKED: readonly { readonly magic: readonly number[]; readonly advice: string }[] = [
  { magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a], advice: "is packed: unpack it first (xz -d)" },
  { magic: [0x1f, 0x8b], advice: "is packed: unpack it first (gzip -d)" },
  { magic: [0x28, 0xb5, 0x2f, 0xfd], advice: "is packed: unpack it first (zstd -d)" },
  { magic: [0x4d, 0x5a], advice: "is a kernel image to boot: take the vmlinux out of it (scripts/extract-vmlinux)" },
];

/**
 * Opens the BTF of a file: a blob, or the section `.BTF` of any ELF file, such as an object, a module or a kernel
 * image. A module that brings the types of its base along (`.BTF.base`) is put onto `base`, or continues those that it
 * brought if there is none.
 *
 * @param bytes The whole file. They are kept, not copied, and must not change.
 * @throws {FormatError} if there is no BTF, it is packed, its header is malformed, or `base` lacks a type that it needs.
 */
export function openBtf(bytes: Uint8Array, options: BtfOptions = {}): Btf {
  const what = options.what ?? "file";
  if (!isElf(bytes)) {
    const packed = PACKED.find(({ magic }) => magic.every((byte, index) => bytes[index] === byte));
    if (packed !== undefined) throw new FormatError(`${what}: ${packed.advice}`);
    return Btf.parse(bytes, { ...options, what });
  }
  const elf = ElfFile.parse(bytes, what);
  const section = elf.section(BTF_SECTION);
  if (section === undefined) {
    throw new FormatError(
      `${what}: has no section "${BTF_SECTION}": objects get it by clang -g, kernels and modules by CONFIG_DEBUG_INFO_BTF`,
    );
  }
  const own = elf.section(BASE_SECTION);
  if (own === undefined) return Btf.parse(section.bytes(), { ...options, what });
  const base = Btf.parse(own.bytes(), { what: `${what}, section "${BASE_SECTION}"` });
  const btf = Btf.parse(section.bytes(), { what, base });
  return options.base === undefined ? btf : relocateBase(btf, options.base);
}
