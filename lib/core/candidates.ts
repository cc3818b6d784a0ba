/**
 * Candidates: the types of a target that an object's type may stand for.
 *
 * @module
 */
import { type Btf, type BtfType, essentialName } from "../btf/mod.ts";
import { kindsCompatible } from "./fields_compatible.ts";

/** Types to relocate against. */
export interface CoreTarget {
  /** The types: a kernel's, or a module's with the kernel's as its base. */
  readonly btf: Btf;
  /** What it is called in messages: `"vmlinux 6.1.0"`, `"nf_conntrack"`. */
  readonly name: string;
}

/** A type of a target that has the name and the kind that are looked for. */
export interface Candidate {
  /** Where it is. */
  readonly target: CoreTarget;
  /** The type, of the target's BTF. */
  readonly type: BtfType;
}

/**
 * The types in `targets` that have `local`'s name without flavours and its kind, by ascending id. The first target is the
 * kernel; the others (its modules) are asked only for what the kernel lacks, and only for types of their own.
 */
export function findCandidates(local: BtfType, targets: readonly CoreTarget[]): Candidate[] {
  return findNamed(local, targets, (target, id) => kindsCompatible(local.kind, target.btf.kindOf(id)));
}

/** The types in `targets` that have `local`'s name without flavours, but another kind: what people ask about next. */
export function findNamesakes(local: BtfType, targets: readonly CoreTarget[]): Candidate[] {
  return findNamed(local, targets, (target, id) => !kindsCompatible(local.kind, target.btf.kindOf(id)));
}

function findNamed(
  local: BtfType,
  targets: readonly CoreTarget[],
  accept: (target: CoreTarget, id: number) => boolean,
): Candidate[] {
  const name = essentialName(local.name);
  const candidates: Candidate[] = [];
  for (const [position, target] of targets.entries()) {
    if (position === 1 && candidates.length > 0) break;
    const firstId = position === 0 ? 1 : target.btf.ownStartId;
    for (const id of target.btf.findEssential(name)) {
      if (id >= firstId && accept(target, id)) candidates.push({ target, type: target.btf.type(id) });
    }
  }
  return candidates;
}
