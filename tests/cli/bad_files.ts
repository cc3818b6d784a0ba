/**
 * Files that are no sound BPF objects, made of a sound one.
 *
 * @module
 */
import { ElfFile } from "../../lib/elf/mod.ts";
import { testdata } from "../support/mod.ts";

/** A bad file, and what has to be said about it. */
export interface BadFile {
  /** Its name, which messages begin with. */
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The place and what to do, or what is wrong with it. */
  readonly message: RegExp;
}

/** Fields of `Elf64_Ehdr` and `Elf64_Shdr` (System V ABI). */
const EHDR = { class: 4, type: 16, machine: 18, shoff: 40, phnum: 56 } as const;
const SHDR = { offset: 24, fileSize: 32, bytes: 64 } as const;
const EM_X86_64 = 62;
const ET_EXEC = 2;

/** A small sound object. */
export function soundObject(): Uint8Array<ArrayBuffer> {
  return testdata("clang19/truth_tail_call.bpf.o");
}

/** A copy of the sound object that `edit` changed. */
export function edited(edit: (view: DataView<ArrayBuffer>) => void): Uint8Array<ArrayBuffer> {
  const bytes = soundObject().slice();
  edit(new DataView(bytes.buffer));
  return bytes;
}

/** Where the header of the section `name` is in the sound object. */
export function headerOf(name: string): number {
  const bytes = soundObject();
  const index = ElfFile.parse(bytes).section(name)!.index;
  return Number(new DataView(bytes.buffer).getBigUint64(EHDR.shoff, true)) + index * SHDR.bytes;
}

/** A copy whose section `name` is said to be at `offset`, or to have `size` bytes. */
function moved(name: string, { offset, size }: { offset?: bigint; size?: bigint }): Uint8Array<ArrayBuffer> {
  const at = headerOf(name);
  return edited((view) => {
    if (offset !== undefined) view.setBigUint64(at + SHDR.offset, offset, true);
    if (size !== undefined) view.setBigUint64(at + SHDR.fileSize, size, true);
  });
}

/** All of them. */
export function badFiles(): BadFile[] {
  const sound = soundObject();
  const text = new TextEncoder().encode("int main(void) { return 0; }\n");
  return [
    { name: "empty.o", bytes: new Uint8Array(0), message: /"empty\.o": is empty: compile with clang -target bpf/ },
    {
      name: "text.c",
      bytes: text,
      message: /"text\.c": is not an ELF file .*: compile C source with clang -target bpf/,
    },
    {
      name: "class32.o",
      bytes: edited((view) => view.setUint8(EHDR.class, 1)),
      message: /"class32\.o": is a 32-bit ELF file for BPF, .*compile with clang -target bpf/,
    },
    {
      name: "x86.o",
      bytes: edited((view) => view.setUint16(EHDR.machine, EM_X86_64, true)),
      message: /"x86\.o": is an object for x86-64, not a BPF object: compile with clang -target bpf/,
    },
    {
      name: "linked",
      bytes: edited((view) => view.setUint16(EHDR.type, ET_EXEC, true)),
      message: /"linked": is an executable for BPF, not a relocatable .*-c, without linking/,
    },
    {
      name: "cut_10.o",
      bytes: sound.slice(0, 10),
      message: /"cut_10\.o": is truncated: its 10 bytes do not hold an ELF header/,
    },
    { name: "cut_100.o", bytes: sound.slice(0, 100), message: /"cut_100\.o": .* lies outside its 100 bytes/ },
    { name: "cut_2500.o", bytes: sound.slice(0, 2500), message: /"cut_2500\.o": .* lies outside its 2500 bytes/ },
    {
      name: "headers_outside.o",
      bytes: edited((view) => view.setBigUint64(EHDR.shoff, 1n << 50n, true)),
      message: /"headers_outside\.o": section header 0 at offset 1125899906842624 .* lies outside its \d+ bytes/,
    },
    {
      name: "code_outside.o",
      bytes: moved("raw_tp", { offset: 1n << 40n }),
      message: /"code_outside\.o": section "raw_tp" .*outside/,
    },
    {
      name: "code_wraps.o",
      bytes: moved("raw_tp", { offset: 0xffff_ffff_ffff_fff0n }),
      message: /"code_wraps\.o": section "raw_tp" .*outside/,
    },
    {
      name: "btf_too_long.o",
      bytes: moved(".BTF", { size: 1n << 31n }),
      message: /"btf_too_long\.o": section "\.BTF" .*outside/,
    },
    {
      name: "symbols_outside.o",
      bytes: moved(".symtab", { offset: 1n << 33n }),
      message: /"symbols_outside\.o": section "\.symtab" .*outside/,
    },
  ];
}

/** Writes them into a folder. */
export async function writeBadFiles(folder: string): Promise<(BadFile & { readonly path: string })[]> {
  const files = badFiles().map((file) => ({ ...file, path: `${folder}/${file.name}` }));
  for (const { path, bytes } of files) await Deno.writeFile(path, bytes);
  return files;
}
