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
/** Waiting has no time limit: what is closed wakes it by the eventfd. */
const NO_TIMEOUT = -1;

interface Waiting {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

/** The library's only waiter; it has file descriptors only while somebody waits or is registered. */
class Waiter {
  #epoll: sys.Fd | undefined;
  #wake: sys.Fd | undefined;
  readonly #registered = new Set<number>();
  readonly #waiting = new Map<number, Waiting>();
  #running = false;

  register(fd: number): void {
    this.#open();
    sys.epollAdd(this.#epoll!.value, fd, sys.EPOLLIN | sys.EPOLLONESHOT);
    this.#registered.add(fd);
  }

  unregister(fd: number): void {
    if (!this.#registered.delete(fd)) return;
    sys.epollDelete(this.#epoll!.value, fd);
    this.#waiting.get(fd)?.resolve();
    this.#waiting.delete(fd);
    if (this.#waiting.size > 0) return;
    // A wait that is under way would hold the process open; it needs the descriptors until it has returned.
    if (this.#running) sys.eventfdSignal(this.#wake!.value);
    else if (this.#registered.size === 0) this.#close();
  }

  readable(fd: number): Promise<void> {
    const already = this.#waiting.get(fd);
    if (already !== undefined) return already.promise;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.set(fd, { promise, resolve });
    // One-shot: a descriptor nobody waits for must not end the wait again and again.
    sys.epollModify(this.#epoll!.value, fd, sys.EPOLLIN | sys.EPOLLONESHOT);
    if (!this.#running) this.#run();
    return promise;
  }

  #open(): void {
    if (this.#epoll !== undefined) return;
    using cleanup = new DisposableStack();
    const epoll = cleanup.use(sys.epollCreate());
    const wake = cleanup.use(sys.eventfdCreate());
    sys.epollAdd(epoll.value, wake.value, sys.EPOLLIN);
    cleanup.move();
    this.#epoll = epoll;
    this.#wake = wake;
  }

  #close(): void {
    this.#epoll?.close();
    this.#wake?.close();
    this.#epoll = this.#wake = undefined;
  }

  async #run(): Promise<void> {
    this.#running = true;
    const epoll = this.#epoll!.value;
    const wake = this.#wake!.value;
    while (this.#waiting.size > 0) {
      for (const fd of await sys.epollWait(epoll, READY_LIMIT, NO_TIMEOUT)) {
        if (fd === wake) {
          sys.eventfdClear(wake);
          continue;
        }
        this.#waiting.get(fd)?.resolve();
        this.#waiting.delete(fd);
      }
    }
    this.#running = false;
    if (this.#registered.size === 0) this.#close();
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

  /** Resolves when the descriptor can be read, or at once when this object has been disposed of. */
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
