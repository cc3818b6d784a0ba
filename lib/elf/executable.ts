/**
 * Programs and libraries: where in the file a function is, and where its separate debug file is.
 *
 * @module
 */
import { type ByteOrder, ByteView } from "../bytes.ts";
import { FormatError, UnsupportedError } from "../errors.ts";
import { ET, machineName, SHT } from "./constants.ts";
import { FunctionTable } from "./function_table.ts";
import { elfIdentity } from "./identify.ts";
import { readNotes } from "./notes.ts";
import { EHDR, readSections, type Section } from "./section.ts";
import { readSegments, type Segment } from "./segment.ts";
import { SymbolVersions } from "./symbol_versions.ts";

/** `NT_GNU_BUILD_ID` */
const NT_GNU_BUILD_ID = 3;

/** What `.gnu_debuglink` says of the separate debug file. */
export interface DebugLink {
  /** Its name, without folder. */
  readonly name: string;
  /** CRC-32 of its bytes. */
  readonly crc: number;
}

/** An ELF64 program or library. Nothing is copied: the bytes must not change while it is used. */
export class Executable {
  /** How errors call it. */
  readonly what: string;
  /** The file. */
  readonly bytes: Uint8Array;
  /** Byte order. */
  readonly order: ByteOrder;
  /** `EM.*`. */
  readonly machine: number;
  /** Is it loaded anywhere (a library or position-independent program), so that its addresses are relative. */
  readonly relocatable: boolean;
  /** Its sections; none if they were stripped. */
  readonly sections: readonly Section[];
  /** What of it is loaded, by address. */
  readonly segments: readonly Segment[];
  #dynamicFunctions: FunctionTable | undefined;
  #functions: FunctionTable | undefined;

  private constructor(view: ByteView) {
    this.what = view.what;
    this.bytes = view.bytes;
    this.order = view.order;
    this.machine = view.u16(EHDR.machine);
    this.relocatable = view.u16(EHDR.type) === ET.DYN;
    this.sections = readSections(view);
    this.segments = readSegments(view);
  }

  /**
   * Reads headers; symbols and notes are read when asked for.
   *
   * @param bytes The file.
   * @param what How errors call it.
   * @throws {FormatError} if it is no ELF file, no program or library, truncated or inconsistent.
   * @throws {UnsupportedError} if it is a 32-bit file.
   */
  static parse(bytes: Uint8Array, what = "ELF file"): Executable {
    const identity = elfIdentity(bytes);
    if (identity === undefined) throw new FormatError(`${what}: is not an ELF file, so no program or library`);
    const { order, wide, machine } = identity;
    if (!wide) {
      throw new UnsupportedError(
        "32-bit programs",
        `${what}: is a 32-bit program for ${machineName(machine)}: only 64-bit programs can be read`,
      );
    }
    const view = new ByteView(bytes, order, what);
    view.check(0, EHDR.size, "ELF header");
    const type = view.u16(EHDR.type);
    if (type !== ET.EXEC && type !== ET.DYN) {
      const kind = type === ET.REL
        ? "an object file"
        : type === ET.CORE
        ? "a core dump"
        : `an ELF file of type ${type}`;
      throw new FormatError(`${what}: is ${kind}, not a program or library`);
    }
    return new Executable(view);
  }

  /** Functions that the dynamic linker knows; `undefined` for a static program. */
  get dynamicFunctions(): FunctionTable | undefined {
    return this.#dynamicFunctions ??= this.#table(SHT.DYNSYM);
  }

  /** All functions; `undefined` if their names were stripped. */
  get functions(): FunctionTable | undefined {
    return this.#functions ??= this.#table(SHT.SYMTAB);
  }

  #table(type: number): FunctionTable | undefined {
    const { sections, order, what } = this;
    const section = sections.find((section) => section.type === type);
    if (section === undefined) return undefined;
    const versions = type === SHT.DYNSYM ? new SymbolVersions(sections, order, what) : undefined;
    return new FunctionTable(section, sections, order, what, versions);
  }

  /** The segment that holds an address. */
  segmentOf(address: number): Segment | undefined {
    return this.segments.find((segment) =>
      address >= segment.address && address < segment.address + segment.memorySize
    );
  }

  /** Where in the file an address is; `undefined` if it is not loaded from the file. */
  fileOffset(address: number): number | undefined {
    const segment = this.segmentOf(address);
    if (segment === undefined || address >= segment.address + segment.fileSize) return undefined;
    return address - segment.address + segment.offset;
  }

  /** The first section of that name. */
  section(name: string): Section | undefined {
    return this.sections.find((section) => section.name === name);
  }

  /** Its build id in hexadecimal digits; `undefined` without one. */
  get buildId(): string | undefined {
    for (const section of this.sections) {
      if (section.type !== SHT.NOTE) continue;
      for (const { name, type, descriptor } of readNotes(section, this.order, this.what)) {
        if (name === "GNU" && type === NT_GNU_BUILD_ID) return hex(descriptor);
      }
    }
    return undefined;
  }

  /** What it says of its separate debug file; `undefined` if it has none. */
  get debugLink(): DebugLink | undefined {
    const section = this.section(".gnu_debuglink");
    if (section === undefined) return undefined;
    const view = new ByteView(section.bytes(), this.order, `${this.what}: section ".gnu_debuglink"`);
    return { name: view.cString(0, "name of the debug file"), crc: view.u32(view.length - 4, "CRC of the debug file") };
  }
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
