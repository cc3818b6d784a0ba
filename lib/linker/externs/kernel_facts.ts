/**
 * What linking for a kernel has to know of that kernel. Nothing here asks a kernel: whoever has one at hand answers.
 *
 * @module
 */
import type { CoreTarget } from "../../core/mod.ts";

/** The kernel's configuration, or where it was looked for. */
export interface KernelConfig {
  /** Lines like `CONFIG_HZ=250`; `undefined` if no file has them. */
  readonly text: string | undefined;
  /** Where `text` is from; without it, all places that were looked at. */
  readonly files: readonly string[];
}

/** Addresses of kernel symbols. */
export interface KernelAddresses {
  /** Different addresses of each symbol, by its name; symbols that the kernel does not have are left out. */
  readonly byName: ReadonlyMap<string, readonly bigint[]>;
  /** Does the kernel hide its addresses from this process: they are all 0 then. */
  readonly hidden: boolean;
}

/**
 * Features that make a difference to objects: two of them are read as variables (`LINUX_HAS_BPF_COOKIE`,
 * `LINUX_HAS_SYSCALL_WRAPPER`), the third decides how USDT programs are loaded.
 */
export type VisibleFeature = "bpf_cookie" | "syscall_wrapper" | "uprobe_multi_link";

/**
 * Facts of one kernel, each of them asked for when an object needs it, and not before. One that is left out is not known:
 * what needs it is an error that names it.
 */
export interface KernelFacts {
  /** `LINUX_VERSION_CODE`: `0x60600` is 6.6.0. */
  readonly version?: (() => number) | undefined;
  /** Whether it has a feature. */
  readonly has?: ((feature: VisibleFeature) => boolean) | undefined;
  /** Its configuration. */
  readonly config?: (() => KernelConfig) | undefined;
  /** Addresses of symbols. */
  readonly addresses?: ((names: ReadonlySet<string>) => KernelAddresses) | undefined;
  /** Its own types, then its modules'. A module's are read only when a name is in none of those before. */
  readonly types?: (() => readonly CoreTarget[]) | undefined;
}
