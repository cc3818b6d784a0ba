/**
 * Notes: the records of `SHT_NOTE` sections.
 *
 * @module
 */
import type { ByteOrder } from "../bytes.ts";
import { ByteView } from "../bytes.ts";
import { type Section, sectionPlace } from "./section.ts";

/** `Elf64_Nhdr`; name and descriptor follow, each filled up to a multiple of 4 bytes. */
const NHDR = { namesz: 0, descsz: 4, type: 8, bytes: 12 } as const;
/** What the parts of a note are filled up to, also in ELF64. */
const NOTE_ALIGN = 4;

/** A note. */
export interface Note {
  /** Who defines what it means: `"GNU"`, `"stapsdt"`. */
  readonly name: string;
  /** What it is, as its owner numbers it. */
  readonly type: number;
  /** What it says: a window on the file, no copy. */
  readonly descriptor: Uint8Array;
  /** How errors call what it says. */
  readonly place: string;
}

/**
 * The notes of a section, in its order.
 *
 * @param section The section.
 * @param order Byte order of the file.
 * @param what How errors call the file.
 * @throws {FormatError} if a note reaches beyond its section.
 */
export function* readNotes(section: Section, order: ByteOrder, what: string): Generator<Note, undefined> {
  const place = `${what}: ${sectionPlace(section)}`;
  const view = new ByteView(section.bytes(), order, place);
  for (let at = 0; at < view.length;) {
    view.check(at, NHDR.bytes, "note");
    const nameSize = view.u32(at + NHDR.namesz);
    const descriptorSize = view.u32(at + NHDR.descsz);
    const descriptorAt = at + NHDR.bytes + alignUp(nameSize);
    const name = view.sub(at + NHDR.bytes, nameSize, `${place}: name of the note at offset ${at}`);
    const descriptorPlace = `${place}: descriptor of the note at offset ${at}`;
    yield {
      name: nameSize === 0 ? "" : name.cString(0, "name"),
      type: view.u32(at + NHDR.type),
      descriptor: view.sub(descriptorAt, descriptorSize, descriptorPlace).bytes,
      place: descriptorPlace,
    };
    at = descriptorAt + alignUp(descriptorSize);
  }
}

function alignUp(size: number): number {
  return Math.ceil(size / NOTE_ALIGN) * NOTE_ALIGN;
}
