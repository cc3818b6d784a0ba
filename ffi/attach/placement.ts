/**
 * A program's place among the others of the same hook: tcx (6.6), netkit (6.7), cgroups (6.16).
 *
 * @module
 */
import { BpfAttachFlag } from "../../lib/uapi/mod.ts";
import type { RelativeOptions } from "../sys/mod.ts";
import { type Attachable, Link } from "./link.ts";

/** A program or a link that is attached to the same hook: the object, or its id. */
export type Anchor = Link | Attachable | { readonly programId: number } | { readonly linkId: number };

/** Where a program is to be; after all others, unless this says something else. */
export interface Placement {
  /** Before this one; `"all"`: the first. */
  readonly before?: Anchor | "all" | undefined;
  /** After this one; `"all"`: the last. */
  readonly after?: Anchor | "all" | undefined;
  /** Fail (code `ESTALE`) unless the hook's list of programs has this revision: see {@linkcode queryHook}. */
  readonly expectedRevision?: number | bigint | undefined;
}

/** What the kernel is told of a place. */
export interface KernelPlacement {
  /** `BPF_F_*`. */
  readonly flags: number;
  /** To what the flags refer; `undefined` if nothing is asked for. */
  readonly relative: RelativeOptions | undefined;
}

/**
 * A place in the kernel's terms.
 *
 * @throws {TypeError} if both `before` and `after` are given.
 */
export function kernelPlacement(place: Placement): KernelPlacement {
  const { before, after, expectedRevision } = place;
  if (before !== undefined && after !== undefined) {
    throw new TypeError("a place is before something or after something, not both");
  }
  const anchor = before ?? after;
  if (anchor === undefined) {
    return { flags: 0, relative: expectedRevision === undefined ? undefined : { expectedRevision } };
  }
  const side = before === undefined ? BpfAttachFlag.BPF_F_AFTER : BpfAttachFlag.BPF_F_BEFORE;
  const { flags, ...relative } = anchor === "all" ? { flags: 0 } : anchorOf(anchor);
  return { flags: side | flags, relative: { ...relative, expectedRevision } };
}

function anchorOf(anchor: Anchor): { flags: number; relativeFd?: number; relativeId?: number } {
  const { BPF_F_ID, BPF_F_LINK } = BpfAttachFlag;
  if (anchor instanceof Link) return { flags: BPF_F_LINK, relativeFd: anchor.fd };
  if ("linkId" in anchor) return { flags: BPF_F_LINK | BPF_F_ID, relativeId: anchor.linkId };
  if ("programId" in anchor) return { flags: BPF_F_ID, relativeId: anchor.programId };
  return { flags: 0, relativeFd: anchor.fd };
}
