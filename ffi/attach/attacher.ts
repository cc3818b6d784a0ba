/**
 * What all kinds of attachment have in common.
 *
 * @module
 */
import type { AttachKind, ProgramSpec } from "../../lib/spec/mod.ts";
import type { BpfProgram } from "../program/mod.ts";
import type { Link } from "./link.ts";

/** What every function that attaches by section name takes beside the name. */
export interface AttachByNameOptions {
  /** What `bpf_get_attach_cookie()` gives the program; 0, the default, for none. */
  readonly cookie?: bigint | undefined;
}

/**
 * Attaches a loaded program where its section name says: `spec.attachTo` is the name after its first `/`.
 *
 * @throws {Error} with one sentence that begins with the program's name, if it cannot be attached.
 */
export type Attacher = (program: BpfProgram, spec: ProgramSpec, options: AttachByNameOptions) => Link;

/** Attachers by the kind that the section name says. */
export type Attachers = Partial<Record<AttachKind, Attacher>>;
