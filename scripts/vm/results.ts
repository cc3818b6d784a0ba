/**
 * What tests in a virtual machine came to: from the report that `deno test` writes and from what the tests print.
 *
 * @module
 */

/** What became of one test. */
export type Outcome = "passed" | "failed" | "skipped";

/** The tests of one file. */
export interface FileResult {
  /** Path in the repository. */
  readonly file: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** What is missing for those that were skipped, as tests/support/needs.ts words it. */
  readonly reasons: readonly string[];
}

/** The tests of one kernel. */
export interface KernelResult {
  readonly name: string;
  readonly arch: string;
  /** What `uname -r` says. */
  readonly release: string;
  /** Day of the run, `2030-01-31`. */
  readonly day: string;
  /** Paths of the files of tests that were run. */
  readonly ran: readonly string[];
  readonly files: readonly FileResult[];
}

/** A kernel's results with those of a later run of some of the files. */
export function withLater(result: KernelResult | undefined, later: KernelResult): KernelResult {
  if (result === undefined) return later;
  const files = result.files.filter(({ file }) =>
    !later.ran.includes(file) && later.files.every((one) => one.file !== file)
  );
  return { ...later, ran: [...new Set([...result.ran, ...later.ran])].sort(), files: [...files, ...later.files] };
}

/** A line of tests/support/needs.ts: file, and what is missing there. */
const SKIP = /^(tests\/\S+): skipping tests that need (.*)$/;

/** Reasons for skips by file, from the lines that the tests printed. */
export function skipReasons(lines: readonly string[]): Map<string, string[]> {
  const reasons = new Map<string, string[]>();
  for (const line of lines) {
    const [, file, reason] = SKIP.exec(line) ?? [];
    if (file === undefined || reason === undefined) continue;
    const known = reasons.get(file) ?? [];
    if (!known.includes(reason)) reasons.set(file, [...known, reason]);
  }
  return reasons;
}

/** One test of a report. */
export interface Case {
  /** Path in the repository. */
  readonly file: string;
  readonly name: string;
  readonly outcome: Outcome;
}

const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };

/**
 * The tests of a report in JUnit's format, as Deno writes it: `<testcase name="NAME" classname="./FILE">` with or without a
 * `<failure>` or `<skipped>` inside. Steps of a test are cases too.
 */
export function casesOf(xml: string): Case[] {
  const cases: Case[] = [];
  // Text inside elements is escaped, so that a "<" begins an element wherever it stands.
  for (
    const [, attributes = "", rest = ""] of xml.matchAll(
      /<testcase ([^>]*?)(\/>|>(?:(?!<testcase )[^])*?<\/testcase>)/g,
    )
  ) {
    const attribute = (name: string) => new RegExp(`(?:^| )${name}="([^"]*)"`).exec(attributes)?.[1] ?? "";
    const outcome: Outcome = /<(failure|error)\b/.test(rest)
      ? "failed"
      : /<skipped\b/.test(rest)
      ? "skipped"
      : "passed";
    const name = attribute("name").replace(/&(\w+);/g, (whole, entity) => ENTITIES[entity] ?? whole);
    cases.push({ file: attribute("classname").replace(/^\.\//, ""), name, outcome });
  }
  return cases;
}

/** The tests of a report by file; steps count. */
export function parseReport(xml: string, reasons: ReadonlyMap<string, readonly string[]>): FileResult[] {
  const counts = new Map<string, Record<Outcome, number>>();
  for (const { file, outcome } of casesOf(xml)) {
    const count = counts.get(file) ?? { passed: 0, failed: 0, skipped: 0 };
    count[outcome]++;
    counts.set(file, count);
  }
  return [...counts].map(([file, count]) => ({
    file,
    ...count,
    reasons: count.skipped > 0 ? reasons.get(file) ?? [] : [],
  }));
}
