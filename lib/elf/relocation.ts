/**
 * Relocations of an ELF64 file: entries of its REL and RELA sections.
 *
 * @module
 */
import type { ByteOrder } from "../bytes.ts";
import { ByteView } from "../bytes.ts";
import { FormatError } from "../errors.ts";
import { RBPF, SHF, SHT } from "./constants.ts";
import { type Section, sectionPlace } from "./section.ts";
import type { ElfSymbol } from "./symbol.ts";

/** `Elf64_Rel` and `Elf64_Rela`; type and symbol are the halves of one 64-bit number, so their places depend on the order. */
export const REL = {
  offset: 0,
  info: 8,
  addend: 16,
  relBytes: 16,
  relaBytes: 24,
} as const;

/** Bytes that a relocation of each BPF type changes in data. clang before 13 used those of instructions in data too. */
const DATA_BYTES: ReadonlyMap<number, number> = new Map([
  [RBPF.R64_64, 8],
  [RBPF.R64_ABS64, 8],
  [RBPF.R64_ABS32, 4],
  [RBPF.R64_NODYLD32, 4],
  [RBPF.R64_32, 4],
]);

/** Bytes of the instruction that a relocation of each BPF type changes. */
const CODE_BYTES: ReadonlyMap<number, number> = new Map([[RBPF.R64_64, 16], [RBPF.R64_32, 8]]);

function changedBytes(type: number, target: Section): number {
  const code = (target.flags & SHF.EXECINSTR) !== 0 ? CODE_BYTES.get(type) : undefined;
  return code ?? DATA_BYTES.get(type) ?? 0;
}

/** A place of a section that depends on a symbol. */
export interface Relocation {
  /** Offset of the place from the start of the section, in bytes: for instructions, the first byte of the instruction. */
  readonly offset: number;
  /** `RBPF.*` in a BPF object. */
  readonly type: number;
  /** What the place refers to. */
  readonly symbol: ElfSymbol;
  /** What to add to the symbol's value (RELA); without it the addend is what the place holds (REL, all that clang emits). */
  readonly addend?: number;
}

/** What the relocations of a section are read with. */
export interface RelocationContext {
  /** The symbol table's section. */
  readonly symbolTable: Section | undefined;
  /** All symbols of the file. */
  readonly symbols: readonly ElfSymbol[];
  /** Byte order of the file. */
  readonly order: ByteOrder;
  /** Whether relocation types are those of BPF. */
  readonly bpf: boolean;
  /** How errors call the file. */
  readonly what: string;
}

/**
 * The relocations that `relocationSection` makes to `target`, in file order.
 *
 * @throws {FormatError} if an entry's symbol does not exist or its place is not inside `target`.
 */
export function readRelocations(
  relocationSection: Section,
  target: Section,
  context: RelocationContext,
): Relocation[] {
  const place = `${context.what}: ${sectionPlace(relocationSection)}`;
  const table = new ByteView(relocationSection.bytes(), context.order, place);
  const explicit = relocationSection.type === SHT.RELA;
  const entryBytes = explicit ? REL.relaBytes : REL.relBytes;
  if (
    relocationSection.entrySize !== entryBytes ||
    table.length % entryBytes !== 0
  ) {
    throw new FormatError(
      `${place}: ${table.length} bytes in relocations of ${relocationSection.entrySize} bytes: one has ${entryBytes}`,
    );
  }
  if (
    context.symbolTable === undefined ||
    relocationSection.link !== context.symbolTable.index
  ) {
    throw new FormatError(
      `${place}: sh_link names section ${relocationSection.link}, which is not the symbol table`,
    );
  }
  const little = context.order === "little";
  const relocations: Relocation[] = [];
  for (let at = 0; at < table.length; at += entryBytes) {
    const offset = table.size64(at + REL.offset);
    const type = table.u32(at + REL.info + (little ? 0 : 4));
    const symbolIndex = table.u32(at + REL.info + (little ? 4 : 0));
    const symbol = context.symbols[symbolIndex];
    if (symbol === undefined) {
      throw new FormatError(
        `${place}: relocation at offset ${at} names symbol ${symbolIndex}, but there are only ${context.symbols.length}`,
      );
    }
    const needed = context.bpf ? changedBytes(type, target) : 0;
    if (offset + needed > target.size) {
      throw new FormatError(
        `${place}: relocation at offset ${at} changes ${needed} bytes at offset ${offset} of ${
          sectionPlace(target)
        }, which has ${target.size}`,
      );
    }
    if (explicit) {
      relocations.push({
        offset,
        type,
        symbol,
        addend: Number(BigInt.asIntN(64, table.u64(at + REL.addend))),
      });
    } else relocations.push({ offset, type, symbol });
  }
  return relocations;
}
