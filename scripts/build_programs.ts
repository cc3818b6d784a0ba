/**
 * Builds the programs of testdata/programs, which tests of uprobes and USDT probes trace, for x86_64 and aarch64, with Debian's
 * gcc-12 and gcc-12-aarch64-linux-gnu. Those of a machine whose compiler is not there are left as they are.
 *
 * @module
 */
import { fromFileUrl } from "@std/path";
import { command } from "./command.ts";

const FOLDER = fromFileUrl(new URL("../testdata/programs/", import.meta.url));
const SOURCES = ["user_target.c", "user_target_twin.c"];
/** Compilers by machine, as `Deno.build.arch` calls it. */
const COMPILERS: ReadonlyMap<string, string> = new Map([
  ["x86_64", "x86_64-linux-gnu-gcc-12"],
  ["aarch64", "aarch64-linux-gnu-gcc-12"],
]);

/** Options of gcc by the name of the program. */
const PROGRAMS: ReadonlyMap<string, readonly string[]> = new Map([
  ["user_target", []],
  ["user_target_exec", ["-no-pie"]],
]);

/** Builds all. */
export async function buildPrograms(): Promise<void> {
  for (const [arch, compiler] of COMPILERS) {
    if (!await runs(compiler)) {
      console.error(`testdata/programs/${arch}: left as it is: it needs ${compiler}`);
      continue;
    }
    for (const [name, options] of PROGRAMS) {
      const output = `${arch}/${name}`;
      await command(compiler, ["-O2", ...options, "-o", `${output}.new`, ...SOURCES], { cwd: FOLDER });
      await Deno.rename(`${FOLDER}${output}.new`, `${FOLDER}${output}`);
    }
  }
}

async function runs(compiler: string): Promise<boolean> {
  try {
    return (await new Deno.Command(compiler, { args: ["--version"], stdout: "null" }).output()).success;
  } catch {
    return false;
  }
}
