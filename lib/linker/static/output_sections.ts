/**
 * The sections of the output: those of one name behind each other, in the order of the objects.
 *
 * @module
 */
import { decodeText } from "../../bytes.ts";
import type { NewRelocation, NewSection, Section } from "../../elf/mod.ts";
import { LinkError } from "../../errors.ts";
import type { InputObject } from "./input_object.ts";

/** Sections that say something of the whole object: they have to agree, and are there once. */
const SINGLE: ReadonlySet<string> = new Set(["license", "version"]);

/** A section of an object in a section of the output. */
export interface Piece {
  readonly input: InputObject;
  readonly section: Section;
  readonly output: OutputSection;
  /** Where it begins in the output's section, in bytes. */
  readonly offset: number;
  /** Another object's section of the same contents stands for it. */
  readonly duplicate: boolean;
}

/** A change to the output's bytes. */
export type Patch = (bytes: DataView) => void;

/** A section of the output. */
export class OutputSection implements NewSection {
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  readonly entrySize: number;
  readonly relocations: NewRelocation[] = [];
  /** Made to the bytes when those of all pieces are there. */
  readonly patches: Patch[] = [];
  readonly #pieces: Piece[] = [];
  #alignment = 1;
  #size = 0;

  /** Nothing in it yet. `first`: the section that it is like. */
  constructor(first: Section) {
    this.name = first.name;
    this.type = first.type;
    this.flags = first.flags;
    this.entrySize = first.entrySize;
  }

  get alignment(): number {
    return this.#alignment;
  }

  get size(): number {
    return this.#size;
  }

  /**
   * Appends a section of an object.
   *
   * @throws {LinkError} if it is of another sort than those before it.
   */
  append(section: Section, input: InputObject): Piece {
    const first = this.#pieces[0];
    if (first !== undefined) this.#check(section, input, first);
    const duplicate = first !== undefined && SINGLE.has(this.name);
    if (duplicate) {
      checkSame(section, input, first);
      return { input, section, output: this, offset: 0, duplicate };
    }
    this.#alignment = Math.max(this.#alignment, section.alignment);
    // As libbpf's linker does it, so that offsets are equal to its: the largest alignment so far counts.
    const offset = Math.ceil(this.#size / this.#alignment) * this.#alignment;
    this.#size = offset + section.size;
    const piece = { input, section, output: this, offset, duplicate };
    this.#pieces.push(piece);
    return piece;
  }

  fill(bytes: Uint8Array): void {
    for (const { section, offset } of this.#pieces) bytes.set(section.bytes(), offset);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (const patch of this.patches) patch(view);
  }

  #check(section: Section, input: InputObject, first: Piece): void {
    for (const property of ["type", "flags", "entrySize"] as const) {
      const [before, now] = [this[property], section[property]];
      if (before === now) continue;
      const words = property === "entrySize" ? "entry size" : property;
      throw new LinkError(
        `${input.what}: section "${this.name}" has ${words} 0x${now.toString(16)}, that of ${first.input.what} has 0x` +
          `${before.toString(16)}: only sections of one sort can be joined`,
      );
    }
  }
}

function checkSame(section: Section, input: InputObject, first: Piece): void {
  const [before, now] = [first.section.bytes(), section.bytes()];
  if (before.length === now.length && before.every((byte, i) => byte === now[i])) return;
  const [theirs, ours] = [before, now].map((bytes) => section.name === "license" ? text(bytes) : bytes.toHex());
  // The license is what is before the NUL: an array may have more room than it needs.
  if (section.name === "license" && theirs === ours) return;
  throw new LinkError(
    `${input.what}: its ${section.name} is ${ours}, that of ${first.input.what} is ${theirs}: objects that are linked have one`,
  );
}

function text(bytes: Uint8Array): string {
  const nul = bytes.indexOf(0);
  return JSON.stringify(decodeText(bytes, 0, nul < 0 ? bytes.length : nul));
}

/** Where all sections of all objects went. */
export class OutputSections {
  readonly #byName = new Map<string, OutputSection>();
  readonly #pieces = new Map<Section, Piece>();

  /**
   * Puts the sections of the objects behind each other.
   *
   * @throws {LinkError} if sections of one name are of different sorts.
   */
  constructor(inputs: readonly InputObject[]) {
    for (const input of inputs) {
      for (const section of input.sections) {
        let output = this.#byName.get(section.name);
        if (output === undefined) {
          output = new OutputSection(section);
          this.#byName.set(section.name, output);
        }
        this.#pieces.set(section, output.append(section, input));
      }
    }
  }

  /** All of them, in the order in which objects have them. */
  all(): OutputSection[] {
    return [...this.#byName.values()];
  }

  /** The section of that name. */
  get(name: string): OutputSection | undefined {
    return this.#byName.get(name);
  }

  /** Where a section of an object went; `undefined` if it was left out. */
  pieceOf(section: Section): Piece | undefined {
    return this.#pieces.get(section);
  }
}
