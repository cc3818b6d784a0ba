/**
 * What an extern of the kernel turns out to be.
 *
 * @module
 */
import type { DebpfError } from "../../errors.ts";

/** An option of the configuration: its value lies in a map. */
export interface KconfigBinding {
  /** What it turned out to be. */
  readonly kind: "kconfig";
  /** Name of the map. */
  readonly map: string;
  /** Offset in bytes in the map's value. */
  readonly offset: number;
}

/** A kernel symbol whose address is known. */
export interface AddressBinding {
  /** What it turned out to be. */
  readonly kind: "address";
  /** Where it is. */
  readonly address: bigint;
}

/** A kernel variable or function, by its type id. */
export interface TypeBinding {
  /** What it turned out to be. */
  readonly kind: "variable" | "kfunc";
  /** Id of the `BTF_KIND_VAR` or `BTF_KIND_FUNC`. */
  readonly id: number;
  /** The module whose BTF has it; `undefined` for the kernel's own. */
  readonly module: string | undefined;
  /** Index of that module's BTF in the program's `fd_array`, for functions; 0 for the kernel's own. */
  readonly fdIndex: number;
}

/** A weak one that this kernel does not have: its address is 0, calling it is an error. */
export interface MissingBinding {
  /** What it turned out to be. */
  readonly kind: "missing";
  /** Its number among the object's externs, which libbpf shows to the verifier if it is called. */
  readonly index: number;
}

/** Something that cannot be said, since a fact of the kernel is not known. */
export interface UnknownBinding {
  /** What it turned out to be. */
  readonly kind: "unknown";
  /** The fact: `"its configuration"`. */
  readonly fact: string;
}

/** What an extern of the kernel turns out to be. */
export type ExternBinding = KconfigBinding | AddressBinding | TypeBinding | MissingBinding | UnknownBinding;

/** The same, or why an object that has such an extern cannot be loaded. */
export type ExternResult = ExternBinding | DebpfError;
