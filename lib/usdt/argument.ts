/**
 * Arguments of a USDT probe, which its note describes in the words of the machine's assembler: `-4@%eax 8@-16(%rbp,%rax,8)`.
 *
 * Each is `SIZE@PLACE`. A negative size is of a signed integer. Places are constants, registers, and memory at the sum of a
 * register, a constant offset and (x86_64) another register times 1, 2, 4 or 8.
 *
 * @module
 */
import { FormatError, UnsupportedError } from "../errors.ts";
import { EM, machineName } from "../elf/mod.ts";
import { registerOffset } from "./register.ts";

/** Where the value of an argument is. Registers are offsets in bytes in `struct pt_regs`. */
export type UsdtLocation =
  | { readonly kind: "constant"; readonly value: bigint }
  | { readonly kind: "register"; readonly register: number }
  | { readonly kind: "memory"; readonly register: number; readonly offset: bigint }
  | {
    readonly kind: "indexed";
    readonly register: number;
    readonly offset: bigint;
    readonly index: number;
    readonly scale: number;
  };

/** An argument. */
export interface UsdtArgument {
  /** Size in bytes: 1, 2, 4, 8. */
  readonly size: number;
  /** Is it a signed integer. */
  readonly signed: boolean;
  /** Where it is. */
  readonly location: UsdtLocation;
}

/** A form of place, and how to read what its pattern found. */
interface Form {
  readonly pattern: RegExp;
  readonly location: (groups: Record<string, string | undefined>, register: (name: string) => number) => UsdtLocation;
}

const constant: Form["location"] = ({ number = "0" }) => ({ kind: "constant", value: integer(number) });
const inRegister: Form["location"] = ({ base = "" }, register) => ({ kind: "register", register: register(base) });
const inMemory: Form["location"] = ({ number = "0", base = "" }, register) => ({
  kind: "memory",
  register: register(base),
  offset: integer(number),
});

/** Patterns begin where the last one ended; `\s*` where assemblers put spaces. */
const NUMBER = String.raw`(?<number>[-+]?(?:0x[0-9a-fA-F]+|\d+))`;
const END = String.raw`(?=\s|$)`;
const form = (pattern: string, location: Form["location"]): Form => ({
  pattern: new RegExp(pattern + END, "y"),
  location,
});

const FORMS: ReadonlyMap<number, readonly Form[]> = new Map([
  [EM.X86_64, [
    form(String.raw`\$${NUMBER}`, constant),
    form(String.raw`%(?<base>\w+)`, inRegister),
    form(String.raw`${NUMBER}?\(\s*%(?<base>\w+)\s*\)`, inMemory),
    form(
      String.raw`${NUMBER}?\(\s*%(?<base>\w+)\s*,\s*%(?<index>\w+)\s*(?:,\s*(?<scale>\d+)\s*)?\)`,
      indexed,
    ),
  ]],
  [EM.AARCH64, [
    form(NUMBER, constant),
    form(String.raw`[xw]zr`, () => ({ kind: "constant", value: 0n })),
    form(String.raw`(?<base>[a-z]\w*)`, inRegister),
    form(String.raw`\[\s*(?<base>\w+)\s*(?:,\s*#?${NUMBER}\s*)?\]`, inMemory),
  ]],
]);

function indexed(groups: Record<string, string | undefined>, register: (name: string) => number): UsdtLocation {
  const { number = "0", base = "", index = "", scale = "1" } = groups;
  if (!["1", "2", "4", "8"].includes(scale)) throw new FormatError(`the scale is ${scale}, not 1, 2, 4 or 8`);
  return {
    kind: "indexed",
    register: register(base),
    offset: integer(number),
    index: register(index),
    scale: Number(scale),
  };
}

function integer(text: string): bigint {
  const magnitude = BigInt(text.replace(/^[-+]/, ""));
  return text.startsWith("-") ? -magnitude : magnitude;
}

const SIZE = /\s*(-?\d+)@/y;

/**
 * The arguments that a note describes.
 *
 * @param text `-4@%edi 8@(%rsp)`; empty for none.
 * @param machine `EM.*`: x86_64 and AArch64 are known.
 * @param what How errors call the probe.
 * @throws {FormatError} if an argument has another size, or a place that is none.
 * @throws {UnsupportedError} if an argument is where programs cannot read it: a floating-point register, memory that is named by
 * a symbol; or if the machine is not known.
 */
export function parseUsdtArguments(text: string, machine: number, what: string): UsdtArgument[] {
  const forms = FORMS.get(machine);
  if (forms === undefined) {
    throw new UnsupportedError(
      `USDT arguments of ${machineName(machine)}`,
      `${what}: arguments of ${machineName(machine)} cannot be read, only those of x86-64 and AArch64`,
    );
  }
  const found: UsdtArgument[] = [];
  for (let at = 0; at < text.trimEnd().length;) {
    const place = `${what}: argument ${found.length} ("${text.slice(at).trim()}")`;
    SIZE.lastIndex = at;
    const size = Number(SIZE.exec(text)?.[1] ?? NaN);
    if (![1, 2, 4, 8].includes(Math.abs(size))) {
      throw new FormatError(
        `${place}: does not begin with its size, one of 1@ 2@ 4@ 8@ or, if signed, -1@ -2@ -4@ -8@`,
      );
    }
    const start = SIZE.lastIndex;
    const { location, end } = parsePlace(text, start, forms, machine, place);
    found.push({ size: Math.abs(size), signed: size < 0, location });
    at = end;
  }
  return found;
}

function parsePlace(
  text: string,
  start: number,
  forms: readonly Form[],
  machine: number,
  place: string,
): { location: UsdtLocation; end: number } {
  const register = (name: string): number => {
    const offset = registerOffset(machine, name);
    if (offset !== undefined) return offset;
    throw new UnsupportedError(
      `the register ${name}`,
      `${place}: is in register "${name}", which programs cannot read: only general registers of ${
        machineName(machine)
      } are kept for them`,
    );
  };
  for (const { pattern, location } of forms) {
    pattern.lastIndex = start;
    const match = pattern.exec(text);
    if (match === null) continue;
    try {
      return { location: location(match.groups ?? {}, register), end: pattern.lastIndex };
    } catch (error) {
      throw error instanceof FormatError ? new FormatError(`${place}: ${error.message}`) : error;
    }
  }
  if (machine === EM.X86_64 && /\S*\(%rip\)/y.test(text.slice(start))) {
    throw new UnsupportedError("USDT arguments in named memory", `${place}: is in memory that only a symbol names`);
  }
  throw new FormatError(`${place}: is in no place that is known: constant, register or memory at a register`);
}
