/** Objects to be linked: parts that clang made, and parts made by hand. */
import { Instruction, OPCODE } from "../../../../lib/asm/mod.ts";
import { Btf, type BtfType, type DatasecType } from "../../../../lib/btf/mod.ts";
import { ElfFile, type ElfSymbol } from "../../../../lib/elf/mod.ts";
import { linkObjects, type ObjectFile } from "../../../../lib/linker/static/mod.ts";
import { BtfKind } from "../../../../lib/uapi/mod.ts";
import { testdata } from "../../../support/mod.ts";
import { btfBytes } from "../../spec/btf_object.ts";
import { buildObject, type TestRelocation, type TestSection, type TestSymbol } from "../../spec/object_builder.ts";

/** `r0 = 0; exit`, and its parts. */
export const MOV = Instruction.of({ opcode: 0xb7, imm: 0 });
export const EXIT = Instruction.of({ opcode: OPCODE.EXIT });

/** A part that clang made. */
export function part(compiler: string, name: string): ObjectFile {
  return { name: `${name}.o`, bytes: testdata(`${compiler}/link/${name}.bpf.o`) };
}

/** Parts that clang made. */
export function parts(compiler: string, ...names: string[]): ObjectFile[] {
  return names.map((name) => part(compiler, name));
}

/** What a part is made of by hand. */
export interface Part {
  sections?: TestSection[];
  symbols?: TestSymbol[];
  relocations?: TestRelocation[];
  types?: BtfType[];
}

/** A part made by hand. */
export function made(name: string, { sections = [], symbols = [], relocations = [], types }: Part): ObjectFile {
  const btf = types === undefined ? [] : [{ name: ".BTF", flags: 0, bytes: btfBytes(types) }];
  return { name, bytes: buildObject([...sections, ...btf], symbols, relocations) };
}

/** A linked object, read again. */
export class Linked {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly elf: ElfFile;
  readonly btf: Btf | undefined;

  constructor(objects: readonly ObjectFile[]) {
    this.bytes = linkObjects(objects);
    this.elf = ElfFile.parse(this.bytes, "linked");
    const section = this.elf.section(".BTF");
    this.btf = section === undefined ? undefined : Btf.parse(section.bytes());
  }

  /** The only symbol of that name. */
  symbol(name: string): ElfSymbol {
    const [symbol, second] = this.elf.symbols.filter((symbol) => symbol.name === name);
    if (symbol === undefined || second !== undefined) throw new Error(`not one symbol "${name}"`);
    return symbol;
  }

  /** The bytes of a section. */
  section(name: string): Uint8Array {
    return this.elf.section(name)!.bytes();
  }

  /** `name@offset+size`, and the linkage of what a section in BTF lists. */
  datasec(name: string): string[] {
    const datasec = this.btf?.find(name, BtfKind.Datasec) as DatasecType | undefined;
    return (datasec?.entries ?? []).map(({ type, offset, size }) =>
      `${"linkage" in type ? type.linkage : ""} ${type.name}@${offset}+${size}`
    );
  }
}
