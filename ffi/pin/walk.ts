/**
 * What is pinned in a BPF file system.
 *
 * @module
 */
import { UnsupportedError } from "../../lib/errors.ts";
import * as sys from "../sys/mod.ts";
import { BPF_FS } from "./path.ts";

/** What can be pinned. */
export type PinKind = "map" | "program" | "link";

/** A pinned object that was opened. */
export interface OpenedPin {
  /** What it is. */
  readonly kind: PinKind;
  /** Belongs to the caller: for `BpfMap.fromFd`, `BpfProgram.fromFd`. */
  readonly fd: sys.Fd;
}

/**
 * Opens what is pinned at `path`.
 *
 * @throws {sys.SyscallError} if nothing is, or this user may not have it.
 */
export function openPin(path: string): OpenedPin {
  using cleanup = new DisposableStack();
  const fd = cleanup.use(sys.objGet(path));
  const kind = kindOf(fd.value, path);
  cleanup.move();
  return { kind, fd };
}

/** A name in a BPF file system. */
export interface Pin {
  /** Its whole path. */
  readonly path: string;
  /** What it is. */
  readonly kind: PinKind;
  /** Id of the map, program or link. */
  readonly id: number;
}

/**
 * All pins below a directory, depth first. What goes away meanwhile, and what is there but is no pin (files that show
 * iterators), is left out.
 *
 * @param root Where to begin.
 * @throws {sys.SyscallError} if `root` cannot be read.
 */
export function* pins(root: string = BPF_FS): Generator<Pin, undefined> {
  for (const { name, kind } of sys.readDir(root)) {
    const path = `${root.endsWith("/") ? root : `${root}/`}${name}`;
    if (kind === "directory") {
      yield* pins(path);
    } else if (kind !== "symlink") {
      const pin = pinAt(path);
      if (pin !== undefined) yield pin;
    }
  }
}

/** EACCES: a file of another kind. EPERM: of another user. */
const LEFT_OUT: ReadonlySet<string> = new Set(["ENOENT", "EACCES", "EPERM", "EINVAL"]);

function pinAt(path: string): Pin | undefined {
  try {
    const { kind, fd } = openPin(path);
    using _ = fd;
    return { path, kind, id: idOf(kind, fd.value) };
  } catch (error) {
    if (error instanceof sys.SyscallError && LEFT_OUT.has(error.code)) return undefined;
    throw error;
  }
}

function idOf(kind: PinKind, fd: number): number {
  switch (kind) {
    case "map":
      return sys.mapInfo(fd).id;
    case "program":
      return sys.progInfo(fd).id;
    case "link":
      return sys.linkInfo(fd).id;
    default:
      return kind satisfies never;
  }
}

function kindOf(fd: number, path: string): PinKind {
  const kind = sys.objectKind(fd);
  if (kind !== undefined && kind !== "btf") return kind;
  throw new UnsupportedError("such pins", `"${path}" is neither a map nor a program nor a link`);
}
