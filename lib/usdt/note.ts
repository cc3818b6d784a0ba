/**
 * Notes of USDT probes: the section `.note.stapsdt`, one note for each place in the code.
 *
 * @module
 */
import { ByteView } from "../bytes.ts";
import { FormatError } from "../errors.ts";
import { EM, type Executable, readNotes } from "../elf/mod.ts";

const NOTE_SECTION = ".note.stapsdt";
const NOTE_NAME = "stapsdt";
const NT_STAPSDT = 3;
/** Three addresses; then provider, name and arguments, each ending with a NUL. */
const NOTE = { location: 0, base: 8, semaphore: 16, strings: 24 } as const;

/** A note as it is: addresses as they were when the program was linked. */
export interface UsdtNote {
  /** Who declares the probe: `"libc"`. */
  readonly provider: string;
  /** Its name: `"setjmp"`. */
  readonly name: string;
  /** Address of the instruction, a `nop`. */
  readonly location: number;
  /** Address of the section `.stapsdt.base`; 0 if there was none. */
  readonly base: number;
  /** Address of a counter of those who watch; 0 without one. */
  readonly semaphore: number;
  /** Where the arguments are: {@linkcode parseUsdtArguments}. */
  readonly arguments: string;
}

/** A place in the code where a probe is. */
export interface UsdtSite {
  /** Its address as the file says it. */
  readonly address: number;
  /** Where it is in the file. */
  readonly offset: number;
  /** Where the counter of those who watch is in the file; 0 without one. */
  readonly semaphoreOffset: number;
  /** Where the arguments are. */
  readonly arguments: string;
}

/** How sites are told. */
export interface UsdtSitesOptions {
  /** Of a `nop` that is followed by one of five bytes take the second (x86_64), which the kernel can make fast. */
  readonly preferNop5?: boolean | undefined;
}

/**
 * All notes of USDT probes of a program or library.
 *
 * @throws {FormatError} if a note does not hold.
 */
export function readUsdtNotes(executable: Executable): UsdtNote[] {
  const notes: UsdtNote[] = [];
  for (const section of executable.sections) {
    if (section.name !== NOTE_SECTION) continue;
    for (const { name, type, descriptor: bytes, place } of readNotes(section, executable.order, executable.what)) {
      if (name !== NOTE_NAME || type !== NT_STAPSDT) continue;
      const descriptor = new ByteView(bytes, executable.order, place);
      const provider = descriptor.cString(NOTE.strings, "provider");
      const nameAt = NOTE.strings + byteLength(provider) + 1;
      const probe = descriptor.cString(nameAt, "name of the probe");
      const text = descriptor.cString(nameAt + byteLength(probe) + 1, "arguments");
      if (probe === "") throw new FormatError(`${place}: the probe has no name`);
      notes.push({
        provider,
        name: probe,
        location: descriptor.size64(NOTE.location),
        base: descriptor.size64(NOTE.base),
        semaphore: descriptor.size64(NOTE.semaphore),
        arguments: text.startsWith(":") ? "" : text,
      });
    }
  }
  return notes;
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** `nop`, and one of five bytes. */
const NOP_NOP5 = [0x90, 0x0f, 0x1f, 0x44, 0x00, 0x00];

/**
 * The places in the code of the probe `provider:name`; none if the program does not have it.
 *
 * @throws {FormatError} if a place is not in the program's code, or its counter not in its data.
 */
export function usdtSites(
  executable: Executable,
  provider: string,
  name: string,
  options: UsdtSitesOptions = {},
): UsdtSite[] {
  const place = `${executable.what}: probe "${provider}:${name}"`;
  const base = executable.section(".stapsdt.base")?.address ?? 0;
  const sites: UsdtSite[] = [];
  for (const note of readUsdtNotes(executable)) {
    if (note.provider !== provider || note.name !== name) continue;
    // prelink moves sections, but not what notes say of them: the marker section tells by how much.
    const moved = base !== 0 && note.base !== 0 ? base - note.base : 0;
    let address = note.location + moved;
    let offset = codeOffset(executable, address, place);
    if (options.preferNop5 && executable.machine === EM.X86_64 && hasNop5(executable, offset)) {
      address++;
      offset++;
    }
    const semaphoreOffset = note.semaphore === 0 ? 0 : dataOffset(executable, note.semaphore + moved, place);
    sites.push({ address, offset, semaphoreOffset, arguments: note.arguments });
  }
  return sites;
}

function codeOffset(executable: Executable, address: number, place: string): number {
  const offset = executable.fileOffset(address);
  if (offset !== undefined && executable.segmentOf(address)?.executable) return offset;
  throw new FormatError(`${place}: its address 0x${address.toString(16)} is not in the program's code`);
}

function dataOffset(executable: Executable, address: number, place: string): number {
  const segment = executable.segmentOf(address);
  if (segment !== undefined && !segment.executable) return address - segment.address + segment.offset;
  throw new FormatError(
    `${place}: the address of its semaphore, 0x${address.toString(16)}, is not in the program's data`,
  );
}

function hasNop5(executable: Executable, offset: number): boolean {
  return NOP_NOP5.every((byte, i) => executable.bytes[offset + i] === byte);
}
