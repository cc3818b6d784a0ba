/**
 * The buffers of all CPUs that are online, and their places in a perf event array: CPUs come and go.
 *
 * @module
 */
import { UnsupportedError } from "../../lib/errors.ts";
import { BpfMapType } from "../../lib/uapi/mod.ts";
import type { BpfMap } from "../map/mod.ts";
import * as sys from "../sys/mod.ts";
import { claimMap } from "./being_read.ts";
import { PerfCpu, type PerfCpuOptions } from "./perf_cpu.ts";

/** How the buffers of a perf event array are made. */
export interface PerfOptions {
  /** Size of each CPU's buffer in pages, a power of two; 16 by default, which are 64 KiB mostly. */
  readonly pages?: number | undefined;
  /** Only the buffer of one CPU, at this index of the map; by default each CPU that is online has its number's index. */
  readonly only?: { readonly cpu: number; readonly index: number } | undefined;
}

/** So often the CPUs are looked at that are online. */
const LOOK_MS = 1000;

/** Perf events in a map, one for each CPU that is online. */
export class PerfCpus<T> implements Disposable {
  /** Size of each buffer in bytes. */
  readonly sizeBytes: number;
  /** By number of the CPU. */
  readonly open: Map<number, { readonly cpu: PerfCpu; readonly reader: T }> = new Map();
  #list: { readonly cpu: PerfCpu; readonly reader: T }[] | undefined;
  readonly #options: PerfCpuOptions;
  readonly #added: (cpu: PerfCpu) => T;
  readonly #removed: (cpu: PerfCpu, reader: T) => void;
  readonly #empty: (reader: T) => boolean;
  /** CPUs that went offline and whose records are not all read. */
  readonly #gone = new Set<number>();
  readonly #fd: number;
  readonly #limit: number;
  readonly #only: PerfOptions["only"];
  readonly #resources: DisposableStack;
  #looked = performance.now();

  /**
   * Opens an event for each CPU and puts it into `map`.
   *
   * @param map A perf event array; may be closed before this.
   * @param options `pages`, and what {@linkcode PerfCpu} takes.
   * @param follow What to do with CPUs that come and go.
   */
  constructor(
    map: BpfMap,
    options: PerfOptions & Omit<PerfCpuOptions, "sizeBytes">,
    follow: {
      added: (cpu: PerfCpu) => T;
      removed: (cpu: PerfCpu, reader: T) => void;
      empty: (reader: T) => boolean;
    },
  ) {
    if (map.spec.type !== BpfMapType.BPF_MAP_TYPE_PERF_EVENT_ARRAY) {
      throw new UnsupportedError(
        "reading events",
        `map "${map.name}" is not a perf event array (BPF_MAP_TYPE_PERF_EVENT_ARRAY)`,
      );
    }
    const { pages = 16 } = options;
    if (!Number.isInteger(pages) || pages < 1 || (pages & (pages - 1)) !== 0) {
      throw new RangeError(`pages: ${pages} is no power of two`);
    }
    using cleanup = new DisposableStack();
    const { id, maxEntries } = sys.mapInfo(map.fd);
    cleanup.use(claimMap(id, `perf event array "${map.name}"`));
    this.sizeBytes = pages * sys.pageSize();
    this.#options = { ...options, sizeBytes: this.sizeBytes };
    this.#added = follow.added;
    this.#removed = follow.removed;
    this.#empty = follow.empty;
    this.#fd = cleanup.use(sys.duplicateFd(map.fd)).value;
    this.#limit = maxEntries;
    this.#only = options.only;
    cleanup.defer(() => {
      // All of them, also if one cannot be taken out.
      using all = new DisposableStack();
      for (const number of this.open.keys()) all.defer(() => this.#remove(number));
    });
    for (const number of this.#wanted()) this.#add(number);
    this.#resources = cleanup.move();
  }

  /** All that are open: made anew only when one comes or goes. */
  get list(): readonly { readonly cpu: PerfCpu; readonly reader: T }[] {
    return this.#list ??= [...this.open.values()];
  }

  /** Opens buffers for CPUs that have come, and closes those of CPUs that have gone; looks once a second at most. */
  follow(): void {
    const now = performance.now();
    if (now - this.#looked < LOOK_MS && this.#gone.size === 0) return;
    this.#looked = now;
    const online = new Set(this.#wanted());
    for (const number of this.open.keys()) if (!online.has(number)) this.#gone.add(number);
    // The event of a CPU that was away counts no more when it is back: it gets a new one, once the old one has been read.
    for (const number of [...this.#gone]) {
      if (!this.#empty(this.open.get(number)!.reader)) continue;
      this.#gone.delete(number);
      this.#remove(number);
    }
    for (const number of online) if (!this.open.has(number)) this.#add(number);
  }

  /** Takes all events out of the map and closes them. */
  [Symbol.dispose](): void {
    this.#resources.dispose();
  }

  /** Numbers of the CPUs that are online and to be read. */
  #wanted(): number[] {
    const online = sys.onlineCpus();
    const only = this.#only?.cpu;
    return only === undefined ? online : online.filter((number) => number === only);
  }

  #index(number: number): number {
    return this.#only?.index ?? number;
  }

  /** A CPU whose number the map has no place for cannot send anything: the program's call fails there. */
  #add(number: number): void {
    if (this.#index(number) >= this.#limit) return;
    using cleanup = new DisposableStack();
    try {
      const cpu = cleanup.use(new PerfCpu(number, this.#options));
      const reader = this.#added(cpu);
      this.open.set(number, { cpu, reader });
      this.#list = undefined;
      cleanup.defer(() => this.open.delete(number));
      sys.mapUpdateElem(this.#fd, words(this.#index(number)), words(cpu.fd));
    } catch (error) {
      // It has gone since the list was read.
      if (error instanceof sys.SyscallError && error.code === "ENODEV") return;
      throw error;
    }
    cleanup.move();
  }

  #remove(number: number): void {
    const { cpu, reader } = this.open.get(number)!;
    this.open.delete(number);
    this.#list = undefined;
    using _closed = cpu;
    this.#removed(cpu, reader);
    // The map holds the event and its buffer as long as it is there.
    sys.mapDeleteElem(this.#fd, words(this.#index(number)));
  }
}

function words(value: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Int32Array.of(value).buffer);
}
