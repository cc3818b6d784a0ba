/**
 * A program's attachment as a live object.
 *
 * @module
 */
import { UnsupportedError } from "../../lib/errors.ts";
import type { AttachKind } from "../../lib/spec/mod.ts";
import { pin, type PinOptions } from "../pin/mod.ts";
import * as sys from "../sys/mod.ts";
import { isDetached } from "./link_kind.ts";
import { describeOpened } from "./opened_link.ts";
import { updateLinks } from "./update_links.ts";

/** How a link's program is attached: `"other"` for links of a kind that is not known here. */
export type LinkKind = AttachKind | "other";

/** What takes a link's place or is expected there: a `BpfProgram`; a `BpfMap` where the link is of a struct_ops map. */
export interface Attachable {
  /** Its file descriptor. */
  readonly fd: number;
  /** Its name. */
  readonly name: string;
}

/** What {@linkcode Link} is made of. */
export interface LinkParts {
  /** How the program is attached. */
  readonly kind: LinkKind;
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
  /** What cleans up once everything is closed: done once. */
  readonly after?: (() => void) | undefined;
  /** What puts another program in its place where there are no BPF links, if that is possible. */
  readonly update?: ((program: Attachable, expected: Attachable | undefined) => void) | undefined;
}

/** How {@linkcode Link.update} is done. */
export interface LinkUpdateOptions {
  /** Fail, and change nothing, unless this is attached now. */
  readonly expected?: Attachable | undefined;
}

/**
 * An attachment: the program runs until the link is closed. A link may consist of several file descriptors (perf events,
 * one for each CPU or function); they are closed in reverse order of opening.
 *
 * What the kernel holds by BPF links goes with the process; a pinned one stays until the pin is removed.
 */
export class Link implements Disposable {
  /** How the program is attached. */
  readonly kind: LinkKind;
  /** What it is attached to: `sched/sched_process_exec`. */
  readonly target: string;
  readonly #fds: readonly sys.Fd[];
  readonly #links: readonly sys.Fd[];
  readonly #update: LinkParts["update"];
  #program: string;
  #undo: (() => void) | undefined;
  #after: (() => void) | undefined;

  /**
   * Takes over what holds an attachment.
   *
   * @param parts What that is.
   */
  constructor(parts: LinkParts) {
    this.kind = parts.kind;
    this.target = parts.target;
    this.#program = parts.program;
    this.#fds = parts.fds;
    this.#links = parts.links ?? [];
    this.#undo = parts.undo;
    this.#after = parts.after;
    this.#update = parts.update;
  }

  /**
   * Takes over the file descriptor of a BPF link.
   *
   * @param fd The link; closed if this fails.
   * @throws {TypeError} if it is no link.
   */
  static fromFd(fd: sys.Fd): Link {
    using cleanup = new DisposableStack();
    cleanup.use(fd);
    sys.checkObjectKind(fd.value, "link");
    const link = new Link({ ...describeOpened(sys.linkInfo(fd.value)), fds: [fd], links: [fd] });
    cleanup.move();
    return link;
  }

  /**
   * Opens a BPF link by its id (5.8). It stays attached as long as this or any other holder has it.
   *
   * @throws {sys.SyscallError} if the kernel refuses it: code `ENOENT` if it is gone.
   */
  static open(id: number): Link {
    return Link.fromFd(sys.linkGetFdById(id));
  }

  /**
   * Opens a pinned BPF link.
   *
   * @param path Its name in a BPF file system.
   * @throws {sys.SyscallError} if nothing is pinned there.
   * @throws {TypeError} if something else is pinned there.
   */
  static openPinned(path: string): Link {
    return Link.fromFd(sys.objGet(path));
  }

  /**
   * Opens all BPF links of the kernel, one after the other in the order of their ids; each belongs to the caller:
   * `for (using link of Link.all())`. Those that go meanwhile are left out.
   *
   * @throws {sys.SyscallError} if the kernel refuses it: it wants CAP_SYS_ADMIN.
   */
  static *all(): Generator<Link, undefined> {
    for (let id = sys.linkGetNextId(0); id !== undefined; id = sys.linkGetNextId(id)) {
      let link: Link;
      try {
        link = Link.open(id);
      } catch (error) {
        if (error instanceof sys.SyscallError && error.code === "ENOENT") continue;
        throw error;
      }
      yield link;
    }
  }

  /** Name of the program; after {@linkcode Link.update} that of the new one. */
  get program(): string {
    return this.#program;
  }

  /** The last file descriptor opened: a BPF link where the kernel has them. */
  get fd(): number {
    const fd = this.#fds.at(-1);
    if (fd === undefined) throw this.#unsupported("a file descriptor", "the kernel holds it without one");
    return fd.value;
  }

  /** How many BPF links it consists of; 0 where the kernel attaches such programs without. */
  get linkCount(): number {
    return this.#links.length;
  }

  /**
   * What the kernel says of it, by its kind: `info().kind === "xdp"`, then `ifindex`.
   *
   * @throws {UnsupportedError} if it consists of no BPF link or of several: see {@linkcode Link.infos}.
   */
  info(): sys.LinkInfo {
    return sys.linkInfo(this.#single("what the kernel says of it").value);
  }

  /** What the kernel says of each BPF link that it consists of. */
  infos(): sys.LinkInfo[] {
    return this.#links.map((link) => sys.linkInfo(link.value));
  }

  /**
   * Its id.
   *
   * @throws {UnsupportedError} as {@linkcode Link.info}.
   */
  get id(): number {
    return this.info().id;
  }

  /**
   * Was it detached while this object was there: somebody did it, or the network device, namespace or cgroup is gone. (Of
   * what is held without BPF links the kernel does not tell: `false`.)
   */
  get detached(): boolean {
    return this.infos().some(isDetached);
  }

  /**
   * Puts another program in its place, without a moment in which none or both run.
   *
   * @param program The program that runs from now on; for a link of a struct_ops map the map that counts from now on.
   * @param options What has to be attached now.
   * @throws {sys.SyscallError} if the kernel refuses it: code `ENOLINK` if what it was on is gone, `EPERM` if something else
   * than `expected` is attached.
   * @throws {UnsupportedError} if the kernel cannot do it for this kind.
   */
  update(program: Attachable, options: LinkUpdateOptions = {}): void {
    const { expected } = options;
    if (this.#links.length > 0) updateLinks(this.#place, this.kind, this.#links, program, expected);
    else if (this.#update !== undefined) this.#update(program, expected);
    else throw this.#unsupported("to update it", "the kernel cannot: attach the other program, then close this");
    this.#program = program.name;
  }

  /**
   * Detaches the program now, whoever else holds the link or has pinned it; what the kernel says of it can still be read until
   * it is closed.
   *
   * @throws {UnsupportedError} if the kernel cannot (perf events, tracing): it is detached when all have closed it and no pin
   * is left.
   */
  detach(): void {
    for (const link of this.#links) {
      try {
        sys.linkDetach(link.value);
      } catch (error) {
        if (!(error instanceof sys.SyscallError) || !CANNOT.has(error.code)) throw error;
        throw this.#unsupported("to detach it for all", "the kernel cannot: close it, and remove its pins", error);
      }
    }
    if (this.#links.length === 0) this.close();
    else this.#detachByHand();
  }

  /**
   * Gives it a name in a BPF file system, which keeps it alive and attached.
   *
   * @param path Its name.
   * @param options Take the place of another pin, make directories.
   * @throws {UnsupportedError} if it does not consist of one BPF link, or goes with this process.
   * @throws {Error} saying what is wrong with `path`.
   */
  pin(path: string, options?: PinOptions): void {
    const link = this.#single("to pin it");
    if (this.#undo !== undefined) throw this.#unsupported("to pin it", "a part of it goes when this process closes it");
    pin({ fd: link.value }, path, options);
  }

  /** Detaches the program, unless others hold the link too or it is pinned. Closing again does nothing. */
  close(): void {
    try {
      this.#detachByHand();
    } finally {
      for (const fd of this.#fds.toReversed()) fd.close();
      const after = this.#after;
      this.#after = undefined;
      after?.();
    }
  }

  /** As {@linkcode Link.close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  #detachByHand(): void {
    const undo = this.#undo;
    this.#undo = undefined;
    undo?.();
  }

  get #place(): string {
    return `link of program "${this.#program}" (${this.kind}${this.target === "" ? "" : ` ${this.target}`})`;
  }

  #single(what: string): sys.Fd {
    const [link, second] = this.#links;
    if (link !== undefined && second === undefined) return link;
    const why = link === undefined
      ? "this kernel attaches such programs without a BPF link"
      : `it consists of ${this.#links.length} BPF links`;
    throw this.#unsupported(what, why);
  }

  #unsupported(what: string, why: string, cause?: unknown): UnsupportedError {
    const message = `${this.#place}: ${what} is not possible: ${why}`;
    return new UnsupportedError(what, message, cause === undefined ? {} : { cause });
  }
}

/** The answers of kernels to commands that a kind of link does not have. */
const CANNOT: ReadonlySet<string> = new Set(["EINVAL", "EOPNOTSUPP", "ENOTSUPP"]);
