/**
 * Reading `.BTF.ext` and attaching what it says to instructions.
 *
 * Infos are attached by the absolute offset in their ELF section, before the section is split into functions: so gaps
 * and padding between functions count, as they did for the compiler. clang counts in bytes; here all is slots.
 *
 * @module
 */
import { type Instruction, type MetadataKey, SOURCE } from "../../asm/mod.ts";
import { ByteView } from "../../bytes.ts";
import { FormatError } from "../../errors.ts";
import type { Btf } from "../btf.ts";
import { checkPreamble, detectOrder } from "../header.ts";
import { readCoreRelocation, readFuncInfo, readLineInfo, within } from "./records.ts";
import {
  CORE_RELOCATION,
  type CoreRelocationInfo,
  FUNC_INFO,
  type FuncInfo,
  type LineInfo,
  type SectionExtInfos,
} from "./types.ts";
import {
  CORE_RELO_RECORD,
  EXT_HEADER,
  EXT_SECTION,
  FUNC_INFO_RECORD,
  LINE_INFO_RECORD,
  MAX_RECORD_SIZE,
} from "./wire.ts";

/** Bytes of an instruction slot: the unit of `insn_off` in ELF is the byte. */
const SLOT_BYTES = 8;

interface MutableSection extends SectionExtInfos {
  readonly funcs: FuncInfo[];
  readonly lines: LineInfo[];
  readonly relocations: CoreRelocationInfo[];
}

/** Options of {@linkcode ExtInfos.parse}. */
export interface ExtInfosOptions {
  /** How errors call the bytes; by default `section ".BTF.ext"`. */
  what?: string;
}

/** What `.BTF.ext` says about the instructions of an object. */
export class ExtInfos {
  /** Infos by the name of the ELF section whose instructions they are about. */
  readonly sections: ReadonlyMap<string, SectionExtInfos>;
  readonly #what: string;

  private constructor(sections: ReadonlyMap<string, SectionExtInfos>, what: string) {
    this.sections = sections;
    this.#what = what;
  }

  /**
   * Reads `.BTF.ext`.
   *
   * @param bytes The section.
   * @param btf The types and strings that it refers to: the same object's `.BTF`.
   * @throws {FormatError} if anything in it is malformed, or refers to a type or string that doesn't exist.
   */
  static parse(bytes: Uint8Array, btf: Btf, options: ExtInfosOptions = {}): ExtInfos {
    const what = options.what ?? 'section ".BTF.ext"';
    const order = detectOrder(bytes, what);
    if (order !== btf.order) throw new FormatError(`${what}: is ${order}-endian but ${btf.what} is not`);
    const view = new ByteView(bytes, order, what);
    const headerLength = checkPreamble(view, EXT_HEADER.size);

    const sections = new Map<string, MutableSection>();
    const sectionOf = (name: string): MutableSection => {
      let section = sections.get(name);
      if (section === undefined) {
        section = { funcs: [], lines: [], relocations: [] };
        sections.set(name, section);
      }
      return section;
    };
    const each = (part: Part, visit: (section: MutableSection, view: ByteView, at: number, slot: number) => void) => {
      const start = headerLength + view.u32(part.offAt, `${part.title} offset`);
      const infos = view.sub(start, view.u32(part.lenAt, `${part.title} length`), `${what}, ${part.title}`);
      readPart(infos, btf, part, (name, at, slot) => visit(sectionOf(name), infos, at, slot));
    };

    each(FUNC_PART, (section, part, at, slot) => section.funcs.push(readFuncInfo(part, at, slot, btf)));
    each(LINE_PART, (section, part, at, slot) => section.lines.push(readLineInfo(part, at, slot, btf)));
    if (headerLength >= EXT_HEADER.sizeWithCoreRelo) {
      let count = 0;
      each(CORE_PART, (section, part, at, slot) => {
        section.relocations.push({ insnIndex: slot, relocation: readCoreRelocation(part, at, btf, count++) });
      });
    }
    return new ExtInfos(sections, what);
  }

  /**
   * The instructions of a section with what is known about them as metadata: `FUNC_INFO`, asm's `SOURCE` and
   * `CORE_RELOCATION`. Without infos, `insns` itself.
   *
   * @param section Name of the ELF section.
   * @param insns All its instructions, gaps between functions included.
   * @throws {FormatError} if an info is about no instruction, or two of one sort are about the same.
   */
  assign(section: string, insns: readonly Instruction[]): Instruction[] {
    const result = [...insns];
    const infos = this.sections.get(section);
    if (infos === undefined) return result;

    const indexOfSlot = new Map<number, number>();
    let slot = 0;
    for (const [index, insn] of insns.entries()) {
      indexOfSlot.set(slot, index);
      slot += insn.slots;
    }
    const set = <T>(key: MetadataKey<T>, insnIndex: number, value: T): void => {
      const place = `${this.#what}: ${key.name} for byte ${insnIndex * SLOT_BYTES} of section "${section}"`;
      const index = indexOfSlot.get(insnIndex);
      if (index === undefined) throw new FormatError(`${place}: no instruction starts there`);
      if (insns[index]!.get(key) !== result[index]!.get(key)) throw new FormatError(`${place}: there is one already`);
      result[index] = result[index]!.with(key, value);
    };
    for (const info of infos.funcs) set(FUNC_INFO, info.insnIndex, info.func);
    for (const info of infos.lines) set(SOURCE, info.insnIndex, info);
    for (const info of infos.relocations) set(CORE_RELOCATION, info.insnIndex, info.relocation);
    return result;
  }
}

/** One of the three parts of `.BTF.ext`: where the header tells of it, and its records. */
interface Part {
  readonly title: string;
  readonly offAt: number;
  readonly lenAt: number;
  readonly recordSize: number;
}

const FUNC_PART: Part = {
  title: "func info",
  offAt: EXT_HEADER.funcInfoOff,
  lenAt: EXT_HEADER.funcInfoLen,
  recordSize: FUNC_INFO_RECORD.size,
};
const LINE_PART: Part = {
  title: "line info",
  offAt: EXT_HEADER.lineInfoOff,
  lenAt: EXT_HEADER.lineInfoLen,
  recordSize: LINE_INFO_RECORD.size,
};
const CORE_PART: Part = {
  title: "CO-RE relocations",
  offAt: EXT_HEADER.coreReloOff,
  lenAt: EXT_HEADER.coreReloLen,
  recordSize: CORE_RELO_RECORD.size,
};

/** Visits the records of a part: a record size, then per section a header and records, which all start with `insn_off`. */
function readPart(
  view: ByteView,
  btf: Btf,
  part: Part,
  visit: (section: string, at: number, slot: number) => void,
): void {
  if (view.length === 0) return;
  const size = view.u32(0, "record size");
  if (size < part.recordSize || size > MAX_RECORD_SIZE || size % 4 !== 0) {
    throw new FormatError(
      `${view.what}: record size ${size} is not a multiple of 4 from ${part.recordSize} to ${MAX_RECORD_SIZE}`,
    );
  }
  for (let at = 4; at < view.length;) {
    const nameOff = view.u32(at + EXT_SECTION.nameOff, "section name");
    const name = within(`${view.what}: section at offset ${at}`, () => btf.string(nameOff));
    const count = view.u32(at + EXT_SECTION.count, "record count");
    if (count === 0) throw new FormatError(`${view.what}: section "${name}" at offset ${at} has no records`);
    at += EXT_SECTION.size;
    view.check(at, count * size, `${count} records of section "${name}"`);
    for (const end = at + count * size; at < end; at += size) {
      const offset = view.u32(at, "insn_off");
      if (offset % SLOT_BYTES !== 0) {
        throw new FormatError(
          `${view.what}: insn_off ${offset} at offset ${at} (section "${name}") is not a multiple of ${SLOT_BYTES}`,
        );
      }
      visit(name, at, offset / SLOT_BYTES);
    }
  }
}
