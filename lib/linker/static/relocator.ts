/**
 * Symbols and relocations of the output.
 *
 * A symbol moves with its section. A relocation against a named symbol moves with that; one against a section symbol
 * has its target's offset in the place that it changes, which grows by as much as the target's section has moved.
 * Facts: Documentation/bpf/llvm_reloc.rst (Linux 6.18).
 *
 * @module
 */
import {
  type ElfSymbol,
  type NewSection,
  type NewSymbol,
  RBPF,
  type Relocation,
  type Section,
  sectionPlace,
  SHT,
  STB,
  STT,
  STV,
} from "../../elf/mod.ts";
import { type ByteOrder, ByteView } from "../../bytes.ts";
import { LinkError } from "../../errors.ts";
import { type GlobalSymbol, isGlobal } from "./global_symbols.ts";
import { type InputObject, isCode } from "./input_object.ts";
import { JumpTables } from "./jump_tables.ts";
import type { OutputSection, Piece } from "./output_sections.ts";
import type { Linked } from "./merge_types.ts";

/** Size of an instruction's slot in bytes, and where it has its immediate. */
const SLOT = 8;
const IMM = 4;
/** `BPF_LD | BPF_IMM | BPF_DW` and `BPF_JMP | BPF_CALL`: the instructions that can refer to something. */
const LOAD_IMM64 = 0x18;
const CALL = 0x85;

/** Makes the output's symbols, and moves relocations into its sections. */
export class Relocator {
  readonly #linked: Linked;
  readonly #little: boolean;
  readonly #symbols: NewSymbol[] = [];
  readonly #globals = new Map<string, NewSymbol>();
  readonly #sectionSymbols = new Map<NewSection, NewSymbol>();

  /** Nothing moved yet. */
  constructor(linked: Linked) {
    this.#linked = linked;
    this.#little = linked.order === "little";
  }

  /**
   * Moves all relocations.
   *
   * @returns The symbols of the output.
   * @throws {FormatError} if a relocation does not hold.
   * @throws {LinkError} if one points outside of a section, or at what cannot be meant.
   */
  all(): NewSymbol[] {
    for (const input of this.#linked.inputs) {
      const symbols = input.elf.symbols.map((symbol) => this.#symbol(symbol, input));
      const tables = new JumpTables(this.#linked.order);
      for (const section of input.sections) {
        const piece = this.#linked.sections.pieceOf(section)!;
        if (piece.duplicate) continue;
        const relocations = input.elf.relocations(section);
        if (relocations.length > 0) this.#relocate(relocations, piece, symbols, tables);
      }
    }
    return this.#symbols;
  }

  /** The output's symbol for one of an object; `undefined` if its section is left out. */
  #symbol(symbol: ElfSymbol, input: InputObject): NewSymbol | undefined {
    if (symbol.index === 0) return undefined;
    const { name, type, value, size, section } = symbol;
    const piece = section && this.#linked.sections.pieceOf(section);
    if (section !== undefined && piece === undefined) return undefined;
    if (section !== undefined && value + size > section.size) {
      throw new LinkError(
        `${input.what}: symbol "${name}" at offset ${value} (${size} bytes) lies outside of ${
          sectionPlace(section)
        }, ` +
          `which has ${section.size} bytes`,
      );
    }
    if (type === STT.SECTION) return piece && this.#sectionSymbol(piece.output);
    if (isGlobal(symbol)) {
      const global = this.#linked.globals.get(name);
      if (global !== undefined) return this.#global(global);
    }
    if (piece?.duplicate) return undefined;
    return this.#add({
      name,
      binding: STB.LOCAL,
      type,
      visibility: STV.DEFAULT,
      section: piece?.output ?? symbol.sectionIndex,
      value: (piece?.offset ?? 0) + value,
      size,
    });
  }

  #global({ name, chosen, binding, visibility }: GlobalSymbol): NewSymbol {
    let made = this.#globals.get(name);
    if (made === undefined) {
      const { type, value, size, section, sectionIndex } = chosen.symbol;
      const piece = section && this.#linked.sections.pieceOf(section);
      made = this.#add({
        name,
        binding,
        type,
        visibility,
        section: piece?.output ?? sectionIndex,
        value: (piece?.offset ?? 0) + value,
        size,
      });
      this.#globals.set(name, made);
    }
    return made;
  }

  #sectionSymbol(section: NewSection): NewSymbol {
    let made = this.#sectionSymbols.get(section);
    if (made === undefined) {
      const { SECTION } = STT;
      made = this.#add({ name: "", binding: STB.LOCAL, type: SECTION, visibility: 0, section, value: 0, size: 0 });
      this.#sectionSymbols.set(section, made);
    }
    return made;
  }

  #add(symbol: NewSymbol): NewSymbol {
    this.#symbols.push(symbol);
    return symbol;
  }

  #relocate(
    relocations: readonly Relocation[],
    piece: Piece,
    symbols: readonly (NewSymbol | undefined)[],
    tables: JumpTables,
  ): void {
    const { input, section, output } = piece;
    if (section.type === SHT.NOBITS) {
      throw new LinkError(`${input.what}: ${sectionPlace(section)} has no bytes that relocations could change`);
    }
    const place = isCode(section)
      ? new CodePlace(section, input, this.#linked.order)
      : new DataPlace(section, input, this.#linked.order);
    for (const relocation of relocations) {
      const { offset, type, symbol } = relocation;
      const made = symbols[symbol.index];
      if (made === undefined) throw place.error(relocation, "refers to a symbol that is not linked");
      const addend = place.check(relocation);
      output.relocations.push({ offset: piece.offset + offset, type, symbol: made });
      const target = symbol.section && this.#linked.sections.pieceOf(symbol.section);
      if (target === undefined) continue;
      if (symbol.type === STT.SECTION && target.offset !== 0) {
        this.#move(output, piece.offset + offset, addend, target.offset);
      }
      tables.move(relocation, piece, target);
    }
  }

  /** Adds to the addend in a place of the output. */
  #move(output: OutputSection, offset: number, { kind, value }: Addend, by: number): void {
    const little = this.#little;
    switch (kind) {
      case "bytes":
        output.patches.push((bytes) => bytes.setInt32(offset + IMM, Number(value) + by, little));
        break;
      case "slots":
        output.patches.push((bytes) => bytes.setInt32(offset + IMM, Number(value) + by / SLOT, little));
        break;
      case "data32":
        output.patches.push((bytes) => bytes.setInt32(offset, Number(value) + by, little));
        break;
      case "data64":
        output.patches.push((bytes) => bytes.setBigInt64(offset, value + BigInt(by), little));
        break;
      default:
        kind satisfies never;
    }
  }
}

/** What a place has that a relocation changes: an immediate in bytes or slots, or data. */
interface Addend {
  readonly kind: "bytes" | "slots" | "data32" | "data64";
  readonly value: bigint;
}

/** A section of an object, whose places relocations change. */
abstract class Place {
  protected readonly view: ByteView;
  readonly #section: Section;
  readonly #input: InputObject;

  constructor(section: Section, input: InputObject, order: ByteOrder) {
    this.view = new ByteView(section.bytes(), order, `${input.what}: ${sectionPlace(section)}`);
    this.#section = section;
    this.#input = input;
  }

  /**
   * The addend that a place has.
   *
   * @throws {LinkError} if it leads out of the symbol's section, or the place cannot have one.
   */
  abstract check(relocation: Relocation): Addend;

  error({ offset, symbol }: Relocation, problem: string): LinkError {
    return new LinkError(
      `${this.#input.what}: ${
        sectionPlace(this.#section)
      }: relocation at offset ${offset} (symbol "${symbol.name}"): ` +
        problem,
    );
  }

  /** Fails unless the place refers into the symbol's section, or to its end. */
  protected checkTarget(relocation: Relocation, addend: number): void {
    const { section, value } = relocation.symbol;
    if (section === undefined) return;
    const target = value + addend;
    if (target >= 0 && target <= section.size) return;
    throw this.error(
      relocation,
      `offset ${target} lies outside of ${sectionPlace(section)}, which has ${section.size} bytes`,
    );
  }
}

/** Instructions. */
class CodePlace extends Place {
  check(relocation: Relocation): Addend {
    const { offset, type, symbol } = relocation;
    if (offset % SLOT !== 0) throw this.error(relocation, "lies inside of an instruction");
    const opcode = this.view.u8(offset);
    const imm = this.view.i32(offset + IMM);
    if (type === RBPF.R64_64 && opcode === LOAD_IMM64) {
      this.checkTarget(relocation, imm);
      return { kind: "bytes", value: BigInt(imm) };
    }
    if (type === RBPF.R64_32 && opcode === CALL) {
      if (symbol.section !== undefined && !isCode(symbol.section)) {
        throw this.error(relocation, `it is called, but ${sectionPlace(symbol.section)} holds data`);
      }
      this.checkTarget(relocation, (imm + 1) * SLOT);
      return { kind: "slots", value: BigInt(imm) };
    }
    throw this.error(
      relocation,
      `an instruction of code 0x${opcode.toString(16)} cannot have a relocation of type ${type}`,
    );
  }
}

/** Data: addresses that variables are initialized with. */
class DataPlace extends Place {
  check(relocation: Relocation): Addend {
    const { offset, type } = relocation;
    switch (type) {
      // clang before 13 used the type of instructions.
      case RBPF.R64_64:
      case RBPF.R64_ABS64: {
        const value = BigInt.asIntN(64, this.view.u64(offset));
        this.checkTarget(relocation, Number(value));
        return { kind: "data64", value };
      }
      case RBPF.R64_ABS32:
      case RBPF.R64_32: {
        const value = this.view.i32(offset);
        this.checkTarget(relocation, value);
        return { kind: "data32", value: BigInt(value) };
      }
      default:
        throw this.error(relocation, `data cannot have a relocation of type ${type}`);
    }
  }
}
