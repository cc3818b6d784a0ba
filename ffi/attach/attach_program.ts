/**
 * Attaching by section name: what `SEC("tp/sched/sched_process_exec")` says is done.
 *
 * @module
 */
import { UnsupportedError } from "../../lib/errors.ts";
import type { ProgramSpec } from "../../lib/spec/mod.ts";
import type { BpfProgram } from "../program/mod.ts";
import type { Link } from "./link.ts";
import { attachRawTracepoint, attachTracing } from "./raw_tracepoint.ts";
import { attachTracepoint } from "./tracepoint.ts";

/**
 * Attaches a program where its section name says.
 *
 * @throws {UnsupportedError} if the section name does not say where, or names a kind that is not supported.
 */
export function attachProgram(program: BpfProgram, spec: ProgramSpec): Link {
  const place = `program "${spec.name}" (section "${spec.section}")`;
  if (spec.attachTo === "" && spec.attach !== undefined) {
    throw new UnsupportedError(
      "attaching by section name",
      `${place}: the section name does not say what to attach to`,
    );
  }
  switch (spec.attach) {
    case "tracepoint":
      return attachTracepoint(program, spec.attachTo);
    case "raw_tracepoint":
      return attachRawTracepoint(program, spec.attachTo);
    case "trace":
      return attachTracing(program, spec.attachTo);
    case undefined:
      throw new UnsupportedError(
        "attaching by section name",
        `${place}: the section name does not say how to attach it`,
      );
    default:
      throw new UnsupportedError(
        `attaching ${spec.attach} programs`,
        `${place}: attaching ${spec.attach} programs is not supported`,
      );
  }
}
