/**
 * Long text files of the kernel, line by line, as bytes: /proc/kallsyms has some 200,000 lines.
 *
 * @module
 */
import * as sys from "../sys/mod.ts";

const NEWLINE = 10;
/** The kernel gives a page at a time; that many are looked at together. */
const BLOCK_BYTES = 1 << 17;

/**
 * Visits the lines of a file until `visit` gives `true`; no more than a block of it is in memory.
 *
 * @param path The file.
 * @param visit Gets bytes, and where in them a line begins and ends, without its newline; they are good until it returns.
 * @throws {sys.SyscallError} if the file cannot be opened or read.
 */
export function eachLine(
  path: string,
  visit: (bytes: Uint8Array<ArrayBuffer>, start: number, end: number) => boolean | void,
): void {
  using fd = sys.open(path);
  let bytes = new Uint8Array(BLOCK_BYTES);
  for (let kept = 0;;) {
    let length = kept;
    let ended = false;
    while (length < bytes.length && !ended) {
      const count = sys.read(fd.value, bytes.subarray(length)) ?? 0;
      ended = count === 0;
      length += count;
    }
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0 && end < length; end = bytes.indexOf(NEWLINE, start)) {
      if (visit(bytes, start, end) === true) return;
      start = end + 1;
    }
    if (ended) {
      if (start < length) visit(bytes, start, length);
      return;
    }
    const next = start === 0 ? new Uint8Array(bytes.length * 2) : bytes;
    next.set(bytes.subarray(start, length));
    [kept, bytes] = [length - start, next];
  }
}
