/**
 * Attaching by section name: what `SEC("tp/sched/sched_process_exec")` says is done.
 *
 * @module
 */
import { UnsupportedError } from "../../lib/errors.ts";
import type { AttachKind, ProgramSpec } from "../../lib/spec/mod.ts";
import type { BpfProgram } from "../program/mod.ts";
import type { AttachByNameOptions, Attachers } from "./attacher.ts";
import { KERNEL_ATTACHERS } from "./kernel_attachers.ts";
import { findFunctions } from "./kernel_functions.ts";
import { syscallFunctions } from "./ksyscall.ts";
import type { Link } from "./link.ts";
import { NETWORK_ATTACHERS } from "./network_attachers.ts";
import { USER_ATTACHERS } from "./user_attachers.ts";

const ATTACHERS: Attachers = { ...KERNEL_ATTACHERS, ...USER_ATTACHERS, ...NETWORK_ATTACHERS };

/** Kinds whose programs have no attach cookies, or have them otherwise. */
const WITHOUT_COOKIE: ReadonlySet<AttachKind> = new Set<AttachKind>([
  "freplace",
  "iter",
  "lsm_cgroup",
  ...Object.keys(NETWORK_ATTACHERS) as AttachKind[],
]);

/**
 * Attaches a program where its section name says.
 *
 * @param program The loaded program.
 * @param spec What it was loaded from.
 * @param options A cookie.
 * @throws {UnsupportedError} if the section name does not say where, or names a kind that is not supported.
 */
export function attachProgram(program: BpfProgram, spec: ProgramSpec, options: AttachByNameOptions = {}): Link {
  const place = `program "${spec.name}" (section "${spec.section}")`;
  if (spec.attach === undefined) {
    throw new UnsupportedError(
      "attaching by section name",
      `${place}: the section name does not say how to attach it`,
    );
  }
  // What attaches to devices, sockets and cgroups says with which function that is done.
  if (spec.attachTo === "" && NETWORK_ATTACHERS[spec.attach] === undefined) {
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
  if ((options.cookie ?? 0n) !== 0n && WITHOUT_COOKIE.has(spec.attach)) {
    throw new UnsupportedError(`cookies of ${spec.attach} programs`, `${place}: such programs have no attach cookies`);
  }
  return attach(program, spec, options);
}

/**
 * Looks up in one pass through the kernel's symbols what attaching those programs will ask for.
 *
 * @param specs Programs that are about to be attached.
 */
export function prepareAttach(specs: readonly Pick<ProgramSpec, "attach" | "attachTo">[]): void {
  const names = specs.flatMap(({ attach, attachTo }) => {
    switch (attach) {
      case "kprobe":
      case "kretprobe":
        return [attachTo.replace(/^.*:/, "").replace(/\+.*$/, "")];
      case "ksyscall":
      case "kretsyscall":
        return syscallFunctions(attachTo);
      default:
        return [];
    }
  });
  if (names.length > 1) findFunctions(names);
}
