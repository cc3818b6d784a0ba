/**
 * Builds the programs of testdata/programs, which tests of uprobes and USDT probes trace, for x86_64. Other machines build
 * theirs when a test needs one.
 *
 * @module
 */
import { fromFileUrl } from "@std/path";
import { command } from "./command.ts";

const FOLDER = fromFileUrl(new URL("../testdata/programs/", import.meta.url));
const SOURCES = ["user_target.c", "user_target_twin.c"];

/** Options of gcc by the name of the program. */
const PROGRAMS: ReadonlyMap<string, readonly string[]> = new Map([
  ["user_target", []],
  ["user_target_exec", ["-no-pie"]],
]);

/** Builds all (Debian's gcc, libc6-dev). */
export async function buildPrograms(): Promise<void> {
  if (Deno.build.arch !== "x86_64") {
    console.error("testdata/programs/x86_64: left as it is: this is another machine");
    return;
  }
  for (const [name, options] of PROGRAMS) {
    const output = `x86_64/${name}`;
    await command("gcc", ["-O2", ...options, "-o", `${output}.new`, ...SOURCES], { cwd: FOLDER });
    await Deno.rename(`${FOLDER}${output}.new`, `${FOLDER}${output}`);
  }
}
