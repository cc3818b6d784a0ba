/**
 * The memory of arenas. A process maps an arena at one address only, which pointers in it count on (kernel/bpf/arena.c), so all
 * views of it share a mapping.
 *
 * @module
 */
import type { MapSpec } from "../../lib/spec/mod.ts";
import * as sys from "../sys/mod.ts";

/** Mapped memory that one view has. */
export interface MapMemory {
  /** The memory; detached after {@linkcode MapMemory.close}. */
  readonly buffer: ArrayBuffer;
  /** Was it closed. */
  readonly closed: boolean;
  /** Gives it up. Closing again does nothing. */
  close(): void;
}

/** An arena's mapping, and how many views use it. */
class SharedArena {
  readonly #fd: sys.Fd;
  readonly #length: number;
  readonly #place: string;
  #address: bigint | undefined;
  #mapping: sys.Mapping | undefined;
  #users = 0;

  constructor(fd: sys.Fd, spec: MapSpec) {
    this.#fd = fd;
    this.#place = `map "${spec.name}"`;
    this.#length = spec.maxEntries * sys.pageSize();
    this.#address = spec.extra === 0n ? undefined : spec.extra;
  }

  acquire(): sys.Mapping {
    this.#mapping ??= this.#map();
    // The kernel keeps the address, mapped or not.
    this.#address = this.#mapping.address;
    this.#users++;
    return this.#mapping;
  }

  #map(): sys.Mapping {
    try {
      return sys.mapMemory({ fd: this.#fd.value, length: this.#length, address: this.#address, writable: true });
    } catch (error) {
      if (!(error instanceof sys.SyscallError) || error.code !== "EEXIST") throw error;
      const hint = `something else is at 0x${this.#address?.toString(16)}, where map_extra says that the arena is: ` +
        "the same object, loaded twice? Change or leave out map_extra";
      throw new sys.SyscallError(error.call, error.errno, { hint, place: this.#place, cause: error });
    }
  }

  release(): void {
    if (--this.#users > 0) return;
    this.#mapping?.close();
    this.#mapping = undefined;
  }
}

/** One view's part in it: closing it leaves the others what they have. */
class ArenaShare implements MapMemory {
  readonly #arena: SharedArena;
  readonly #buffer: ArrayBuffer;
  #closed = false;

  constructor(arena: SharedArena) {
    this.#buffer = arena.acquire().lend();
    this.#arena = arena;
  }

  get buffer(): ArrayBuffer {
    return this.#buffer;
  }

  get closed(): boolean {
    return this.#closed;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#buffer.transfer(0);
    this.#arena.release();
  }
}

const arenas = new WeakMap<sys.Fd, SharedArena>();

/**
 * The memory of an arena, for one more view.
 *
 * @throws {sys.SyscallError} if the kernel refuses it: code `EEXIST` if something else is where it has to be.
 */
export function arenaMemory(fd: sys.Fd, spec: MapSpec): MapMemory {
  let arena = arenas.get(fd);
  if (arena === undefined) arenas.set(fd, arena = new SharedArena(fd, spec));
  return new ArenaShare(arena);
}
