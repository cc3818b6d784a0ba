/**
 * Flags of operations on elements, by name.
 *
 * @module
 */
import { BpfUpdateFlag } from "../../lib/uapi/mod.ts";

/** When an element is set: always, only if its key is new (`BPF_NOEXIST`), only if it is there (`BPF_EXIST`). */
export type UpdateMode = "any" | "noexist" | "exist";

/** How an element is read. */
export interface LookupOptions {
  /** Take the value's `bpf_spin_lock`, so that it is read whole (`BPF_F_LOCK`, 5.1). */
  readonly lock?: boolean | undefined;
}

/** How an element is set. */
export interface UpdateOptions extends LookupOptions {
  /** `"any"` by default. */
  readonly mode?: UpdateMode | undefined;
}

/** How an element is read: by name, or the kernel's flags as a number. */
export type LookupFlags = LookupOptions | number;

/** How an element is set: by name, or the kernel's flags as a number. */
export type UpdateFlags = UpdateMode | UpdateOptions | number;

const MODES: Readonly<Record<UpdateMode, number>> = {
  any: BpfUpdateFlag.BPF_ANY,
  noexist: BpfUpdateFlag.BPF_NOEXIST,
  exist: BpfUpdateFlag.BPF_EXIST,
};

/** The kernel's flags of a look-up. */
export function lookupFlags(flags: LookupFlags | undefined): number {
  if (flags === undefined) return 0;
  if (typeof flags === "number") return flags;
  return flags.lock === true ? BpfUpdateFlag.BPF_F_LOCK : 0;
}

/**
 * The kernel's flags of an update.
 *
 * @throws {TypeError} for a name that is none.
 */
export function updateFlags(flags: UpdateFlags | undefined): number {
  if (flags === undefined) return 0;
  if (typeof flags === "number") return flags;
  if (typeof flags === "string") return modeFlag(flags);
  return modeFlag(flags.mode ?? "any") | lookupFlags(flags);
}

function modeFlag(mode: UpdateMode): number {
  const flag = Object.hasOwn(MODES, mode) ? MODES[mode] : undefined;
  if (flag === undefined) throw new TypeError(`update mode "${mode}": only "any", "noexist" and "exist" are known`);
  return flag;
}
