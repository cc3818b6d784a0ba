/**
 * docs/kernels.md: which tests passed on which kernel.
 *
 * @module
 */
import type { FileResult, KernelResult } from "./results.ts";

const HEAD = `# Kernels

Which of the tests that ask the kernel pass on which kernel. \`deno task vm\` boots each of them under qemu and writes
this page; see README. A number is a count of tests that passed. What was skipped says which feature that kernel lacks,
found by probing (tests/support/features.ts); a skip on a kernel that has the feature is a failure.
`;

/** The page, of the results of all kernels. */
export function kernelsPage(results: readonly KernelResult[]): string {
  const files = [...new Set(results.flatMap((result) => result.files.map(({ file }) => file)))].sort();
  const notes: string[] = [];
  const rows = files.map((file) => [
    `\`${file}\``,
    ...results.map((result) => cell(result.files.find((other) => other.file === file), notes)),
  ]);
  const totals = results.map((result) => counted(sum(result.files)));
  const columns = ["Tests", ...results.map(({ name, arch }) => `${name} ${arch}`)];
  const lines = [columns, columns.map(() => "---"), ...rows, ["All", ...totals]].map((row) => `| ${row.join(" | ")} |`);
  const kernels = results.map(({ name, arch, release, day }) => `- ${name} ${arch}: Debian's ${release}, ${day}`);
  const missing = notes.map((note, index) => `${index + 1}. needs ${note}`);
  return [
    HEAD,
    lines.join("\n"),
    ...(missing.length > 0 ? ["Skipped:", missing.join("\n")] : []),
    kernels.join("\n"),
    "",
  ]
    .join("\n\n").replace(/\n{3,}/g, "\n\n");
}

/** `12`, or `10, 2 skipped (1)` with the number of a note that says why. */
function cell(result: FileResult | undefined, notes: string[]): string {
  if (result === undefined) return "-";
  const numbers = result.reasons.map((reason) => {
    if (!notes.includes(reason)) notes.push(reason);
    return notes.indexOf(reason) + 1;
  });
  return counted(result) + (numbers.length > 0 ? ` (${numbers.sort((a, b) => a - b).join(", ")})` : "");
}

function counted({ passed, failed, skipped }: Pick<FileResult, "passed" | "failed" | "skipped">): string {
  const parts = [`${passed}`];
  if (failed > 0) parts.push(`${failed} failed`);
  if (skipped > 0) parts.push(`${skipped} skipped`);
  return parts.join(", ");
}

function sum(files: readonly FileResult[]): Pick<FileResult, "passed" | "failed" | "skipped"> {
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const { passed, failed, skipped } of files) {
    total.passed += passed;
    total.failed += failed;
    total.skipped += skipped;
  }
  return total;
}
