/**
 * A whole ELF64 file: any type and machine, both byte orders.
 *
 * @module
 */
import { type ByteOrder, ByteView } from "../bytes.ts";
import { FormatError } from "../errors.ts";
import { EM, ET, SHT } from "./constants.ts";
import { checkElf64 } from "./identify.ts";
import { readRelocations, type Relocation } from "./relocation.ts";
import { checkOverlap, EHDR, readSections, type Section, sectionPlace } from "./section.ts";
import { type ElfSymbol, readSymbols } from "./symbol.ts";

/** An ELF64 file. Nothing is copied: the bytes must not change while it is used. */
export class ElfFile {
  /** How errors call the file: `object "x.o"`. */
  readonly what: string;
  /** Byte order. */
  readonly order: ByteOrder;
  /** `ET.*`. */
  readonly type: number;
  /** `EM.*`. */
  readonly machine: number;
  /** All sections; the index is the one that symbols use. The first is the null section. */
  readonly sections: readonly Section[];
  /** All symbols; the index is the one that relocations use. The first is the null symbol. */
  readonly symbols: readonly ElfSymbol[];
  readonly #byName: ReadonlyMap<string, Section>;
  readonly #symbolTable: Section | undefined;
  readonly #relocationSections: ReadonlyMap<number, readonly Section[]>;

  private constructor(view: ByteView, order: ByteOrder) {
    this.what = view.what;
    this.order = order;
    this.type = view.u16(EHDR.type);
    this.machine = view.u16(EHDR.machine);
    this.sections = readSections(view);
    if (this.type === ET.REL) checkOverlap(this.sections, this.what);
    const byName = new Map<string, Section>();
    for (const section of this.sections.slice(1)) {
      if (!byName.has(section.name)) byName.set(section.name, section);
    }
    this.#byName = byName;
    this.#relocationSections = relocationSectionsByTarget(this.sections, this.what);
    this.#symbolTable = findSymbolTable(this.sections, this.what);
    this.symbols = this.#symbolTable === undefined
      ? []
      : readSymbols(this.#symbolTable, this.sections, this.order, this.what);
  }

  /**
   * Reads header, sections and symbols; relocations are read when asked for.
   *
   * @param bytes The file.
   * @param what How errors call it.
   * @throws {FormatError} if it is not an ELF64 file, or is truncated or inconsistent.
   */
  static parse(bytes: Uint8Array, what = "ELF file"): ElfFile {
    const order = checkElf64(bytes, what);
    const view = new ByteView(bytes, order, what);
    view.check(0, EHDR.size, "ELF header");
    return new ElfFile(view, order);
  }

  /** The first section of that name. */
  section(name: string): Section | undefined {
    return this.#byName.get(name);
  }

  /**
   * What changes in `section`, in ascending order of offsets.
   *
   * @throws {FormatError} if a relocation does not hold.
   */
  relocations(section: Section): readonly Relocation[] {
    const context = {
      symbolTable: this.#symbolTable,
      symbols: this.symbols,
      order: this.order,
      bpf: this.machine === EM.BPF,
      what: this.what,
    };
    const relocations: Relocation[] = [];
    for (
      const relocationSection of this.#relocationSections.get(section.index) ??
        []
    ) {
      for (
        const relocation of readRelocations(relocationSection, section, context)
      ) relocations.push(relocation);
    }
    return relocations.sort((a, b) => a.offset - b.offset);
  }
}

function findSymbolTable(sections: readonly Section[], what: string): Section | undefined {
  const [first, second] = sections.filter((section) => section.type === SHT.SYMTAB);
  if (second === undefined) return first;
  throw new FormatError(`${what}: ${sectionPlace(second)} is a second symbol table: ELF allows one`);
}

function relocationSectionsByTarget(sections: readonly Section[], what: string): Map<number, Section[]> {
  const byTarget = new Map<number, Section[]>();
  for (const section of sections) {
    if (section.type !== SHT.REL && section.type !== SHT.RELA) continue;
    const target = section.info;
    if (target >= sections.length) {
      throw new FormatError(
        `${what}: ${
          sectionPlace(section)
        } relocates section ${target} (sh_info), but there are only ${sections.length}`,
      );
    }
    const others = byTarget.get(target);
    if (others === undefined) byTarget.set(target, [section]);
    else others.push(section);
  }
  return byTarget;
}
