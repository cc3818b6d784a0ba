/**
 * Waiting for file descriptors without blocking the event loop: one epoll for the whole library.
 *
 * A call that waits runs on one of about 32 threads of Deno's pool and cannot be cancelled, so there is never more than
 * one, whatever the number of streams; and an eventfd ends it when the last stream closes, so the process can end.
 *
 * @module
 */
import * as sys from "../sys/mod.ts";

/** How many ready file descriptors one wait can report; the others are reported by the next. */
const READY_LIMIT = 64;
/**
 * A record that is submitted or discarded with `BPF_RB_NO_WAKEUP` wakes nobody, and neither do those behind it: the
 * kernel wakes only for the record that the consumer has come to (bpf_ringbuf_commit()). So whoever waits looks again
 * after this time: 0.2 % of a CPU for a program that is idle.
 */
const LONGEST_WAIT_MS = 250;

interface Waiting {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/** The library's only waiter; it has file descriptors only while somebody waits or is registered. */
class Waiter {
  #epoll: sys.Fd | undefined;
  #wake: sys.Fd | undefined;
  readonly #registered = new Set<number>();
  readonly #waiting = new Map<number, Waiting>();
  #running = false;

  register(fd: number): void {
    const epoll = this.#open();
    try {
      sys.epollAdd(epoll, fd, sys.EPOLLIN | sys.EPOLLONESHOT);
      this.#registered.add(fd);
    } finally {
      this.#closeIfUnused();
    }
  }

  unregister(fd: number): void {
    if (!this.#registered.delete(fd)) return;
    try {
      sys.epollDelete(this.#epoll!.value, fd);
    } finally {
      this.#waiting.get(fd)?.resolve();
      this.#waiting.delete(fd);
      // A wait that is under way would hold the process open; it needs the descriptors until it has returned.
      if (this.#running && this.#waiting.size === 0) sys.eventfdSignal(this.#wake!.value);
      this.#closeIfUnused();
    }
  }

  readable(fd: number): Promise<void> {
    const already = this.#waiting.get(fd);
    if (already !== undefined) return already.promise;
    // One-shot: a descriptor nobody waits for must not end the wait again and again.
    sys.epollModify(this.#epoll!.value, fd, sys.EPOLLIN | sys.EPOLLONESHOT);
    const waiting = Promise.withResolvers<void>();
    this.#waiting.set(fd, waiting);
    if (!this.#running) this.#run(this.#epoll!.value, this.#wake!.value);
    return waiting.promise;
  }

  #open(): number {
    if (this.#epoll === undefined) {
      using cleanup = new DisposableStack();
      const epoll = cleanup.use(sys.epollCreate());
      const wake = cleanup.use(sys.eventfdCreate());
      sys.epollAdd(epoll.value, wake.value, sys.EPOLLIN);
      cleanup.move();
      this.#epoll = epoll;
      this.#wake = wake;
    }
    return this.#epoll.value;
  }

  #closeIfUnused(): void {
    if (this.#running || this.#registered.size > 0) return;
    this.#epoll?.close();
    this.#wake?.close();
    this.#epoll = this.#wake = undefined;
  }

  async #run(epoll: number, wake: number): Promise<void> {
    this.#running = true;
    try {
      while (this.#waiting.size > 0) {
        const ready = await sys.epollWait(epoll, READY_LIMIT, LONGEST_WAIT_MS);
        if (ready.includes(wake)) sys.eventfdClear(wake);
        for (const fd of ready.length === 0 ? [...this.#waiting.keys()] : ready) {
          this.#waiting.get(fd)?.resolve();
          this.#waiting.delete(fd);
        }
      }
    } catch (error) {
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    } finally {
      this.#running = false;
      this.#closeIfUnused();
    }
  }
}

const WAITER = new Waiter();

/** A file descriptor that can be waited for; disposing of it ends a wait that is under way. */
export class Readiness implements Disposable {
  readonly #fd: number;
  #open = true;

  /** @param fd A file descriptor that stays open until this object is disposed of. */
  constructor(fd: number) {
    this.#fd = fd;
    WAITER.register(fd);
  }

  /**
   * Resolves when the descriptor can be read, or at once when this object has been disposed of; after
   * {@linkcode LONGEST_WAIT_MS} in any case.
   */
  readable(): Promise<void> {
    return this.#open ? WAITER.readable(this.#fd) : Promise.resolve();
  }

  /** Ends the wait. Doing so again does nothing. */
  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#open = false;
    WAITER.unregister(this.#fd);
  }
}
