/**
 * A program's attachment as a live object.
 *
 * @module
 */
import type { AttachKind } from "../../lib/spec/mod.ts";
import type * as sys from "../sys/mod.ts";

/** What {@linkcode Link} is made of. */
export interface LinkParts {
  /** How the program is attached. */
  readonly kind: AttachKind;
  /** What it is attached to: `sched/sched_process_exec`. */
  readonly target: string;
  /** Name of the program. */
  readonly program: string;
  /** What has to be closed to detach it, in order of opening. */
  readonly fds: readonly sys.Fd[];
  /** Those of `fds` that are BPF links; none where the kernel attaches such programs without a link. */
  readonly links?: readonly sys.Fd[] | undefined;
  /** What detaches it apart from closing: done once, before anything is closed. */
  readonly undo?: (() => void) | undefined;
}

/**
 * An attachment: the program runs until the link is closed. A link may consist of several file descriptors (perf events,
 * one for each CPU or function); they are closed in reverse order of opening.
 */
export class Link implements Disposable {
  /** How the program is attached. */
  readonly kind: AttachKind;
  /** What it is attached to: `sched/sched_process_exec`. */
  readonly target: string;
  /** Name of the program. */
  readonly program: string;
  readonly #fds: readonly sys.Fd[];
  #undo: (() => void) | undefined;

  /**
   * Takes over what holds an attachment.
   *
   * @param parts What that is.
   */
  constructor(parts: LinkParts) {
    this.kind = parts.kind;
    this.target = parts.target;
    this.program = parts.program;
    this.#fds = parts.fds;
    this.#undo = parts.undo;
  }

  /** The last file descriptor opened: a BPF link where the kernel has them. */
  get fd(): number {
    return this.#fds[this.#fds.length - 1]!.value;
  }

  /** Detaches the program. Closing again does nothing. */
  close(): void {
    const undo = this.#undo;
    this.#undo = undefined;
    try {
      undo?.();
    } finally {
      for (const fd of this.#fds.toReversed()) fd.close();
    }
  }

  /** As {@linkcode Link.close}. */
  [Symbol.dispose](): void {
    this.close();
  }
}
