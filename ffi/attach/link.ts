/**
 * A program's attachment as a live object.
 *
 * @module
 */
import type * as sys from "../sys/mod.ts";

/** The kinds of attachment that this library makes. */
export type LinkKind = "raw_tracepoint" | "tracepoint" | "tracing";

/**
 * An attachment: the program runs until the link is closed. A link may consist of several file descriptors (perf events
 * of kernels before 5.15); they are closed in reverse order of opening.
 */
export class Link implements Disposable {
  /** How the program is attached. */
  readonly kind: LinkKind;
  /** What it is attached to: `sched/sched_process_exec`. */
  readonly target: string;
  /** Name of the program. */
  readonly program: string;
  readonly #fds: readonly sys.Fd[];

  /**
   * Takes over what holds an attachment.
   *
   * @param kind How the program is attached.
   * @param target What it is attached to.
   * @param program Name of the program.
   * @param fds What has to be closed to detach it.
   */
  constructor(kind: LinkKind, target: string, program: string, fds: readonly sys.Fd[]) {
    this.kind = kind;
    this.target = target;
    this.program = program;
    this.#fds = fds;
  }

  /** The last file descriptor opened: a BPF link where the kernel has them. */
  get fd(): number {
    return this.#fds[this.#fds.length - 1]!.value;
  }

  /** Detaches the program. Closing again does nothing. */
  close(): void {
    for (const fd of this.#fds.toReversed()) fd.close();
  }

  /** As {@linkcode Link.close}. */
  [Symbol.dispose](): void {
    this.close();
  }
}
