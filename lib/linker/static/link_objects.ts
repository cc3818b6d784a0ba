/**
 * The static linker: many objects into one.
 *
 * Sections of one name become one section, symbols find their definitions, relocations move with them, and the types
 * of all objects become one BTF without duplicates. Nothing is resolved that a loader resolves: the output is an
 * object like those that it is made of, and can be linked again.
 *
 * @module
 */
import { EM, ET, type NewSection, SHT, writeElf } from "../../elf/mod.ts";
import { LinkError } from "../../errors.ts";
import { resolveGlobals } from "./global_symbols.ts";
import { InputObject, type ObjectFile } from "./input_object.ts";
import { mergeTypes } from "./merge_types.ts";
import { OutputSections } from "./output_sections.ts";
import { Relocator } from "./relocator.ts";

/** Alignment of `.BTF` and `.BTF.ext`. */
const BTF_ALIGNMENT = 8;

/**
 * Links BPF objects into one, as `bpftool gen object` does.
 *
 * Of a function, variable or map that several objects define, the strong definition wins over `__weak` ones, and the first
 * weak one over others; externs of the others mean it, too, if they agree about its type. What no object defines stays
 * extern. Static functions and variables may share names. DWARF is left out.
 *
 * @param objects At least one object, all of one byte order.
 * @returns The bytes of an object file.
 * @throws {FormatError} if a file is not a BPF object, or is malformed.
 * @throws {LinkError} if objects contradict each other, naming them: two strong definitions, types that differ, licenses
 * that differ, sections of different sorts.
 * @throws {UnsupportedError} if an object has something that cannot be linked.
 */
export function linkObjects(objects: readonly ObjectFile[]): Uint8Array<ArrayBuffer> {
  const inputs = objects.map((object) => new InputObject(object));
  const [first] = inputs;
  if (first === undefined) throw new LinkError("there are no objects to link");
  const { order } = first.elf;
  for (const { elf, what } of inputs) {
    if (elf.order === order) continue;
    throw new LinkError(`${what}: is ${elf.order}-endian, but ${first.what} is ${order}-endian`);
  }
  const sections = new OutputSections(inputs);
  const globals = resolveGlobals(inputs, sections);
  const linked = { order, inputs, sections, globals };
  const symbols = new Relocator(linked).all();
  const { btf, btfExt } = mergeTypes(linked);
  return writeElf({
    order,
    type: ET.REL,
    machine: EM.BPF,
    sections: [...sections.all(), ...contents(".BTF", btf), ...contents(".BTF.ext", btfExt)],
    symbols,
  });
}

function contents(name: string, bytes: Uint8Array | undefined): NewSection[] {
  if (bytes === undefined) return [];
  return [{
    name,
    type: SHT.PROGBITS,
    flags: 0,
    alignment: BTF_ALIGNMENT,
    entrySize: 0,
    size: bytes.length,
    fill: (target) => target.set(bytes),
    relocations: [],
  }];
}
