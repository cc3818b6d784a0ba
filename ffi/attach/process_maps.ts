/**
 * Where a process has loaded a file.
 *
 * @module
 */
import * as sys from "../sys/mod.ts";

/** A line of /proc/PID/maps: start, end, flags, offset in the file, device, inode, path. */
const LINE = /^([0-9a-f]+)-([0-9a-f]+) (\S{4}) ([0-9a-f]+) \S+ \d+\s+(.*)$/;

/**
 * The address at which a process has loaded the code at an offset of a file.
 *
 * @param pid The process.
 * @param path The file, as the process sees it: without symbolic links, without `/proc/PID/root`.
 * @param offset Offset in the file in bytes.
 * @returns `undefined` if it has not.
 * @throws {sys.SyscallError} if there is no such process.
 */
export function loadedAddress(pid: number, path: string, offset: number): bigint | undefined {
  return addressIn(sys.readTextFile(`/proc/${pid}/maps`), path, offset);
}

/** As {@linkcode loadedAddress}, with the contents of /proc/PID/maps. */
export function addressIn(maps: string, path: string, offset: number): bigint | undefined {
  for (const line of maps.split("\n")) {
    const [, start = "", end = "", flags = "", fileOffset = "", name] = LINE.exec(line) ?? [];
    if (name !== path || flags[2] !== "x") continue;
    const [from, to, first] = [BigInt(`0x${start}`), BigInt(`0x${end}`), BigInt(`0x${fileOffset}`)];
    const address = from - first + BigInt(offset);
    if (BigInt(offset) >= first && address < to) return address;
  }
  return undefined;
}
