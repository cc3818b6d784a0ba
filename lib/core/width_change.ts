/**
 * Fields that grew or shrank: may a load or store of them change its width?
 *
 * @module
 */
import { BtfKind } from "../uapi/mod.ts";
import type { BtfType } from "../btf/mod.ts";
import type { AccessWidth } from "./value.ts";

/** How the size of an access changes. */
export interface WidthChange {
  /** Bytes that the object's instruction moves; 0 if its field is a bitfield. */
  readonly local: number;
  /** Bytes that the target's field has; 0 if it is a bitfield. */
  readonly target: number;
  /**
   * Whether the instruction may be made to move another number of bytes: for pointers and unsigned integers, whose upper
   * bits a load clears.
   */
  readonly safe: boolean;
}

/** The change from `local` to `target`, if there is one. A bitfield has no width: what is loaded are the bytes around it. */
export function widthChange(local: AccessWidth | undefined, target: AccessWidth | undefined): WidthChange | undefined {
  const ours = local?.bytes ?? 0;
  const theirs = target?.bytes ?? 0;
  if (ours === theirs) return undefined;
  const safe = local !== undefined && target !== undefined &&
    (arePointers(local.type, target.type) || isUnsigned(local.type) && isUnsigned(target.type));
  return { local: ours, target: theirs, safe };
}

function arePointers(local: BtfType, target: BtfType): boolean {
  return local.kind === BtfKind.Ptr && target.kind === BtfKind.Ptr;
}

/**
 * An integer whose encoding is more than plain `signed` (signed `char` as some compilers write it) passes for unsigned:
 * libbpf compares the whole encoding.
 */
function isUnsigned(type: BtfType): boolean {
  return type.kind === BtfKind.Int && !(type.signed && !type.char && !type.bool);
}
