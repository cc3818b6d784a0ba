/**
 * Addresses of the running kernel's symbols by name, out of /proc/kallsyms: 16 digits (8 on 32 bits), a letter as nm(1) has
 * it, the name, and for a module's symbol a tab and `[module]`.
 *
 * @module
 */
import type { KernelAddresses } from "../../lib/linker/mod.ts";
import { open, read } from "../sys/mod.ts";

const KALLSYMS = "/proc/kallsyms";
/** A function of every kernel, which lies at no address 0. */
const WITNESS = "schedule";
/** What link-time optimization appends to names of data that was static: `name.llvm.1234`. */
const LLVM = ".llvm.";
/** Lines that are looked at together. */
const BLOCK_BYTES = 1 << 20;

/** Options of {@linkcode kernelAddresses}. */
export interface KernelAddressesOptions {
  /** The file to read; /proc/kallsyms by default. */
  readonly path?: string | undefined;
}

/**
 * Addresses of symbols, those of modules included.
 *
 * @param names Whole names, or of data what is before `.llvm.`.
 * @throws {SyscallError} if /proc is not mounted.
 */
export function kernelAddresses(names: ReadonlySet<string>, options: KernelAddressesOptions = {}): KernelAddresses {
  const found = new Map<string, Set<bigint>>();
  const wanted = new Set([...names, WITNESS]);
  eachBlock(options.path ?? KALLSYMS, (text) => {
    for (const name of wanted) search(text, name, found);
  });
  const witness = [...found.get(WITNESS) ?? []];
  const byName = new Map<string, bigint[]>();
  for (const name of names) if (found.has(name)) byName.set(name, [...found.get(name)!]);
  return { byName, hidden: witness.length > 0 && witness.every((address) => address === 0n) };
}

/** Searches whole blocks for each name: an engine does that far faster than this could go through the lines. */
function search(text: string, name: string, found: Map<string, Set<bigint>>): void {
  const needle = ` ${name}`;
  for (let at = text.indexOf(needle); at >= 0; at = text.indexOf(needle, at + 1)) {
    const end = at + needle.length;
    const next = text[end];
    const renamed = text[at - 1] === "d" && text.startsWith(LLVM, end);
    if (next !== "\n" && next !== "\t" && !renamed) continue;
    const start = text.lastIndexOf("\n", at) + 1;
    const address = BigInt(`0x${text.slice(start, text.indexOf(" ", start))}`);
    found.set(name, (found.get(name) ?? new Set()).add(address));
  }
}

/** Visits the file in blocks of whole lines. */
function eachBlock(path: string, visit: (text: string) => void): void {
  using fd = open(path);
  const decoder = new TextDecoder("latin1");
  const buffer = new Uint8Array(BLOCK_BYTES);
  let rest = "";
  for (let length = 0;;) {
    const count = read(fd.value, buffer.subarray(length)) ?? 0;
    length += count;
    if (count > 0 && length < buffer.length) continue;
    const text = rest + decoder.decode(buffer.subarray(0, length));
    length = 0;
    if (count === 0) return visit(`${text}\n`);
    const newline = text.lastIndexOf("\n") + 1;
    visit(text.slice(0, newline));
    rest = text.slice(newline);
  }
}
