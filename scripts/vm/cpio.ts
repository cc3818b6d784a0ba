/**
 * Writes archives of cpio's "newc" format, which Linux unpacks as its first file system (kernel documentation:
 * driver-api/early-userspace/buffer-format). Archives may follow each other; later files replace earlier ones.
 *
 * @module
 */
import { join } from "@std/path";

const TYPE = { folder: 0o040000, file: 0o100000, link: 0o120000 } as const;
const MAGIC = "070701";
const TRAILER = "TRAILER!!!";
/** The kernel wants a header at a multiple of 4. */
const ALIGNMENT = 4;
const text = new TextEncoder();

/** A cpio archive that grows. Everything in it belongs to root. */
export class CpioWriter {
  readonly #parts: Uint8Array<ArrayBuffer>[] = [];
  readonly #folders = new Set<string>();
  #inode = 0;

  /** Adds a folder, and those above it. */
  folder(path: string): void {
    const name = relative(path);
    if (name === "" || this.#folders.has(name)) return;
    this.#parentOf(name);
    this.#folders.add(name);
    this.#entry(name, TYPE.folder | 0o755, new Uint8Array());
  }

  /** Adds a file with its bytes or text, and the folders above it. */
  file(path: string, content: Uint8Array<ArrayBuffer> | string, mode = 0o644): void {
    const name = relative(path);
    this.#parentOf(name);
    this.#entry(name, TYPE.file | mode, typeof content === "string" ? text.encode(content) : content);
  }

  /** Adds a symbolic link, and the folders above it. */
  link(path: string, target: string): void {
    const name = relative(path);
    this.#parentOf(name);
    this.#entry(name, TYPE.link | 0o777, text.encode(target));
  }

  /**
   * Adds a copy of a file of this machine, or of a folder with what is in it.
   *
   * @param skip Tells of the path of a thing in the folder whether it is left out.
   */
  async copy(path: string, source: string, skip: (path: string) => boolean = () => false): Promise<void> {
    const info = await Deno.lstat(source);
    if (info.isSymlink) return this.link(path, await Deno.readLink(source));
    if (info.isFile) return this.file(path, await Deno.readFile(source), (info.mode ?? 0o644) & 0o777);
    if (!info.isDirectory) return;
    this.folder(path);
    for await (const { name } of Deno.readDir(source)) {
      if (!skip(join(source, name))) await this.copy(join(path, name), join(source, name), skip);
    }
  }

  /** The archive's parts, to be written one after the other. */
  finish(): Uint8Array<ArrayBuffer>[] {
    this.#entry(TRAILER, 0, new Uint8Array());
    return this.#parts;
  }

  /** Writes the archive to a file. */
  async write(path: string, options: Deno.WriteFileOptions = {}): Promise<void> {
    await Deno.writeFile(path, ReadableStream.from(this.finish()), options);
  }

  #parentOf(name: string): void {
    const slash = name.lastIndexOf("/");
    if (slash > 0) this.folder(name.slice(0, slash));
  }

  #entry(name: string, mode: number, content: Uint8Array<ArrayBuffer>): void {
    this.#inode++;
    const bytes = text.encode(`${name}\0`);
    // inode, mode, uid, gid, links, mtime, size, device (major, minor), the device it is (major, minor), name, checksum
    const fields = [this.#inode, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, bytes.length, 0];
    const header = MAGIC + fields.map((field) => field.toString(16).padStart(8, "0")).join("");
    this.#push(text.encode(header), bytes);
    this.#push(content);
  }

  #push(...parts: Uint8Array<ArrayBuffer>[]): void {
    const size = parts.reduce((sum, part) => sum + part.length, 0);
    this.#parts.push(...parts.filter((part) => part.length > 0));
    const rest = size % ALIGNMENT;
    if (rest > 0) this.#parts.push(new Uint8Array(ALIGNMENT - rest));
  }
}

function relative(path: string): string {
  return path.replace(/^\/+|\/+$/g, "");
}
