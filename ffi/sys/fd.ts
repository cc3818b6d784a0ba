/**
 * An owned file descriptor.
 *
 * @module
 */
import { calls } from "./calls.ts";
import { Errno } from "./errno.ts";
import { SyscallError } from "./errors.ts";
import { check } from "./fail.ts";

/** `fcntl` command (linux/fcntl.h). */
const F_DUPFD_CLOEXEC = 1030;

/**
 * Owns a file descriptor and closes it once. A number that was closed is never used again by mistake: the kernel gives it
 * to the next file that anybody opens.
 */
export class Fd implements Disposable {
  #fd: number;

  /**
   * Takes over a file descriptor.
   *
   * @param fd The file descriptor, which now belongs to this object.
   */
  constructor(fd: number) {
    this.#fd = fd;
  }

  /**
   * The number, for a call that does not outlive this object.
   *
   * @throws {SyscallError} with code `EBADF` after {@linkcode Fd.close} or {@linkcode Fd.take}.
   */
  get value(): number {
    if (this.#fd < 0) throw new SyscallError("use of a file descriptor", Errno.EBADF, { hint: "it was closed before" });
    return this.#fd;
  }

  /** Was it closed or taken. */
  get closed(): boolean {
    return this.#fd < 0;
  }

  /**
   * The number, which now belongs to the caller: this object is as good as closed.
   *
   * @throws {SyscallError} with code `EBADF` if it is closed.
   */
  take(): number {
    const fd = this.value;
    this.#fd = -1;
    return fd;
  }

  /**
   * A second file descriptor of the same object.
   *
   * @throws {SyscallError} if it is closed or the limit of open files is reached.
   */
  dup(): Fd {
    return duplicateFd(this.value);
  }

  /** Closes it. Closing again does nothing. */
  close(): void {
    const fd = this.#fd;
    if (fd < 0) return;
    this.#fd = -1;
    // Linux has closed it whatever close(2) says; trying again would close somebody else's.
    calls.close(fd);
  }

  /** As {@linkcode Fd.close}. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * A second file descriptor of the same object.
 *
 * @throws {SyscallError} if it is closed (code `EBADF`) or the limit of open files is reached (`EMFILE`).
 */
export function duplicateFd(fd: number): Fd {
  return new Fd(check("fcntl(F_DUPFD_CLOEXEC)", calls.fcntl(fd, F_DUPFD_CLOEXEC, 0)));
}
