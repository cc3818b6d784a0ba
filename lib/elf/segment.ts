/**
 * Segments of an ELF64 program or library: which bytes of the file are at which addresses.
 *
 * @module
 */
import type { ByteView } from "../bytes.ts";
import { FormatError } from "../errors.ts";

/** `Elf64_Ehdr`: where the program headers are. */
const EHDR = { phoff: 32, phentsize: 54, phnum: 56 } as const;

/** `Elf64_Phdr`. */
const PHDR = { type: 0, flags: 4, offset: 8, vaddr: 16, filesz: 32, memsz: 40, bytes: 56 } as const;

/** `PT_LOAD` */
const PT_LOAD = 1;
/** `PF_X` */
const PF_X = 1;
/** `PN_XNUM`: too many to count in the ELF header. Programs have about ten. */
const PN_XNUM = 0xffff;

/** A part of the file that is loaded into memory (`PT_LOAD`). */
export interface Segment {
  /** Where it is in the file. */
  readonly offset: number;
  /** Its address; in a library or position-independent program, relative to where that is loaded. */
  readonly address: number;
  /** Size in the file in bytes. */
  readonly fileSize: number;
  /** Size in memory in bytes: beyond `fileSize` there are zeros. */
  readonly memorySize: number;
  /** Does it hold code. */
  readonly executable: boolean;
}

/**
 * The loaded segments of `file`, by address.
 *
 * @throws {FormatError} if the table lies outside of the file or has entries of another size.
 */
export function readSegments(file: ByteView): Segment[] {
  const table = file.size64(EHDR.phoff);
  const count = file.u16(EHDR.phnum);
  if (table === 0 || count === 0) return [];
  const entrySize = file.u16(EHDR.phentsize);
  if (entrySize !== PHDR.bytes || count === PN_XNUM) {
    throw new FormatError(
      `${file.what}: ${count} program headers of ${entrySize} bytes (e_phentsize at offset ${EHDR.phentsize}): they have ${PHDR.bytes}`,
    );
  }
  file.check(table, count * PHDR.bytes, `table of ${count} program headers`);
  const segments: Segment[] = [];
  for (let at = table; at < table + count * PHDR.bytes; at += PHDR.bytes) {
    if (file.u32(at + PHDR.type) !== PT_LOAD) continue;
    segments.push({
      offset: file.size64(at + PHDR.offset),
      address: file.size64(at + PHDR.vaddr),
      fileSize: file.size64(at + PHDR.filesz),
      memorySize: file.size64(at + PHDR.memsz),
      executable: (file.u32(at + PHDR.flags) & PF_X) !== 0,
    });
  }
  return segments.sort((a, b) => a.address - b.address);
}
