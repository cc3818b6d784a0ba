/**
 * From a section of instructions to its functions. The order matters: a section is decoded as a whole, then gets what
 * `.BTF.ext` and relocations say about it, and only then is split, since both count from the section's start. Gaps
 * between functions (code that a linker overrode) keep their place and are dropped at the end.
 *
 * @module
 */
import { decode, type Instruction, isFunctionCall, isFunctionPointer, LABEL, slotCount } from "../asm/mod.ts";
import { BtfKind } from "../uapi/mod.ts";
import { type ExtInfos, FUNC_INFO, type FuncType } from "../btf/mod.ts";
import { type Section, sectionPlace } from "../elf/mod.ts";
import { LinkError } from "../errors.ts";
import { CodeRelocator, type RelocationTargets } from "./code_relocation.ts";
import type { DeclTags } from "./decl_tags.ts";
import { type ObjectFunction, SLOT } from "./functions.ts";
import { FUNC_TAGS } from "./keys/mod.ts";
import { TEXT_SECTION } from "./sections.ts";

/** A function with its instructions. */
export interface FunctionCode {
  readonly place: ObjectFunction;
  readonly instructions: readonly Instruction[];
}

/** What code is read with. */
export interface CodeContext extends RelocationTargets {
  readonly extInfos: ExtInfos | undefined;
  readonly tags: DeclTags;
}

/**
 * The functions of `section`, in ascending order.
 *
 * @throws {FormatError} if an instruction or an ext info does not hold.
 * @throws {LinkError} if a relocation does not hold.
 */
export function readCode(section: Section, context: CodeContext): FunctionCode[] {
  const { functions, extInfos } = context;
  const decoded = decodeSection(section, context);
  const described = extInfos === undefined ? decoded : extInfos.assign(section.name, decoded);
  const places = new InstructionPlaces(described);
  const insns = relocate(described, places, section, context);
  return functions.of(section).map((place) => {
    const body = insns.slice(places.at(place.start), places.at(place.end));
    return { place, instructions: start(body, place, context.tags) };
  });
}

/** All instructions of a section. What is between functions need not be any: alignment is filled with zeros. */
function decodeSection(section: Section, { elf, functions }: CodeContext): Instruction[] {
  const what = `${elf.what}: ${sectionPlace(section)}`;
  const bytes = section.bytes();
  const insns: Instruction[] = [];
  const append = (part: readonly Instruction[]) => {
    for (const insn of part) insns.push(insn);
  };
  let end = 0;
  for (const place of functions.of(section)) {
    if (place.start < end) continue; // An alias.
    append(decode(bytes.subarray(end, place.start), elf.order, { what: `${what}, from offset ${end}`, lenient: true }));
    const name = `${what}, function "${place.label.name}"`;
    append(decode(bytes.subarray(place.start, place.end), elf.order, { what: name }));
    end = place.end;
  }
  append(decode(bytes.subarray(end), elf.order, { what: `${what}, from offset ${end}`, lenient: true }));
  return insns;
}

/** Instructions by their byte offset in the section. */
class InstructionPlaces {
  readonly #bySlot: Int32Array;

  constructor(insns: readonly Instruction[]) {
    const bySlot = new Int32Array(slotCount(insns) + 1).fill(-1);
    let slot = 0;
    insns.forEach((insn, index) => {
      bySlot[slot] = index;
      slot += insn.slots;
    });
    bySlot[slot] = insns.length;
    this.#bySlot = bySlot;
  }

  /** Index of the instruction that starts at byte `offset` (the end of the section has one, too). */
  at(offset: number): number | undefined {
    const index = this.#bySlot[offset / SLOT] ?? -1;
    return index < 0 ? undefined : index;
  }
}

function relocate(
  insns: readonly Instruction[],
  places: InstructionPlaces,
  section: Section,
  context: CodeContext,
): Instruction[] {
  const { elf, functions } = context;
  const relocator = new CodeRelocator(context, section);
  const relocated = [...insns];
  const done = new Set<number>();
  for (const relocation of elf.relocations(section)) {
    // Code in no function is what a static linker overrode; nothing can reach it.
    if (functions.containing(section, relocation.offset) === undefined) continue;
    const index = places.at(relocation.offset);
    const insn = index === undefined ? undefined : relocated[index];
    if (index === undefined || insn === undefined || done.has(index)) {
      const problem = insn === undefined ? "is inside of an instruction" : "is the second of its instruction";
      throw new LinkError(
        `${elf.what}: ${sectionPlace(section)}: relocation at offset ${relocation.offset} (symbol ` +
          `"${relocation.symbol.name}") ${problem}`,
      );
    }
    done.add(index);
    relocated[index] = relocator.relocate(insn, relocation);
  }
  let offset = 0;
  insns.forEach((insn, index) => {
    if (!done.has(index) && functions.containing(section, offset) !== undefined) {
      if (isFunctionCall(insn)) relocated[index] = relocator.relativeCall(insn, offset);
      if (isFunctionPointer(insn)) {
        throw new LinkError(
          `${elf.what}: ${sectionPlace(section)}: the function pointer at offset ${offset} has no relocation`,
        );
      }
    }
    offset += insn.slots * SLOT;
  });
  for (const [place, label] of relocator.places) {
    const index = places.at(place);
    if (index === undefined) {
      throw new LinkError(
        `${elf.what}: ${sectionPlace(section)}: a jump table names offset ${place}, where no instruction starts`,
      );
    }
    relocated[index] = relocated[index]!.with(LABEL, label);
  }
  return relocated;
}

/** Marks the first instruction of a function. */
function start(insns: Instruction[], place: ObjectFunction, tags: DeclTags): Instruction[] {
  const first = insns[0]!;
  const func = first.get(FUNC_INFO);
  let marked = first.with(LABEL, place.label);
  if (func !== undefined) {
    // Programs are entry points: their visibility means nothing. Others that are hidden are verified like static ones,
    // whose tags nobody reads.
    const hidden = place.hidden && place.section.name === TEXT_SECTION;
    const onFunc = tags.on(func);
    if (hidden && func.linkage === "global") marked = marked.with(FUNC_INFO, makeStatic(func));
    if (!hidden && onFunc.length > 0) marked = marked.with(FUNC_TAGS, onFunc);
  }
  insns[0] = marked;
  return insns;
}

function makeStatic(func: FuncType): FuncType {
  return { kind: BtfKind.Func, id: 0, name: func.name, target: func.target, linkage: "static" };
}
