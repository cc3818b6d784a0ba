/**
 * Names of kernel functions by address: /proc/kallsyms.
 *
 * @module
 */
import * as sys from "../sys/mod.ts";

/** A line: 16 digits, a space, a letter, a space, the name, and for a module's symbol a tab and `[module]`. */
const NAME_AT = 19;
const LOW_DIGITS_AT = 8;
const [NEWLINE, TAB] = [10, 9];
/** What calls of helpers and kernel functions in translated instructions are relative to (kernel/bpf/core.c). */
const CALL_BASE: Uint8Array = new TextEncoder().encode("__bpf_call_base");

/** The kernel's symbols, of which there are 150,000 and more: searched as bytes. */
export class KernelSymbols {
  readonly #text: Uint8Array;

  /**
   * Takes the text as it is.
   *
   * @param text Lines of addresses of 16 digits, types and names.
   */
  constructor(text: Uint8Array) {
    this.#text = text;
  }

  /**
   * Reads the kernel's symbols. Without CAP_SYSLOG, or with `kernel.kptr_restrict` 2, the kernel shows only zeros for addresses:
   * nothing is found then.
   *
   * @throws {sys.SyscallError} if /proc is not mounted.
   */
  static read(): KernelSymbols {
    return new KernelSymbols(sys.readFile("/proc/kallsyms"));
  }

  /** The address of `__bpf_call_base`; `undefined` if it is not shown. */
  callBase(): bigint | undefined {
    const text = this.#text;
    for (let start = 0; start < text.length;) {
      const end = this.#lineEnd(start);
      if (
        end - start === NAME_AT + CALL_BASE.length && CALL_BASE.every((byte, i) => text[start + NAME_AT + i] === byte)
      ) {
        return this.#address(start) || undefined;
      }
      start = end + 1;
    }
    return undefined;
  }

  /**
   * Names of the symbols at `addresses`, the first where there are several.
   *
   * @param addresses Addresses at which functions begin.
   */
  names(addresses: ReadonlySet<bigint>): Map<bigint, string> {
    const names = new Map<bigint, string>();
    if (addresses.size === 0) return names;
    // Half an address is compared first: a number, where the whole would be a new bigint for each line.
    const lowHalves = new Set([...addresses].map((address) => Number(address & 0xffff_ffffn) | 0));
    for (let start = 0; start < this.#text.length && names.size < addresses.size;) {
      const end = this.#lineEnd(start);
      if (lowHalves.has(this.#lowHalf(start))) {
        const address = this.#address(start);
        if (addresses.has(address) && !names.has(address)) names.set(address, this.#name(start, end));
      }
      start = end + 1;
    }
    return names;
  }

  #lineEnd(start: number): number {
    const end = this.#text.indexOf(NEWLINE, start);
    return end < 0 ? this.#text.length : end;
  }

  #lowHalf(start: number): number {
    let half = 0;
    for (let at = start + LOW_DIGITS_AT; at < start + 2 * LOW_DIGITS_AT; at++) {
      const code = this.#text[at]!;
      half = half << 4 | (code < 0x3a ? code - 0x30 : code - 0x57);
    }
    return half;
  }

  #address(start: number): bigint {
    return BigInt(`0x${this.#decode(start, start + 2 * LOW_DIGITS_AT)}`);
  }

  #name(start: number, end: number): string {
    const tab = this.#text.subarray(start, end).indexOf(TAB);
    return this.#decode(start + NAME_AT, tab < 0 ? end : start + tab);
  }

  #decode(start: number, end: number): string {
    return new TextDecoder().decode(this.#text.subarray(start, end));
  }
}
