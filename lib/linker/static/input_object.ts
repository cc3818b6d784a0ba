/**
 * An object that is linked into another: what of it goes on, and what its BTF says of its global symbols.
 *
 * @module
 */
import { Btf, type DatasecType, type FuncType, type VarType } from "../../btf/reading/mod.ts";
import {
  assertBpfObject,
  BTF_EXT_SECTION,
  BTF_SECTION,
  ElfFile,
  type Section,
  sectionPlace,
  SHF,
  SHT,
} from "../../elf/mod.ts";
import { FormatError, LinkError, UnsupportedError } from "../../errors.ts";
import { BtfKind } from "../../uapi/mod.ts";

/** An object file to be linked. */
export interface ObjectFile {
  /** Its name or path: errors show it. */
  readonly name: string;
  /** Its bytes; must not change meanwhile. */
  readonly bytes: Uint8Array;
}

/** What BTF says of a variable or function that is not static. */
export interface Declaration {
  /** The `BTF_KIND_VAR` or `BTF_KIND_FUNC`. */
  readonly type: VarType | FuncType;
  /** Name of the `BTF_KIND_DATASEC` that lists it; empty without one. */
  readonly section: string;
}

/** Size of an instruction's slot in bytes. */
const SLOT = 8;

/** The section of functions that programs call. */
const TEXT = ".text";

/** An object file, read as far as linking needs it. */
export class InputObject {
  /** How errors call it: `object "a.o"`. */
  readonly what: string;
  readonly elf: ElfFile;
  readonly btf: Btf | undefined;
  readonly btfExt: Uint8Array | undefined;
  /** Sections of code and data that become part of the output, in the order of the file. */
  readonly sections: readonly Section[];
  /** The sections of variables and functions in BTF. */
  readonly datasecs: readonly DatasecType[];
  /** Global and extern variables and functions by name. */
  readonly declarations: ReadonlyMap<string, Declaration>;

  /**
   * Reads an object.
   *
   * @throws {FormatError} if it is not a BPF object, or is malformed.
   * @throws {UnsupportedError} if it has sections that cannot be linked.
   */
  constructor({ name, bytes }: ObjectFile) {
    this.what = `object "${name}"`;
    this.elf = ElfFile.parse(bytes, this.what);
    assertBpfObject(this.elf);
    this.sections = this.elf.sections.filter((section) => isLinked(section, this.elf));
    const btf = this.elf.section(BTF_SECTION);
    this.btf = btf === undefined || btf.size === 0
      ? undefined
      : Btf.parse(btf.bytes(), { what: `${this.what}: section "${BTF_SECTION}"` });
    if (this.btf !== undefined && this.btf.order !== this.elf.order) {
      throw new FormatError(`${this.btf.what}: is ${this.btf.order}-endian in a file that is ${this.elf.order}-endian`);
    }
    const btfExt = this.elf.section(BTF_EXT_SECTION);
    this.btfExt = this.btf === undefined || btfExt === undefined || btfExt.size === 0 ? undefined : btfExt.bytes();
    const { datasecs, declarations } = readDeclarations(this.btf);
    this.datasecs = datasecs;
    this.declarations = declarations;
  }

  /**
   * The section of that name that is linked; `undefined` without one.
   *
   * @throws {LinkError} if there are several: what BTF says of one cannot be told from what it says of another.
   */
  section(name: string): Section | undefined {
    const [first, second] = this.sections.filter((section) => section.name === name);
    if (second !== undefined) throw new LinkError(`${this.what}: two sections are named "${name}"`);
    return first;
  }
}

/**
 * Whether a section becomes part of the output. Names, symbols, relocations and BTF are written anew; DWARF is left out.
 *
 * @throws {FormatError} if the section cannot be what it says.
 * @throws {UnsupportedError} if it means something, but nobody knows what when objects are joined.
 */
function isLinked(section: Section, elf: ElfFile): boolean {
  const place = `${elf.what}: ${sectionPlace(section)}`;
  const { name, type, size, alignment } = section;
  switch (type) {
    case SHT.NULL:
    case SHT.SYMTAB:
    case SHT.SYMTAB_SHNDX:
    case SHT.STRTAB:
    case SHT.REL:
    case SHT.LLVM_ADDRSIG:
      return false;
    case SHT.PROGBITS:
    case SHT.NOBITS:
      break;
    case SHT.RELA: {
      const target = elf.sections[section.info];
      if (target !== undefined && isDebug(target.name)) return false;
      throw new UnsupportedError(
        "RELA relocations",
        `${place}: RELA relocations are not supported: clang and gcc emit REL for BPF`,
      );
    }
    default:
      throw new UnsupportedError(`sections of type ${type}`, `${place}: a section of type ${type} can't be linked`);
  }
  if (isDebug(name) || name === BTF_SECTION || name === BTF_EXT_SECTION) return false;
  // Without functions, clang leaves an empty one.
  if (name === TEXT && size === 0) return false;
  if (alignment !== 0 && !Number.isInteger(Math.log2(alignment))) {
    throw new FormatError(`${place}: its alignment of ${alignment} is not a power of two`);
  }
  if (isCode(section) && (size % SLOT !== 0 || type === SHT.NOBITS)) {
    throw new FormatError(`${place}: its ${size} bytes are not whole instructions of ${SLOT} bytes`);
  }
  return true;
}

function isDebug(name: string): boolean {
  return name.startsWith(".debug_");
}

/** Does a section hold instructions. */
export function isCode(section: { readonly flags: number }): boolean {
  return (section.flags & SHF.EXECINSTR) !== 0;
}

/** Only what is asked for is decoded: most types are something else. */
function readDeclarations(btf: Btf | undefined): Pick<InputObject, "datasecs" | "declarations"> {
  const datasecs: DatasecType[] = [];
  const declared: (VarType | FuncType)[] = [];
  for (const id of btf?.ownIdsOf(BtfKind.Var, BtfKind.Func, BtfKind.Datasec) ?? []) {
    const type = btf!.type(id);
    if (type.kind === BtfKind.Datasec) datasecs.push(type);
    else if ((type.kind === BtfKind.Var || type.kind === BtfKind.Func) && type.linkage !== "static") {
      declared.push(type);
    }
  }
  const sections = new Map<number, string>();
  for (const { name, entries } of datasecs) for (const { type } of entries) sections.set(type.id, name);
  const declarations = new Map<string, Declaration>();
  for (const type of declared) {
    const known = declarations.get(type.name);
    // A declaration that a definition follows leaves both.
    if (known !== undefined && type.linkage === "extern") continue;
    declarations.set(type.name, { type, section: sections.get(type.id) ?? "" });
  }
  return { datasecs, declarations };
}
