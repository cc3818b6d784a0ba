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

  /**
   * Holds another program from now on, if `update` could put it in the place of this one.
   *
   * @param program The other program.
   * @param expected What this one has to be.
   * @param update Does it.
   * @throws {sys.SyscallError} with code `EPERM` if this is another one than is expected.
   */
  replace(program: Attachable, expected: Attachable | undefined, update: (fd: number) => void): void {
    if (expected !== undefined) checkExpected(expected, [sys.progInfo(this.fd).id]);
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

/**
 * What the kernel says where it is told what to expect.
 *
 * @param expected The program that has to be attached.
 * @param attached Ids of those that are.
 * @throws {sys.SyscallError} with code `EPERM` if it is not among them.
 */
export function checkExpected(expected: Attachable, attached: ArrayLike<number>): void {
  const { id } = sys.progInfo(expected.fd);
  const ids = Array.from(attached);
  if (ids.includes(id)) return;
  const found = ids.length === 0 ? "no program is" : `program ${ids.join(", ")} is`;
  const hint = `${found} attached, not the expected program "${expected.name}" (id ${id})`;
  throw new sys.SyscallError("replacing a program", sys.Errno.EPERM, { hint });
}
