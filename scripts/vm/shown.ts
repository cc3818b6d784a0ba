/**
 * Says which tests this machine skipped and no virtual machine passed: `shown.ts REPORT VM-REPORT...`, all as `deno test
 * --junit-path` writes them. Exit code 1 where there is one.
 *
 * A test that a virtual machine skipped needs a newer kernel than that one has (tests/support/needs.ts fails there
 * otherwise). With `--all` it has to pass in one of them.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { type Case, casesOf } from "./results.ts";

/** Tests of `here` that were skipped, by what became of them in virtual machines. */
export interface Shown {
  readonly passed: readonly Case[];
  /** Skipped in each virtual machine. */
  readonly newer: readonly Case[];
  /** Not run in any, or failed there. */
  readonly missing: readonly Case[];
}

/** What became in virtual machines of the tests that were skipped here. */
export function shownElsewhere(here: readonly Case[], elsewhere: readonly Case[]): Shown {
  const outcomes = Map.groupBy(elsewhere, keyOf);
  const skipped = here.filter(({ outcome }) => outcome === "skipped");
  const became = (one: Case) => {
    const all = (outcomes.get(keyOf(one)) ?? []).map(({ outcome }) => outcome);
    return all.includes("passed") ? "passed" : all.includes("skipped") ? "newer" : "missing";
  };
  const groups = Map.groupBy(skipped, became);
  return {
    passed: groups.get("passed") ?? [],
    newer: groups.get("newer") ?? [],
    missing: groups.get("missing") ?? [],
  };
}

function keyOf({ file, name }: Case): string {
  return `${file}: ${name}`;
}

async function main(): Promise<number> {
  const args = parseArgs(Deno.args, { string: ["_"], boolean: ["all"] });
  const [here, ...elsewhere] = await Promise.all(
    args._.map(async (path) => casesOf(await Deno.readTextFile(String(path)))),
  );
  const { passed, newer, missing } = shownElsewhere(here ?? [], elsewhere.flat());
  const bad = args.all ? [...missing, ...newer] : missing;
  for (const one of bad) console.log(`skipped here, and passed in no virtual machine: ${keyOf(one)}`);
  console.log(
    `of the tests skipped here ${passed.length} passed in a virtual machine, ${newer.length} need newer kernels`,
  );
  return bad.length > 0 ? 1 : 0;
}

if (import.meta.main) Deno.exit(await main());
