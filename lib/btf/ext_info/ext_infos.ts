/**
 * Reading `.BTF.ext` and attaching what it says to instructions.
 *
 * Infos are attached by the absolute offset in their ELF section, before the section is split into functions: so gaps
 * and padding between functions count, as they did for the compiler. clang counts in bytes; here all is slots.
 *
 * @module
 */
import { type Instruction, type Metadata, type MetadataKey, OPCODE, SOURCE } from "../../asm/mod.ts";
import { ByteView } from "../../bytes.ts";
import { FormatError } from "../../errors.ts";
import type { Btf } from "../btf.ts";
import { checkPreamble, detectOrder } from "../header.ts";
import { readCoreRelocations, readFuncInfos, readLineInfos, type Records, SLOT_BYTES, within } from "./records.ts";
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
    const each = (part: Part, visit: (section: MutableSection, records: Records) => void) => {
      const start = headerLength + view.u32(part.offAt, `${part.title} offset`);
      const infos = view.sub(start, view.u32(part.lenAt, `${part.title} length`), `${what}, ${part.title}`);
      for (const records of readPart(infos, btf, part)) {
        let section = sections.get(records.section);
        if (section === undefined) {
          section = { funcs: [], lines: [], relocations: [] };
          sections.set(records.section, section);
        }
        visit(section, records);
      }
    };

    each(FUNC_PART, (section, records) => readFuncInfos(records, section.funcs));
    each(LINE_PART, (section, records) => readLineInfos(records, section.lines));
    if (headerLength >= EXT_HEADER.sizeWithCoreRelo) {
      let count = 0;
      each(CORE_PART, (section, records) => {
        readCoreRelocations(records, section.relocations, count);
        count += records.count;
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
    const result = insns.slice();
    const infos = this.sections.get(section);
    if (infos === undefined) return result;

    const indexes = indexesBySlot(insns);
    // The metadata of each instruction that an info is about; an instruction is made anew once, with all of it.
    const changed: (Metadata | undefined)[] = new Array(insns.length);
    const set = <T>(key: MetadataKey<T>, insnIndex: number, value: T): void => {
      const index = indexes[insnIndex] ?? -1;
      if (index < 0) throw this.#misplaced(key, insnIndex, section, "no instruction starts there");
      const given = insns[index]!.metadata;
      const metadata = changed[index] ?? given;
      if (metadata !== given && metadata.get(key) !== given.get(key)) {
        throw this.#misplaced(key, insnIndex, section, "there is one already");
      }
      changed[index] = metadata.with(key, value);
    };
    for (const info of infos.funcs) set(FUNC_INFO, info.insnIndex, info.func);
    for (const info of infos.lines) set(SOURCE, info.insnIndex, info);
    for (const info of infos.relocations) set(CORE_RELOCATION, info.insnIndex, info.relocation);
    for (let index = 0; index < changed.length; index++) {
      const metadata = changed[index];
      if (metadata !== undefined) result[index] = insns[index]!.withMetadata(metadata);
    }
    return result;
  }

  #misplaced(key: MetadataKey<unknown>, insnIndex: number, section: string, problem: string): FormatError {
    const offset = insnIndex * SLOT_BYTES;
    return new FormatError(`${this.#what}: ${key.name} for byte ${offset} of section "${section}": ${problem}`);
  }
}

/** The index of the instruction that starts at each slot; -1 where none does. */
function indexesBySlot(insns: readonly Instruction[]): Int32Array {
  const indexes = new Int32Array(insns.length * 2).fill(-1);
  let slot = 0;
  for (let index = 0; index < insns.length; index++) {
    indexes[slot] = index;
    slot += insns[index]!.opcode === OPCODE.LD_IMM64 ? 2 : 1;
  }
  return indexes;
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

/** The records of a part, section by section: a record size, then per section a header and records. */
function* readPart(view: ByteView, btf: Btf, part: Part): Generator<Records> {
  if (view.length === 0) return;
  const size = view.u32(0, "record size");
  if (size < part.recordSize || size > MAX_RECORD_SIZE || size % 4 !== 0) {
    throw new FormatError(
      `${view.what}: record size ${size} is not a multiple of 4 from ${part.recordSize} to ${MAX_RECORD_SIZE}`,
    );
  }
  const { buffer, byteOffset, byteLength } = view.bytes;
  const data = new DataView(buffer, byteOffset, byteLength);
  for (let at = 4; at < view.length;) {
    const nameOff = view.u32(at + EXT_SECTION.nameOff, "section name");
    const section = within(`${view.what}: section at offset ${at}`, () => btf.string(nameOff));
    const count = view.u32(at + EXT_SECTION.count, "record count");
    if (count === 0) throw new FormatError(`${view.what}: section "${section}" at offset ${at} has no records`);
    const start = at + EXT_SECTION.size;
    view.check(start, count * size, `${count} records of section "${section}"`);
    const little = view.order === "little";
    yield { view: data, little, start, count, size, slot: SLOT_BYTES, btf, what: view.what, section };
    at = start + count * size;
  }
}
