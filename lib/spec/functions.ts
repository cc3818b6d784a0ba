/**
 * Where functions lie in an object: the symbols of its sections of instructions.
 *
 * @module
 */
import { Label } from "../asm/mod.ts";
import { type ElfFile, type ElfSymbol, type Section, sectionPlace, STT } from "../elf/mod.ts";
import { LinkError } from "../errors.ts";
import { isHidden } from "./datasec.ts";
import { TEXT_SECTION } from "./sections.ts";

/** Size of a slot of the instruction stream in bytes. */
export const SLOT = 8;

/** A function of an object file. */
export interface ObjectFunction {
  /** Its name and identity. */
  readonly label: Label;
  readonly section: Section;
  /** Offset of its first byte in the section. */
  readonly start: number;
  /** Offset behind its last byte. */
  readonly end: number;
  /** Seen by the linker only: the verifier treats it as static. */
  readonly hidden: boolean;
}

/** The functions of an object by place. */
export class FunctionTable {
  /** Functions of each section in ascending order; those that share a place are neighbours. */
  readonly #bySection: ReadonlyMap<number, readonly ObjectFunction[]>;

  /**
   * @param elf The object.
   * @param code Its sections of instructions.
   * @throws {LinkError} for functions that overlap, leave their section, are not aligned or empty, and for static ones
   * outside of `.text`.
   */
  constructor(elf: ElfFile, code: readonly Section[]) {
    const bySection = new Map<number, ObjectFunction[]>(code.map((section) => [section.index, []]));
    for (const symbol of elf.symbols) {
      if (symbol.type !== STT.FUNC || symbol.section === undefined) continue;
      bySection.get(symbol.sectionIndex)?.push(readFunction(symbol, symbol.section, elf.what));
    }
    for (const functions of bySection.values()) {
      functions.sort((a, b) => a.start - b.start);
      checkOverlap(functions, elf.what);
    }
    this.#bySection = bySection;
  }

  /** The functions of `section` in ascending order. */
  of(section: Section): readonly ObjectFunction[] {
    return this.#bySection.get(section.index) ?? [];
  }

  /** The function that starts at byte `offset` of `section`. */
  startingAt(section: Section, offset: number): ObjectFunction | undefined {
    const found = this.containing(section, offset);
    return found?.start === offset ? found : undefined;
  }

  /** The function that has byte `offset` of `section`; of several that share a place, the first. */
  containing(section: Section, offset: number): ObjectFunction | undefined {
    const functions = this.of(section);
    let low = 0;
    let high = functions.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (functions[middle]!.end <= offset) low = middle + 1;
      else high = middle;
    }
    const found = functions[low];
    return found !== undefined && found.start <= offset ? found : undefined;
  }
}

function readFunction(symbol: ElfSymbol, section: Section, what: string): ObjectFunction {
  const { name, value: start, size } = symbol;
  const place = `${what}: ${sectionPlace(section)}: function "${name}" at offset ${start}`;
  if (start % SLOT !== 0 || size === 0 || size % SLOT !== 0) {
    throw new LinkError(`${place} has ${size} bytes: functions are whole, aligned instructions of 8 bytes`);
  }
  if (start + size > section.size) {
    throw new LinkError(`${place} (${size} bytes) leaves its section of ${section.size} bytes`);
  }
  if (symbol.binding === "local" && section.name !== TEXT_SECTION) {
    throw new LinkError(`${place} is static: programs must be global, and static functions must not have a SEC()`);
  }
  const binding = symbol.binding === "weak" ? "weak" : symbol.binding === "local" ? "local" : "global";
  return { label: new Label(name, binding), section, start, end: start + size, hidden: isHidden(symbol) };
}

/** Aliases are whole: two names of one place. Anything else that shares instructions is corrupt. */
function checkOverlap(functions: readonly ObjectFunction[], what: string): void {
  let last: ObjectFunction | undefined;
  for (const current of functions) {
    if (last !== undefined && current.start < last.end && (current.start !== last.start || current.end !== last.end)) {
      throw new LinkError(
        `${what}: ${sectionPlace(current.section)}: function "${current.label.name}" at offset ${current.start} ` +
          `overlaps "${last.label.name}" (offsets ${last.start} to ${last.end})`,
      );
    }
    last = current;
  }
}
