/**
 * What tests have shown of ways of attaching: from the report of `deno test`, by names that tests/support/shows.ts makes.
 *
 * @module
 */
import { SHOWS } from "../../tests/support/shows.ts";
import type { Outcome } from "./results.ts";

/** What became of a way of attaching on a kernel. */
export interface AttachRow {
  /** The way, as the page shall have it: `kprobe/FUNCTION`. */
  readonly how: string;
  /** Path of the tests. */
  readonly file: string;
  /** Failed if one test failed; skipped if none ran. */
  readonly outcome: Outcome;
}

/** Ways of attaching on one kernel. */
export interface AttachResult {
  readonly name: string;
  readonly arch: string;
  /** What `uname -r` says. */
  readonly release: string;
  /** Day of the last run, `2030-01-31`. */
  readonly day: string;
  readonly rows: readonly AttachRow[];
}

const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };

function unescaped(text: string): string {
  return text.replace(/&(\w+);/g, (whole, name) => ENTITIES[name] ?? whole);
}

/** The ways of attaching of a report in JUnit's format, as Deno writes it. */
export function attachRows(xml: string): AttachRow[] {
  const rows = new Map<string, AttachRow>();
  for (
    const [, attributes = "", rest = ""] of xml.matchAll(
      /<testcase ([^>]*?)(\/>|>(?:(?!<testcase )[^])*?<\/testcase>)/g,
    )
  ) {
    const name = unescaped(/(?:^|\s)name="([^"]*)"/.exec(attributes)?.[1] ?? "");
    if (!name.startsWith(SHOWS)) continue;
    const how = name.slice(SHOWS.length).split(": ")[0] ?? "";
    const file = /classname="\.?\/?([^"]*)"/.exec(attributes)?.[1] ?? "?";
    const own = /<(failure|error)\b/.test(rest) ? "failed" : /<skipped\b/.test(rest) ? "skipped" : "passed";
    const outcomes = [own, rows.get(how)?.outcome ?? own];
    const outcome = outcomes.includes("failed") ? "failed" : outcomes.includes("passed") ? "passed" : "skipped";
    rows.set(how, { how, file, outcome });
  }
  return [...rows.values()];
}

const FENCE = "\u0060\u0060\u0060";
const HEAD = `# Attaching

\`collection.attach()\` attaches every program whose section name says where, or none. What may be missing is declared, and what
was left out is told:

${FENCE}ts ignore
using collection = Collection.load(openCollectionSpec("tool.bpf.o"), {
  // Of each group the first that the kernel takes.
  alternatives: [["open_fentry", "open_kprobe"]],
  // May be missing.
  optional: ["on_cleanup"],
  // In place of what the section name says; of a list the first that the kernel has.
  attachTo: { on_unlink: ["do_unlinkat", "filename_unlinkat"] },
});
collection.attach({ cookies: { on_unlink: 7n } });
for (const { program, step, reason } of collection.skipped) console.warn(program, step, reason.message);
${FENCE}

The other way is a function for each kind, whose options say all: \`attachKprobe(program, { function: "do_exit", offset: 4 })\`.

## What is shown where

Each by a test in which the program saw a real event, and wrote down the right values of it. \`deno task vm\` boots the kernels
and writes this page.

A way is the name of a section, its variable parts in capitals, attached by \`collection.attach()\`; or a function of the library.
"-" means that the kernel cannot do it (found by probing) or was built without it.
`;

/** The page, of the results of all kernels. */
export function attachPage(results: readonly AttachResult[]): string {
  const files = new Map<string, string>();
  for (const { rows } of results) for (const { how, file } of rows) files.set(how, file);
  // Sections first, then functions; each by the file that shows it.
  const ways = [...files.keys()].sort((a, b) =>
    Number(/^attach|\(\)/.test(a)) - Number(/^attach|\(\)/.test(b)) ||
    (files.get(a)! + a < files.get(b)! + b ? -1 : 1)
  );
  const columns = ["Way", ...results.map(({ name, arch }) => `${name} ${arch}`), "Tests"];
  const rows = ways.map((how) => [
    /[()]/.test(how) || !how.includes("/") ? how : `\`${how}\``,
    ...results.map((result) => cell(result.rows.find((row) => row.how === how)?.outcome)),
    `\`${files.get(how)}\``,
  ]);
  const lines = [columns, columns.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`);
  const kernels = results.map(({ name, arch, release, day }) => `- ${name} ${arch}: Debian's ${release}, ${day}`);
  return `${HEAD}\n${lines.join("\n")}\n\n${kernels.join("\n")}\n`;
}

function cell(outcome: Outcome | undefined): string {
  switch (outcome) {
    case "passed":
      return "yes";
    case "failed":
      return "failed";
    case "skipped":
      return "-";
    case undefined:
      return "";
    default:
      return outcome satisfies never;
  }
}

/** What was known, with what a run has shown that was of some tests only. */
export function merged(known: readonly AttachRow[], shown: readonly AttachRow[]): AttachRow[] {
  const fresh = new Set(shown.map(({ how }) => how));
  return [...known.filter(({ how }) => !fresh.has(how)), ...shown];
}
