/**
 * A perf event array (`BPF_MAP_TYPE_PERF_EVENT_ARRAY`, 4.3) as something to read from: one buffer for each CPU, filled by
 * bpf_perf_event_output.
 *
 * @module
 */
import type { BpfMap } from "../map/mod.ts";
import * as sys from "../sys/mod.ts";
import { Pace, turn } from "./pace.ts";
import type { PerfCpu } from "./perf_cpu.ts";
import { PerfCpus, type PerfOptions } from "./perf_cpus.ts";
import { PerfRing, readOverwritable } from "./perf_ring.ts";
import type { RecordSource } from "./record_source.ts";
import type { RecordHandler } from "./ring.ts";
import { Readiness } from "./waiter.ts";

/** How a perf buffer is made. */
export interface PerfBufferOptions extends PerfOptions {
  /** Wake up after so many records of a CPU; 1 by default. What is there is read after a quarter of a second in any case. */
  readonly wakeupEvents?: number | undefined;
  /** Wake up after so many bytes of a CPU, instead. */
  readonly watermarkBytes?: number | undefined;
  /** Records carry the time when they were sent: {@linkcode perfRecordTime}. */
  readonly timestamps?: boolean | undefined;
}

/** The buffers of a perf event array. It keeps what it needs of the map: the map may be closed before it. */
export class PerfBuffer implements RecordSource {
  /** Name of the map. */
  readonly name: string;
  /** Each CPU has a buffer. */
  readonly perCpu: boolean = true;
  readonly #cpus: PerfCpus<PerfRing>;
  readonly #epoll: sys.Fd;
  readonly #resources: DisposableStack;
  readonly #pace: Pace;
  readonly #timed: boolean;
  /** What CPUs had lost that are gone. */
  #lostBefore = 0;
  #reading = false;
  #closed = false;
  /** The CPU whose records come first the next time, so that a busy one does not keep the others waiting. */
  #turn = 0;

  /**
   * Opens a buffer for each CPU that is online.
   *
   * @param map The perf event array.
   * @param options Size, wake-ups.
   * @throws {UnsupportedError} if `map` is something else.
   * @throws {Error} if it is being read already.
   * @throws {SyscallError} if the kernel refuses it: `EPERM` without CAP_PERFMON, or when the locked memory is used up.
   */
  constructor(map: BpfMap, options: PerfBufferOptions = {}) {
    const { wakeupEvents = 1, watermarkBytes, pages, only, timestamps = false } = options;
    this.#timed = timestamps;
    using cleanup = new DisposableStack();
    this.name = map.name;
    this.#epoll = cleanup.use(sys.epollCreate());
    this.#cpus = cleanup.use(
      new PerfCpus<PerfRing>(map, { pages, only, wakeupEvents, watermarkBytes, timestamps, overwritable: false }, {
        added: (cpu) => this.#added(cpu),
        removed: (cpu, ring) => this.#removed(cpu, ring),
        empty: (ring) => ring.usedBytes === 0,
      }),
    );
    this.#pace = new Pace(cleanup.use(new Readiness(this.#epoll.value)));
    this.#resources = cleanup.move();
  }

  /** Size of each CPU's buffer in bytes. */
  get sizeBytes(): number {
    return this.#cpus.sizeBytes;
  }

  /** How full the fullest one is, in bytes. */
  get usedBytes(): number {
    if (this.#closed) return 0;
    return Math.max(0, ...[...this.#cpus.open.values()].map(({ reader }) => reader.usedBytes));
  }

  /**
   * Records that did not fit, or came while it was paused. The kernel tells at once since 6.0; before, only when there is
   * room again and another record comes.
   */
  get lost(): number {
    let lost = this.#lostBefore;
    for (const { cpu, reader } of this.#cpus.open.values()) lost += cpu.lost() ?? reader.lost;
    return lost;
  }

  /** Numbers of the CPUs that have a buffer. */
  get cpus(): number[] {
    return [...this.#cpus.open.keys()].sort((a, b) => a - b);
  }

  /** As {@linkcode RecordSource.drain}: the records of each CPU in order, one CPU after the other. */
  drain(handler: RecordHandler, limit?: number): number {
    return this.drainCpus(() => handler, limit);
  }

  /**
   * As {@linkcode PerfBuffer.drain}, with a handler for each CPU.
   *
   * @param handlerOf Gives the handler of a CPU's records.
   * @param limit How many at most.
   */
  drainCpus(handlerOf: (cpu: number) => RecordHandler, limit: number = Infinity): number {
    if (this.#closed) return 0;
    if (this.#reading) throw new Error(`perf event array "${this.name}" is being drained already`);
    this.#reading = true;
    let count = 0;
    try {
      const rings = this.#cpus.list;
      const first = this.#turn++;
      for (let i = 0; i < rings.length && count < limit; i++) {
        const { cpu, reader } = rings[(first + i) % rings.length]!;
        if (reader.usedBytes > 0) count += reader.drain(handlerOf(cpu.cpu), limit - count);
      }
    } finally {
      this.#reading = false;
      this.#pace.note(count);
      if (this.#closed) this.#resources.dispose();
    }
    return count;
  }

  /** Hands one record to `handler`; `false` if there is none. */
  next(handler: RecordHandler): boolean {
    return this.drain(handler, 1) > 0;
  }

  /** Nothing is written from now on; what comes is lost, and counted. */
  pause(): void {
    this.#pause(true);
  }

  /** Ends a pause. */
  resume(): void {
    this.#pause(false);
  }

  /** Resolves when there may be records, or when it is closed. Does not block the event loop. */
  async readable(): Promise<void> {
    if (this.#closed) return;
    if (!this.#reading) this.#cpus.follow();
    const waiting = this.#pace.wait();
    // To look whether a perf event is ready clears that it is (perf_poll()): what came before must not be waited for.
    if (this.usedBytes > 0) await turn();
    else await waiting;
  }

  /** Is it closed. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Takes the buffers out of the map and unmaps them. Closing again does nothing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const { reader } of this.#cpus.open.values()) reader.stop();
    if (!this.#reading) this.#resources.dispose();
  }

  /** As {@linkcode PerfBuffer.close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  #pause(paused: boolean): void {
    for (const { cpu } of this.#cpus.open.values()) sys.perfEventPause(cpu.fd, paused);
  }

  #added(cpu: PerfCpu): PerfRing {
    // An epoll in the library's: its readiness is that of any of these.
    sys.epollAdd(this.#epoll.value, cpu.fd, sys.EPOLLIN);
    return new PerfRing(cpu.memory, sys.pageSize(), this.#timed);
  }

  #removed(cpu: PerfCpu, ring: PerfRing): void {
    this.#lostBefore += cpu.lost() ?? ring.lost;
    sys.epollDelete(this.#epoll.value, cpu.fd);
  }
}

/**
 * The last records of each CPU, as many as fit: the kernel writes new ones over the oldest, and nothing waits for a reader
 * (`write_backward`, 4.7). For what is of interest only when something has happened.
 */
export class PerfSnapshot implements Disposable {
  readonly #cpus: PerfCpus<undefined>;

  /**
   * Opens a buffer for each CPU that is online.
   *
   * @param map The perf event array.
   * @param options `pages`: the size of each.
   * @throws {UnsupportedError} if `map` is something else.
   * @throws {Error} if it is being read already.
   * @throws {SyscallError} if the kernel refuses it.
   */
  constructor(map: BpfMap, options: PerfOptions = {}) {
    this.#cpus = new PerfCpus<undefined>(
      map,
      { ...options, wakeupEvents: 0, watermarkBytes: undefined, timestamps: false, overwritable: true },
      { added: () => undefined, removed: () => {}, empty: () => true },
    );
  }

  /**
   * Hands the records that are there to `handler`, of each CPU the oldest first; they stay there. Meanwhile the program
   * cannot send any.
   *
   * @returns How many there were.
   */
  read(handler: RecordHandler): number {
    this.#cpus.follow();
    let count = 0;
    for (const { cpu } of this.#cpus.open.values()) {
      sys.perfEventPause(cpu.fd, true);
      try {
        count += readOverwritable(cpu.memory, sys.pageSize(), handler);
      } finally {
        sys.perfEventPause(cpu.fd, false);
      }
    }
    return count;
  }

  /** Takes the buffers out of the map and unmaps them. Closing again does nothing. */
  close(): void {
    this.#cpus[Symbol.dispose]();
  }

  /** As {@linkcode PerfSnapshot.close}. */
  [Symbol.dispose](): void {
    this.close();
  }
}
