/**
 * The program of an attachment without a BPF link: to take just that away again, the kernel has to be shown it.
 *
 * @module
 */
import * as sys from "../sys/mod.ts";
import type { Attachable } from "./link.ts";

/** A program that is held until it is detached. */
export class HeldProgram implements Disposable {
  #fd: sys.Fd;

  /** @param program The program, which may be closed meanwhile. */
  constructor(program: Attachable) {
    this.#fd = sys.duplicateFd(program.fd);
  }

  /** Its file descriptor. */
  get fd(): number {
    return this.#fd.value;
  }

  /** Holds another program from now on, if `update` could put it in the place of this one. */
  replace(program: Attachable, update: (fd: number) => void): void {
    using cleanup = new DisposableStack();
    const next = cleanup.use(sys.duplicateFd(program.fd));
    update(next.value);
    cleanup.move();
    this.#fd.close();
    this.#fd = next;
  }

  /** Detaches with `detach`, and lets go of the program also if that fails. */
  release(detach: (fd: number) => void): void {
    using fd = this.#fd;
    detach(fd.value);
  }

  /** Lets go of the program. */
  [Symbol.dispose](): void {
    this.#fd.close();
  }
}
