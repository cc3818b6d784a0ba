/**
 * Memory that is shared with the kernel, or a file.
 *
 * @module
 */
import { calls } from "./calls.ts";
import { callError } from "./fail.ts";

const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 1;
const MAP_PRIVATE = 2;
/** Nothing else is unmapped for it; kernels before 4.17 take the address for a wish. */
const MAP_FIXED_NOREPLACE = 0x100000;

/** What {@linkcode mapMemory} takes. */
export interface MapMemoryOptions {
  /** What to map; may be closed afterwards. */
  readonly fd: number;
  /** Size in bytes. */
  readonly length: number;
  /** Where it begins, in bytes; a multiple of the page size. 0 by default. */
  readonly offset?: number | undefined;
  /** Where it has to be in this process; by default the kernel chooses. */
  readonly address?: bigint | undefined;
  /** May it be written; not by default. *Writing to memory that was mapped without this kills the process.* */
  readonly writable?: boolean | undefined;
  /** Are writes of others seen; they are by default. */
  readonly shared?: boolean | undefined;
}

/** Mapped memory. Closing it detaches all views on {@linkcode Mapping.buffer}, so that none is left to fault. */
export class Mapping implements Disposable {
  readonly #address: Deno.PointerObject;
  readonly #length: number;
  #buffer: ArrayBuffer | undefined;

  /**
   * Takes over mapped memory.
   *
   * @param address Where it is.
   * @param length Its size in bytes.
   */
  constructor(address: Deno.PointerObject, length: number) {
    this.#address = address;
    this.#length = length;
    this.#buffer = Deno.UnsafePointerView.getArrayBuffer(address, length);
  }

  /**
   * The memory itself, no copy. Do not transfer it.
   *
   * @throws {TypeError} after {@linkcode Mapping.close}.
   */
  get buffer(): ArrayBuffer {
    if (this.#buffer === undefined) throw new TypeError("the memory is no longer mapped");
    return this.#buffer;
  }

  /**
   * The same memory in another buffer, whose views die when the caller detaches it by `transfer(0)`: to be done before
   * {@linkcode Mapping.close}, which does not know of it.
   *
   * @throws {TypeError} after {@linkcode Mapping.close}.
   */
  lend(): ArrayBuffer {
    if (this.#buffer === undefined) throw new TypeError("the memory is no longer mapped");
    return Deno.UnsafePointerView.getArrayBuffer(this.#address, this.#length);
  }

  /** Where it is in this process. */
  get address(): bigint {
    return Deno.UnsafePointer.value(this.#address);
  }

  /** Was it unmapped. */
  get closed(): boolean {
    return this.#buffer === undefined;
  }

  /** A view on all of it, made anew each time. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.buffer);
  }

  /** Unmaps it; views on it have a length of 0 from now on. Closing again does nothing. */
  close(): void {
    if (this.#buffer === undefined) return;
    this.#buffer.transfer(0);
    this.#buffer = undefined;
    calls.munmap(this.#address, this.#length);
  }

  /** As {@linkcode Mapping.close}. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * Maps memory of a map, ring buffer, perf event or file (mmap(2)).
 *
 * @throws {SyscallError} if the kernel refuses it: code `EPERM` for a frozen map mapped writable, `EACCES` for a map that user
 * space may only read, `ENODEV` for files that cannot be mapped.
 */
export function mapMemory(options: MapMemoryOptions): Mapping {
  const { fd, length, offset = 0, address: at, writable = false, shared = true } = options;
  const prot = writable ? PROT_READ | PROT_WRITE : PROT_READ;
  const flags = (shared ? MAP_SHARED : MAP_PRIVATE) | (at === undefined ? 0 : MAP_FIXED_NOREPLACE);
  const address = calls.mmap(length, prot, flags, fd, offset, at);
  if (typeof address === "number") throw callError("mmap()", address);
  return new Mapping(address, length);
}
