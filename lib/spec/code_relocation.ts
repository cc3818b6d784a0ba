/**
 * Relocations of instructions: what clang leaves open becomes metadata that says what is meant. Facts: kernel's
 * Documentation/bpf/llvm_reloc.rst, and what libbpf 1.8 makes of it.
 *
 * - A call of a function: the target is the symbol's value plus `(imm + 1) * 8`. clang refers to static functions by
 *   the symbol of their section, so `imm` tells which; for others it is -1.
 * - A 64-bit load of a function's address: the symbol's value plus `imm`, in bytes.
 * - A 64-bit load of a map: the symbol is the map.
 * - A 64-bit load of a variable's address: section of the symbol, and in it the symbol's value plus `imm`.
 * - A 64-bit load of a jump table's address (clang 22): the symbol is the table.
 *
 * @module
 */
import {
  BPF_PSEUDO,
  type Instruction,
  isCall,
  isFunctionCall,
  isLoadImm64,
  Label,
  MAP,
  REFERENCE,
} from "../asm/mod.ts";
import { type ElfFile, type ElfSymbol, type Relocation, type Section, sectionPlace, SHF, SHN } from "../elf/mod.ts";
import { LinkError, UnsupportedError } from "../errors.ts";
import { isExtern } from "./externs.ts";
import { type FunctionTable, SLOT } from "./functions.ts";
import { isStructOps } from "./sections.ts";
import { EXTERN, JUMP_TABLE, type JumpTable } from "./keys/mod.ts";
import type { ExternSpec, MapSpec } from "./types.ts";

/** What symbols can refer to. */
export interface RelocationTargets {
  readonly elf: ElfFile;
  readonly functions: FunctionTable;
  /** Section `.maps`. */
  readonly mapsSection: Section | undefined;
  /** The declared maps by their offset in `.maps`. */
  readonly mapsByOffset: ReadonlyMap<number, MapSpec>;
  /** Section `.jumptables`. */
  readonly jumpTables: Section | undefined;
  /** Maps of global data by the index of their section; the arena for that of its variables. */
  readonly dataBySection: ReadonlyMap<number, MapSpec>;
  readonly externs: ReadonlyMap<string, ExternSpec>;
}

/** Size of an entry of a jump table: the byte offset of an instruction in its section. */
const TABLE_ENTRY = 8;

/** Applies the relocations of one section of instructions. */
export class CodeRelocator {
  readonly #targets: RelocationTargets;
  readonly #section: Section;
  /** By index of their symbol. */
  readonly #tables = new Map<number, JumpTable>();
  readonly #places = new Map<number, Label>();

  /**
   * @param targets What symbols can refer to.
   * @param section The section whose instructions are relocated.
   */
  constructor(targets: RelocationTargets, section: Section) {
    this.#targets = targets;
    this.#section = section;
  }

  /**
   * `insn` with what `relocation` says about it.
   *
   * @throws {LinkError} if that cannot be meant.
   */
  relocate(insn: Instruction, relocation: Relocation): Instruction {
    const { symbol, offset } = relocation;
    if (relocation.addend !== undefined) {
      throw new UnsupportedError(
        "RELA relocations",
        `${this.#place(offset, symbol)}: RELA relocations are not supported: clang and gcc emit REL for BPF`,
      );
    }
    if (!isCall(insn) && !isLoadImm64(insn)) {
      throw this.#error(offset, symbol, `the instruction (code 0x${insn.opcode.toString(16)}) can refer to nothing`);
    }
    if (isExtern(symbol)) return insn.with(EXTERN, this.#targets.externs.get(symbol.name));
    if (symbol.section === undefined) {
      const advice = symbol.sectionIndex === SHN.COMMON ? ": initialize the variable, or compile with -fno-common" : "";
      throw this.#error(offset, symbol, `the symbol lies in no section${advice}`);
    }
    return isCall(insn)
      ? this.#call(insn, offset, symbol, symbol.section)
      : this.#load(insn, offset, symbol, symbol.section);
  }

  /**
   * A call that needs no relocation, as clang emits it for static functions of the same section: `imm` is the distance.
   *
   * @param offset Byte offset of `insn` in the section.
   */
  relativeCall(insn: Instruction, offset: number): Instruction {
    const target = offset + (insn.imm + 1) * SLOT;
    const found = this.#targets.functions.startingAt(this.#section, target);
    if (found === undefined) {
      throw new LinkError(
        `${this.#targets.elf.what}: ${sectionPlace(this.#section)}: the call at offset ${offset} goes to offset ` +
          `${target}, where no function starts`,
      );
    }
    return insn.edit({ imm: -1 }).with(REFERENCE, found.label);
  }

  #call(insn: Instruction, offset: number, symbol: ElfSymbol, section: Section): Instruction {
    if (!isFunctionCall(insn)) throw this.#error(offset, symbol, "the instruction calls a helper, not a function");
    const label = this.#function(section, symbol.value + (insn.imm + 1) * SLOT, offset, symbol);
    return insn.edit({ imm: -1 }).with(REFERENCE, label);
  }

  #load(insn: Instruction, offset: number, symbol: ElfSymbol, section: Section): Instruction {
    const at = symbol.value + insn.imm;
    if ((section.flags & SHF.EXECINSTR) !== 0) {
      const label = this.#function(section, at, offset, symbol);
      return insn.edit({ src: BPF_PSEUDO.FUNC, imm: 0, immHigh: 0 }).with(REFERENCE, label);
    }
    if (section === this.#targets.mapsSection) {
      const map = this.#targets.mapsByOffset.get(at);
      if (map === undefined) throw this.#error(offset, symbol, `no map starts at offset ${at} of section ".maps"`);
      return insn.edit({ src: BPF_PSEUDO.MAP_FD, imm: 0, immHigh: 0 }).with(MAP, map.name);
    }
    const data = this.#targets.dataBySection.get(section.index);
    if (data !== undefined) {
      if (at < 0 || at >= section.size) {
        throw this.#error(
          offset,
          symbol,
          `offset ${at} lies outside of ${sectionPlace(section)} (${section.size} bytes)`,
        );
      }
      return insn.edit({ src: BPF_PSEUDO.MAP_VALUE, imm: 0, immHigh: at | 0 }).with(MAP, data.name);
    }
    if (section === this.#targets.jumpTables) return this.#jumpTable(insn, offset, symbol);
    const problem = isStructOps(section)
      ? "holds struct_ops, which programs cannot reach"
      : "holds neither functions, maps nor global data";
    throw this.#error(offset, symbol, `${sectionPlace(section)} ${problem}`);
  }

  /** The address that clang leaves in the instruction means nothing: the symbol is the table, whole. */
  #jumpTable(insn: Instruction, offset: number, symbol: ElfSymbol): Instruction {
    let table = this.#tables.get(symbol.index);
    if (table === undefined) this.#tables.set(symbol.index, table = this.#readJumpTable(offset, symbol));
    return insn.edit({ src: BPF_PSEUDO.MAP_VALUE, offset: 0, imm: 0 }).with(JUMP_TABLE, table);
  }

  #readJumpTable(offset: number, symbol: ElfSymbol): JumpTable {
    const { value: start, size } = symbol;
    const bytes = symbol.section!.bytes();
    if (size === 0 || start % TABLE_ENTRY !== 0 || size % TABLE_ENTRY !== 0 || start + size > bytes.length) {
      throw this.#error(
        offset,
        symbol,
        `a jump table of ${size} bytes at offset ${start} is not whole entries of ${TABLE_ENTRY} bytes inside of ${
          sectionPlace(symbol.section!)
        }`,
      );
    }
    const { elf, functions } = this.#targets;
    const view = new DataView(bytes.buffer, bytes.byteOffset + start, size);
    const home = functions.containing(this.#section, offset);
    const targets: Label[] = [];
    for (let at = 0; at < size; at += TABLE_ENTRY) {
      const target = Number(view.getBigUint64(at, elf.order === "little"));
      if (home === undefined || target < home.start || target >= home.end) {
        throw this.#error(
          offset,
          symbol,
          `entry ${
            at / TABLE_ENTRY
          } of the jump table is offset ${target}, outside of its function "${home?.label.name}"`,
        );
      }
      targets.push(this.#placeLabel(target));
    }
    return { name: symbol.name, targets };
  }

  #placeLabel(offset: number): Label {
    const start = this.#targets.functions.startingAt(this.#section, offset)?.label;
    if (start !== undefined) return start;
    let label = this.#places.get(offset);
    if (label === undefined) this.#places.set(offset, label = new Label(`.L${offset / SLOT}`));
    return label;
  }

  /** Labels of the places inside of functions that jump tables name, by byte offset in the section. */
  get places(): ReadonlyMap<number, Label> {
    return this.#places;
  }

  #function(section: Section, at: number, offset: number, symbol: ElfSymbol): Label {
    if ((section.flags & SHF.EXECINSTR) === 0) {
      throw this.#error(offset, symbol, `it is called, but ${sectionPlace(section)} holds data`);
    }
    const found = this.#targets.functions.startingAt(section, at);
    if (found === undefined) {
      const near = this.#targets.functions.containing(section, at);
      const where = near === undefined ? "" : `, which is inside of "${near.label.name}"`;
      throw this.#error(offset, symbol, `no function starts at offset ${at} of ${sectionPlace(section)}${where}`);
    }
    return found.label;
  }

  #place(offset: number, symbol: ElfSymbol): string {
    return `${this.#targets.elf.what}: ${
      sectionPlace(this.#section)
    }: relocation at offset ${offset} (symbol "${symbol.name}")`;
  }

  #error(offset: number, symbol: ElfSymbol, problem: string): LinkError {
    return new LinkError(`${this.#place(offset, symbol)}: ${problem}`);
  }
}
