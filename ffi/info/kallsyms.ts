/**
 * The kernel's symbols by name: /proc/kallsyms. By address: `KernelSymbols`.
 *
 * A line: 16 digits of the address (4 to 8 on 32 bits), a space, a letter as nm(1) writes it, a space, the name, and for a
 * module's symbol a tab and `[module]`. Whoever may not see addresses sees zeros (`kernel.kptr_restrict`, CAP_SYSLOG).
 *
 * @module
 */
import { eachLine } from "./lines.ts";

const KALLSYMS = "/proc/kallsyms";
const [TAB, SPACE] = [9, 32];

/** A symbol of the kernel or of a module. */
export interface KernelSymbol {
  /** Its name: `do_unlinkat`, `foo.isra.0`. */
  readonly name: string;
  /** Where it is; 0 for those who may not know. */
  readonly address: bigint;
  /** As nm(1) has it: `t` and `T` for functions (`W` and `w` for weak ones), `d`, `D`, `b`, `B`, `r`, `R`, ... for data. */
  readonly type: string;
  /** The module that it belongs to; `undefined` for the kernel itself. */
  readonly module: string | undefined;
}

/** Options of {@linkcode findKernelSymbols}. */
export interface KernelSymbolOptions {
  /** The file to read; /proc/kallsyms by default. */
  readonly path?: string | undefined;
}

/** Options of {@linkcode selectKernelSymbols}. */
export interface SelectKernelSymbolsOptions extends KernelSymbolOptions {
  /**
   * Whether a name, which is those bytes, may be wanted: of names that are not no text is made, which takes most of the time.
   */
  readonly mayBe?: ((bytes: Uint8Array, start: number, end: number) => boolean) | undefined;
}

/**
 * Looks symbols up by their names, all of them in one pass through the file, which is never in memory as a whole.
 *
 * @param names Whole names.
 * @returns Symbols by name, in the order of the file: several where the kernel has several of one name; names that are not
 * there are left out.
 * @throws {SyscallError} if /proc is not mounted.
 */
export function findKernelSymbols(
  names: Iterable<string>,
  options: KernelSymbolOptions = {},
): Map<string, KernelSymbol[]> {
  const wanted = new Set(names);
  const found = new Map<string, KernelSymbol[]>();
  if (wanted.size === 0) return found;
  // Text is made only of names that hash to the same number as a wanted one.
  const hashes = new Set([...wanted].map((name) => hashOf(new TextEncoder().encode(name), 0)));
  eachLine(options.path ?? KALLSYMS, (bytes, start, end) => {
    const nameAt = nameStart(bytes, start);
    if (!hashes.has(hashOf(bytes, nameAt, end))) return;
    const symbol = symbolOf(bytes, start, nameAt, end);
    if (!wanted.has(symbol.name)) return;
    const others = found.get(symbol.name);
    if (others === undefined) found.set(symbol.name, [symbol]);
    else others.push(symbol);
  });
  return found;
}

/**
 * The symbols whose names a predicate picks, in the order of the file.
 *
 * @param pick Whether a symbol of that name, type and module is wanted.
 * @throws {SyscallError} if /proc is not mounted.
 */
export function selectKernelSymbols(
  pick: (name: string, type: string) => boolean,
  options: SelectKernelSymbolsOptions = {},
): KernelSymbol[] {
  const { path = KALLSYMS, mayBe } = options;
  const found: KernelSymbol[] = [];
  eachLine(path, (bytes, start, end) => {
    const nameAt = nameStart(bytes, start);
    const nameEndAt = nameEnd(bytes, nameAt, end);
    if (mayBe !== undefined && !mayBe(bytes, nameAt, nameEndAt)) return;
    const type = String.fromCharCode(bytes[nameAt - 2]!);
    if (pick(textOf(bytes, nameAt, nameEndAt), type)) found.push(symbolOf(bytes, start, nameAt, end));
  });
  return found;
}

/** After the address, a space, a letter and a space. */
function nameStart(bytes: Uint8Array, start: number): number {
  return bytes.indexOf(SPACE, start) + 3;
}

function nameEnd(bytes: Uint8Array, nameAt: number, end: number): number {
  let at = nameAt;
  while (at < end && bytes[at] !== TAB) at++;
  return at;
}

/** FNV-1a over a name, which ends with a tab or at `end`. */
function hashOf(bytes: Uint8Array, from: number, end: number = bytes.length): number {
  let hash = 0x811c9dc5 | 0;
  for (let at = from; at < end && bytes[at] !== TAB; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
  return hash;
}

function symbolOf(bytes: Uint8Array<ArrayBuffer>, start: number, nameAt: number, end: number): KernelSymbol {
  const nameEndAt = nameEnd(bytes, nameAt, end);
  const rest = textOf(bytes, nameEndAt, end).trim();
  return {
    name: textOf(bytes, nameAt, nameEndAt),
    address: BigInt(`0x${textOf(bytes, start, nameAt - 3)}`),
    type: String.fromCharCode(bytes[nameAt - 2]!),
    module: rest === "" ? undefined : rest.replace(/^\[|\]$/g, ""),
  };
}

const decoder = new TextDecoder();

function textOf(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): string {
  return decoder.decode(bytes.subarray(start, end));
}
