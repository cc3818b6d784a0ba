/**
 * A program that stays attached under one name, from one start of its owner to the next.
 *
 * @module
 */
import { isBpfFs, type PinOptions } from "../pin/mod.ts";
import * as sys from "../sys/mod.ts";
import { type Attachable, Link } from "./link.ts";

/** What {@linkcode updateOrAttach} did. */
export interface UpdatedOrAttached {
  /** The link that is pinned now. */
  readonly link: Link;
  /**
   * `"updated"`: the pinned link has the new program; `"attached"`: nothing was pinned; `"replaced"`: a link was, but what
   * it was on is gone.
   */
  readonly how: "updated" | "attached" | "replaced";
}

/**
 * Puts a program in the place of the one whose link is pinned at `path`, without a moment in which none runs. Where nothing
 * is pinned, or what the pinned link was on is gone (`ENOLINK`: a network device that was removed), the program is attached
 * anew and that link is pinned.
 *
 * @param path Name in a BPF file system.
 * @param program The program.
 * @param attach Attaches it: called where the pinned link cannot be used.
 * @param options Make the directories of `path`.
 * @throws {sys.SyscallError} if the kernel refuses it.
 * @throws {UnsupportedError} if links of this kind cannot be updated or pinned.
 */
export function updateOrAttach(
  path: string,
  program: Attachable,
  attach: () => Link,
  options: Pick<PinOptions, "makeDirs"> = {},
): UpdatedOrAttached {
  using cleanup = new DisposableStack();
  const pinned = isBpfFs(path) ? cleanup.use(Link.openPinned(path)) : undefined;
  if (pinned !== undefined && update(pinned, program)) {
    cleanup.move();
    return { link: pinned, how: "updated" };
  }
  using fresh = new DisposableStack();
  const link = fresh.use(attach());
  link.pin(path, { ...options, replace: true });
  fresh.move();
  return { link, how: pinned === undefined ? "attached" : "replaced" };
}

/** `false`: what it was on is gone. */
function update(link: Link, program: Attachable): boolean {
  try {
    link.update(program);
    return true;
  } catch (error) {
    if (error instanceof sys.SyscallError && error.code === "ENOLINK") return false;
    throw error;
  }
}
