/**
 * What all kinds of attachment have in common.
 *
 * @module
 */
import type { AttachKind, ProgramSpec } from "../../lib/spec/mod.ts";
import type { BpfProgram } from "../program/mod.ts";
import type { Link } from "./link.ts";

/**
 * Attaches a loaded program where its section name says: `spec.attachTo` is the name after its first `/`.
 *
 * @throws {Error} with one sentence that begins with the program's name, if it cannot be attached.
 */
export type Attacher = (program: BpfProgram, spec: ProgramSpec) => Link;

/** Attachers by the kind that the section name says. */
export type Attachers = Partial<Record<AttachKind, Attacher>>;
