/**
 * Reading all elements of a map, many at a time where its type can do that.
 *
 * @module
 */
import { BpfMapType } from "../../lib/uapi/mod.ts";
import * as sys from "../sys/mod.ts";
import { mapKind } from "./map_type.ts";

/** What a reader is told about the map. */
export interface BlockSource {
  readonly fd: sys.Fd;
  readonly type: BpfMapType;
  readonly keySize: number;
  /** Size in bytes of what a look-up writes. */
  readonly elementSize: number;
  /** How errors call the map. */
  readonly place: string;
}

/** How a map is read. */
export interface BlockOptions {
  /** Elements per system call, where the type has batches. */
  readonly size?: number | undefined;
  /** Only keys: in a walk from key to key nothing is looked up. */
  readonly keysOnly?: boolean | undefined;
  /** Remove what is read (`BPF_MAP_LOOKUP_AND_DELETE_BATCH`). */
  readonly remove?: boolean | undefined;
}

/** Memory for one block: beyond this, fewer system calls gain nothing. */
const BLOCK_BYTES = 1 << 20;
const BLOCK_COUNT = 4096;
/** The kernel's cursor is 32 bits for hash maps, a key for others (kernel/bpf/hashtab.c, syscall.c). */
const CURSOR_BYTES = 4;
/** Without a new key for so many steps more than there were keys, a walk that starts over and over is given up. */
const PATIENCE = 1024;
/** How often a batch is tried that others disturb. */
const ATTEMPTS = 100;

/**
 * Elements of a map, block by block, each once, also while others remove some: elements that are there from the first block
 * to the last are read; of those that come or go meanwhile, some.
 *
 * Hash maps are read a bucket at a time, and nothing that happens in another bucket matters. All others go from key to key,
 * and start over when the key they stand on is gone: keys that were read already are then known and left out.
 */
export class BlockReader {
  /** Keys of the block, one after the other. */
  keys: Uint8Array<ArrayBuffer>;
  /** Values of the block, one after the other. */
  values: Uint8Array<ArrayBuffer>;
  /** Number of elements in the block. */
  count = 0;
  /** Is each key read with its value, in one system call for many. */
  batched: boolean;
  readonly #source: BlockSource;
  readonly #keysOnly: boolean;
  readonly #remove: boolean;
  /** Where the last batch ended, and where the next will: a failed batch may have written to the latter. */
  #cursors: readonly [last: Uint8Array, next: Uint8Array];
  #seen: Set<string> | undefined;
  #room: number;
  #started = false;
  #done = false;
  #repeated = 0;
  #walk: sys.MapElements | undefined;

  constructor(source: BlockSource, options: BlockOptions = {}) {
    const { keySize, elementSize, type } = source;
    const fitting = Math.floor(BLOCK_BYTES / (keySize + elementSize));
    this.#source = source;
    this.#keysOnly = options.keysOnly ?? false;
    this.#remove = options.remove ?? false;
    this.#room = options.size ?? Math.max(16, Math.min(BLOCK_COUNT, fitting));
    const kind = mapKind(type);
    const stable = kind === "array" || kind === "slots";
    this.#seen = stable || kind === "hash" ? undefined : new Set();
    // Arrays of references have holes: before 6.14 a batch ends there.
    this.batched = kind === "hash" || kind === "array" || type === BpfMapType.BPF_MAP_TYPE_LPM_TRIE;
    const cursorBytes = Math.max(keySize, CURSOR_BYTES);
    this.#cursors = [new Uint8Array(cursorBytes), new Uint8Array(cursorBytes)];
    this.keys = new Uint8Array(0);
    this.values = this.keys;
    if (this.batched) this.#allocate();
  }

  /**
   * Reads the next block to {@linkcode BlockReader.keys} and {@linkcode BlockReader.values}.
   *
   * @returns `false` if there is none.
   * @throws {sys.SyscallError} if the kernel refuses it.
   */
  read(): boolean {
    while (!this.#done) {
      if (this.batched) this.#readBatch();
      else this.#readOne();
      if (this.#seen !== undefined) this.#leaveOutSeen(this.#seen);
      if (this.count > 0) return true;
    }
    return false;
  }

  #allocate(): void {
    this.keys = new Uint8Array(this.#room * this.#source.keySize);
    this.values = new Uint8Array(this.#room * this.#source.elementSize);
  }

  #readBatch(): void {
    const { fd, place } = this.#source;
    const read = this.#remove ? sys.mapLookupAndDeleteBatch : sys.mapLookupBatch;
    for (let attempt = 1;; attempt++) {
      const [last, next] = this.#cursors;
      try {
        const { count, done } = read(fd.value, {
          inBatch: this.#started ? last : null,
          outBatch: next,
          keys: this.keys,
          values: this.values,
          count: this.#room,
        });
        this.#cursors = [next, last];
        this.#started = true;
        this.#done = done;
        this.count = count;
        return;
      } catch (error) {
        if (!(error instanceof sys.SyscallError)) throw error;
        if (error.code === "ENOSPC") {
          // A bucket is read whole or not at all.
          this.#room *= 2;
          this.#allocate();
        } else if (!this.#started && !this.#remove && (error.code === "ENOTSUPP" || error.code === "EINVAL")) {
          // The type has no batches, or the kernel is older than 5.6 (per-CPU arrays 5.13).
          this.#walkInstead();
          return;
        } else if (error.code !== "EINTR" || attempt >= ATTEMPTS) {
          // EINTR: an element went away between being found and being read (before 6.14).
          throw error.at(place);
        }
      }
    }
  }

  #walkInstead(): void {
    this.batched = false;
    if (mapKind(this.#source.type) === "hash") this.#seen = new Set();
    this.#readOne();
  }

  #readOne(): void {
    const { fd, keySize, elementSize, place } = this.#source;
    const walk = this.#walk ??= new sys.MapElements(fd, keySize, elementSize, place);
    this.keys = walk.key;
    this.values = walk.value;
    do {
      this.count = 0;
      if (!walk.next(!this.#started)) {
        this.#done = true;
        return;
      }
      this.#started = true;
      // An index without an element, or a key that is gone by now.
    } while (!this.#keysOnly && !walk.lookup());
    this.count = 1;
  }

  #leaveOutSeen(seen: Set<string>): void {
    const { keySize, elementSize, place } = this.#source;
    let kept = 0;
    for (let index = 0; index < this.count; index++) {
      const from = index * keySize;
      const before = seen.size;
      seen.add(String.fromCharCode(...this.keys.subarray(from, from + keySize)));
      if (seen.size === before) {
        this.#repeated++;
        continue;
      }
      this.#repeated = 0;
      if (kept !== index) {
        this.keys.copyWithin(kept * keySize, from, from + keySize);
        this.values.copyWithin(kept * elementSize, index * elementSize, (index + 1) * elementSize);
      }
      kept++;
    }
    this.count = kept;
    if (this.#repeated > 2 * seen.size + PATIENCE) {
      throw new Error(`${place}: elements are removed faster than the map can be read from key to key`);
    }
  }
}
