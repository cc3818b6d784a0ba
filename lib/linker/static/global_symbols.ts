/**
 * Which definition each global symbol means.
 *
 * A strong definition wins over weak ones, the first weak one over later ones, and any definition over externs. The order
 * of the objects does not matter otherwise: all of them are looked at before anything is decided. Facts: System V gABI,
 * and which objects libbpf 1.7 links.
 *
 * @module
 */
import { type ElfSymbol, SHN, STB, STT, STV } from "../../elf/mod.ts";
import { LinkError } from "../../errors.ts";
import { checkAgreement } from "./agreement.ts";
import type { Declaration, InputObject } from "./input_object.ts";
import type { OutputSections } from "./output_sections.ts";

/** A global symbol of one object. */
export interface Candidate {
  readonly input: InputObject;
  readonly symbol: ElfSymbol;
  /** What BTF says about it; `undefined` if it says nothing. */
  readonly declaration: Declaration | undefined;
}

/** A global symbol of the output. */
export interface GlobalSymbol {
  readonly name: string;
  /** All of its name, in the order of the objects. */
  readonly candidates: readonly Candidate[];
  /** What it means; for a symbol that nothing defines, the extern that says the most about it. */
  readonly chosen: Candidate;
  /** Is it defined by an object that is linked. */
  readonly defined: boolean;
  /** `STB.GLOBAL` or `STB.WEAK`. */
  readonly binding: number;
  /** `STV.*`: the strictest. */
  readonly visibility: number;
}

/** Sections of variables and functions that the kernel defines; no object does. */
const KERNEL_SECTIONS: ReadonlySet<string> = new Set([".ksyms", ".kconfig"]);

/** Tables that clang makes for itself: their names are those of any other object's. */
const JUMP_TABLES = ".jumptables";

/** From the least to the most strict. */
const STRICTNESS: readonly number[] = [STV.DEFAULT, STV.PROTECTED, STV.HIDDEN, STV.INTERNAL];

/** Is it a symbol that other objects see. */
export function isGlobal(symbol: ElfSymbol): boolean {
  return symbol.index !== 0 && symbol.binding !== "local" && symbol.section?.name !== JUMP_TABLES;
}

/**
 * The global symbols of all objects by name, in the order in which they come up.
 *
 * @throws {LinkError} if two objects define one, or say different things of it.
 */
export function resolveGlobals(inputs: readonly InputObject[], sections: OutputSections): Map<string, GlobalSymbol> {
  const candidates = new Map<string, Candidate[]>();
  for (const input of inputs) {
    for (const symbol of input.elf.symbols) {
      if (!isGlobal(symbol) || !isLinked(symbol, input, sections)) continue;
      const candidate = { input, symbol, declaration: input.declarations.get(symbol.name) };
      const others = candidates.get(symbol.name);
      if (others === undefined) candidates.set(symbol.name, [candidate]);
      else others.push(candidate);
    }
  }
  return new Map([...candidates].map(([name, all]) => [name, resolve(name, all)]));
}

/** A symbol of a section that is left out is left out with it. */
function isLinked(symbol: ElfSymbol, input: InputObject, sections: OutputSections): boolean {
  checkSymbol(symbol, input);
  if (symbol.section === undefined) return true;
  const piece = sections.pieceOf(symbol.section);
  return piece !== undefined && !piece.duplicate;
}

function checkSymbol(symbol: ElfSymbol, { what }: InputObject): void {
  const place = `${what}: symbol "${symbol.name}"`;
  if (symbol.binding === "other") {
    throw new LinkError(`${place}: its binding ${symbol.rawBinding} is neither local, global nor weak`);
  }
  if (symbol.name === "") throw new LinkError(`${place}: symbol ${symbol.index} is global, but has no name`);
  if (symbol.sectionIndex === SHN.COMMON) {
    throw new LinkError(`${place} lies in no section: initialize the variable, or compile with -fno-common`);
  }
  if (symbol.section === undefined && symbol.sectionIndex !== SHN.UNDEF) {
    throw new LinkError(`${place} lies in section 0x${symbol.sectionIndex.toString(16)}, which is none`);
  }
  if (symbol.section === undefined && (symbol.type !== STT.NOTYPE || symbol.value !== 0)) {
    throw new LinkError(`${place} is undefined, but has a type or value`);
  }
}

function isDefined({ symbol }: Candidate): boolean {
  return symbol.section !== undefined;
}

function resolve(name: string, candidates: readonly Candidate[]): GlobalSymbol {
  const definitions = candidates.filter(isDefined);
  const [strong, second] = definitions.filter(({ symbol }) => symbol.binding === "global");
  if (strong !== undefined && second !== undefined) {
    throw new LinkError(
      `${second.input.what}: defines "${name}" (${placeOf(second)}), which ${strong.input.what} defines too (${
        placeOf(strong)
      }): make one of them static or __weak`,
    );
  }
  const definition = strong ?? definitions[0];
  // Any strong reference makes an extern strong; a definition stays what it is, or a strong one could not come later.
  const deciding = definition === undefined ? candidates : [definition];
  const chosen = definition ?? candidates.find(({ declaration }) => declaration?.section) ?? candidates[0]!;
  checkKernelSections(name, candidates, definition);
  for (const candidate of candidates) if (candidate !== chosen) checkAgreement(name, chosen, candidate);
  return {
    name,
    candidates,
    chosen,
    defined: definition !== undefined,
    binding: deciding.some(({ symbol }) => symbol.binding === "global") ? STB.GLOBAL : STB.WEAK,
    visibility: strictest(candidates),
  };
}

function placeOf({ symbol }: Candidate): string {
  return `section "${symbol.section?.name}"`;
}

/**
 * Fails if one object expects something of the kernel that another defines, or from another place.
 *
 * @throws {LinkError} naming both.
 */
function checkKernelSections(name: string, candidates: readonly Candidate[], definition: Candidate | undefined): void {
  let first: Candidate | undefined;
  for (const candidate of candidates) {
    const section = candidate.declaration?.section ?? "";
    if (isDefined(candidate) || !KERNEL_SECTIONS.has(section)) continue;
    if (definition !== undefined) {
      throw new LinkError(
        `${candidate.input.what}: expects "${name}" of the kernel (section "${section}"), but ${definition.input.what} ` +
          `defines it (${placeOf(definition)})`,
      );
    }
    first ??= candidate;
    if (first.declaration?.section !== section) {
      throw new LinkError(
        `${candidate.input.what}: declares "${name}" in section "${section}", but ${first.input.what} declares it in ` +
          `section "${first.declaration?.section}"`,
      );
    }
  }
}

function strictest(candidates: readonly Candidate[]): number {
  return candidates.map(({ symbol }) => symbol.visibility).reduce((strict, visibility) =>
    STRICTNESS.indexOf(visibility) > STRICTNESS.indexOf(strict) ? visibility : strict
  );
}
