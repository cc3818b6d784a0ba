/**
 * Attaching by section name: what `SEC("tp/sched/sched_process_exec")` says is done.
 *
 * @module
 */
import { UnsupportedError } from "../../lib/errors.ts";
import type { ProgramSpec } from "../../lib/spec/mod.ts";
import type { BpfProgram } from "../program/mod.ts";
import type { Attachers } from "./attacher.ts";
import { KERNEL_ATTACHERS } from "./kernel_attachers.ts";
import type { Link } from "./link.ts";
import { NETWORK_ATTACHERS } from "./network_attachers.ts";
import { USER_ATTACHERS } from "./user_attachers.ts";

const ATTACHERS: Attachers = { ...KERNEL_ATTACHERS, ...USER_ATTACHERS, ...NETWORK_ATTACHERS };

/**
 * Attaches a program where its section name says.
 *
 * @throws {UnsupportedError} if the section name does not say where, or names a kind that is not supported.
 */
export function attachProgram(program: BpfProgram, spec: ProgramSpec): Link {
  const place = `program "${spec.name}" (section "${spec.section}")`;
  if (spec.attach === undefined) {
    throw new UnsupportedError(
      "attaching by section name",
      `${place}: the section name does not say how to attach it`,
    );
  }
  if (spec.attachTo === "") {
    throw new UnsupportedError(
      "attaching by section name",
      `${place}: the section name does not say what to attach to`,
    );
  }
  const attach = ATTACHERS[spec.attach];
  if (attach === undefined) {
    throw new UnsupportedError(
      `attaching ${spec.attach} programs`,
      `${place}: attaching ${spec.attach} programs is not supported`,
    );
  }
  return attach(program, spec);
}
