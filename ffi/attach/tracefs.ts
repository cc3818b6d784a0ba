/**
 * Where tracefs is mounted.
 *
 * @module
 */
import { UnsupportedError } from "../../lib/errors.ts";
import * as sys from "../sys/mod.ts";

/** The usual place, and the one of kernels before 4.1. */
const TRACEFS = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"] as const;

/** The mounted tracefs that has a file of that name; `undefined` if there is none. */
export function findTracefs(file: string): string | undefined {
  return TRACEFS.find((path) => sys.exists(`${path}/${file}`));
}

/**
 * The mounted tracefs that has a file of that name.
 *
 * @param place What a message begins with: `program "p"`.
 * @param what What it is needed for, at the start of a sentence: `tracepoints are looked up there`.
 * @throws {UnsupportedError} if there is none.
 */
export function tracefsWith(file: string, place: string, what: string): string {
  const root = findTracefs(file);
  if (root !== undefined) return root;
  throw new UnsupportedError(
    "tracefs",
    `${place}: ${what} in tracefs, which is not mounted or not readable: mount -t tracefs nodev ${TRACEFS[0]}`,
  );
}
