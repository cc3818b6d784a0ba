/**
 * The BTF of the output: the types of all objects, each once, and what the output's sections hold.
 *
 * @module
 */
import { BtfMerger, ExtInfosMerger, type MergerDatasecEntry, type MergerInput } from "../../btf/dedup/mod.ts";
import type { DatasecEntry, DatasecType } from "../../btf/reading/mod.ts";
import type { ByteOrder } from "../../bytes.ts";
import { BTF_SECTION, sectionPlace } from "../../elf/mod.ts";
import { FormatError, LinkError } from "../../errors.ts";
import { BtfKind } from "../../uapi/mod.ts";
import type { Candidate, GlobalSymbol } from "./global_symbols.ts";
import type { InputObject } from "./input_object.ts";
import type { OutputSections, Piece } from "./output_sections.ts";

/** What is linked. */
export interface Linked {
  readonly order: ByteOrder;
  readonly inputs: readonly InputObject[];
  readonly sections: OutputSections;
  readonly globals: ReadonlyMap<string, GlobalSymbol>;
}

/** The contents of sections `.BTF` and `.BTF.ext`; `undefined` where no object has any. */
export interface MergedTypes {
  readonly btf: Uint8Array | undefined;
  readonly btfExt: Uint8Array | undefined;
}

/**
 * Makes one BTF of those of all objects.
 *
 * @throws {FormatError} if one is malformed.
 * @throws {LinkError} if one does not fit the object's sections and symbols.
 */
export function mergeTypes(linked: Linked): MergedTypes {
  if (linked.inputs.every(({ btf }) => btf === undefined)) return { btf: undefined, btfExt: undefined };
  return new TypeMerge(linked).merge();
}

class TypeMerge {
  readonly #linked: Linked;
  readonly #merger: BtfMerger;
  readonly #places = new Map<InputObject, MergerInput>();
  /** What the sections in BTF hold, by name. */
  readonly #datasecs = new Map<string, MergerDatasecEntry[]>();

  constructor(linked: Linked) {
    this.#linked = linked;
    const sizes = linked.inputs.map(({ elf }) => elf.section(BTF_SECTION)?.size ?? 0);
    this.#merger = new BtfMerger({ order: linked.order, size: sizes.reduce((sum, size) => sum + size, 0) });
  }

  merge(): MergedTypes {
    const extInfos = new ExtInfosMerger(this.#merger);
    let hasExtInfos = false;
    for (const input of this.#linked.inputs) {
      if (input.btf === undefined) continue;
      this.#places.set(input, this.#merger.append(input.btf));
      for (const datasec of input.datasecs) this.#datasec(datasec, input);
      if (input.btfExt === undefined) continue;
      hasExtInfos = true;
      extInfos.append(input.btfExt, input.btf, this.#places.get(input)!, (name) => this.#codePlace(name, input), {
        what: `${input.what}: section ".BTF.ext"`,
      });
    }
    this.#join();
    this.#addDatasecs();
    const merged = this.#merger.finish();
    return { btf: merged.bytes, btfExt: hasExtInfos ? extInfos.encode(merged) : undefined };
  }

  /** Collects what a section of one object holds; the section itself is made anew. */
  #datasec(datasec: DatasecType, input: InputObject): void {
    const place = this.#places.get(input)!;
    this.#merger.drop(place.typeId(datasec.id));
    const section = input.section(datasec.name);
    const piece = section && this.#linked.sections.pieceOf(section);
    if (piece?.duplicate) {
      for (const { type } of datasec.entries) if (type.kind === BtfKind.Var) this.#merger.drop(place.typeId(type.id));
      return;
    }
    const entries = this.#entriesOf(datasec.name);
    for (const entry of datasec.entries) {
      const offset = this.#offsetOf(entry, datasec, piece, input);
      if (offset !== undefined) entries.push({ type: place.typeId(entry.type.id), offset, size: entry.size });
    }
  }

  #entriesOf(name: string): MergerDatasecEntry[] {
    let entries = this.#datasecs.get(name);
    if (entries === undefined) {
      entries = [];
      this.#datasecs.set(name, entries);
    }
    return entries;
  }

  /** Offset of a variable in the output's section; `undefined` if another object's stands for it. */
  #offsetOf(
    { type, offset, size }: DatasecEntry,
    datasec: DatasecType,
    piece: Piece | undefined,
    input: InputObject,
  ): number | undefined {
    const place = `${input.what}: section "${datasec.name}"`;
    if (type.kind !== BtfKind.Var && type.kind !== BtfKind.Func) {
      throw new FormatError(`${place}: its BTF lists "${type.name}", which is neither a variable nor a function`);
    }
    const global = this.#linked.globals.get(type.name);
    const isChosen = global?.chosen.input === input && global.chosen.declaration?.type === type;
    // What is only declared has no offset yet.
    if (type.linkage === "extern") return isChosen && !global.defined ? offset : undefined;
    if (piece === undefined) {
      throw new LinkError(`${place}: its BTF lists "${type.name}", but the object has no such section`);
    }
    let at = offset;
    if (type.linkage !== "static") {
      const symbol = global?.candidates.find((candidate) => candidate.input === input)?.symbol;
      if (symbol === undefined || symbol.section !== piece.section) {
        throw new LinkError(
          `${place}: variable "${type.name}" is in BTF, but has no symbol in this section: was the object stripped?`,
        );
      }
      if (!isChosen) return undefined;
      // clang leaves the offsets of global variables 0.
      at = symbol.value;
    }
    if (at + size > piece.section.size) {
      throw new FormatError(
        `${place}: variable "${type.name}" at offset ${at} (${size} bytes) lies outside its ${piece.section.size} bytes`,
      );
    }
    return piece.offset + at;
  }

  #codePlace(name: string, input: InputObject): { section: string; offset: number; size: number } | undefined {
    const section = input.section(name);
    const piece = section && this.#linked.sections.pieceOf(section);
    if (piece !== undefined) return { section: name, offset: piece.offset, size: piece.section.size };
    const other = input.elf.section(name);
    if (other !== undefined && other.size === 0) return undefined;
    throw new LinkError(
      `${input.what}: section ".BTF.ext" tells of section "${name}", ${
        other === undefined ? "which the object does not have" : `but ${sectionPlace(other)} is not linked`
      }`,
    );
  }

  /** Makes all declarations of a global symbol that of the object that is chosen. */
  #join(): void {
    const aliases = new Aliases();
    for (const { candidates, chosen } of this.#linked.globals.values()) {
      for (const candidate of candidates) {
        if (candidate === chosen) continue;
        const [from, to] = [this.#idsOf(candidate), this.#idsOf(chosen)];
        if (from === undefined || to === undefined) continue;
        aliases.add(from.id, to.id);
        // Parameters of an extern have no names: without this, its type would be left over.
        if (from.proto !== undefined && to.proto !== undefined) aliases.add(from.proto, to.proto);
      }
    }
    for (const [id, target] of aliases.all()) this.#merger.alias(id, target);
  }

  #idsOf({ input, declaration }: Candidate): { id: number; proto: number | undefined } | undefined {
    const place = this.#places.get(input);
    if (place === undefined || declaration === undefined) return undefined;
    const { type } = declaration;
    const proto = type.kind === BtfKind.Func ? place.typeId(type.target.id) : undefined;
    return { id: place.typeId(type.id), proto };
  }

  #addDatasecs(): void {
    const inOrder = new Set([...this.#linked.sections.all().map(({ name }) => name), ...this.#datasecs.keys()]);
    for (const name of inOrder) {
      const entries = this.#datasecs.get(name);
      if (entries === undefined) continue;
      const section = this.#linked.sections.get(name);
      // Sections that only declare, like .ksyms, are none of the file.
      if (section === undefined && entries.length === 0) continue;
      entries.sort((a, b) => a.offset - b.offset);
      this.#merger.addDatasec(name, section?.size ?? 0, entries);
    }
  }
}

/** Ids that stand for others. Two functions of one type may each be extern where the other is defined: that is no circle. */
class Aliases {
  readonly #targets = new Map<number, number>();

  add(id: number, target: number): void {
    const [from, to] = [this.#last(id), this.#last(target)];
    if (from !== to) this.#targets.set(from, to);
  }

  all(): [number, number][] {
    return [...this.#targets.keys()].map((id) => [id, this.#last(id)]);
  }

  #last(id: number): number {
    let last = id;
    for (let next = this.#targets.get(last); next !== undefined; next = this.#targets.get(last)) last = next;
    return last;
  }
}
