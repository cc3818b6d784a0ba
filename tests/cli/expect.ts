/**
 * What every failing command has to look like.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Finished } from "../support/mod.ts";

/** What a message for people never contains: stacks, names of classes, values that nobody meant to print. */
const NEVER = /\bat (file|ext|async)\b|^\w*Error\b|\bundefined\b|\bNaN\b|\[object /m;

/**
 * One clear sentence on stderr and nothing else: it may go on in lines that are indented, at most two.
 *
 * @param code The exit code: 1 failed, 2 wrong usage.
 * @param message What it has to say.
 */
export function assertSentence(finished: Finished, code: number, message: RegExp): void {
  const { stdout, stderr } = finished;
  assertMatch(stderr, message);
  assertEquals(stdout, "");
  assert(stderr.startsWith("debpf: ") && stderr.endsWith("\n"), stderr);
  const more = stderr.trimEnd().split("\n").slice(1);
  assert(more.length <= 2 && more.every((line) => line.startsWith("  ")), stderr);
  assert(!NEVER.test(stderr), stderr);
  assertEquals(finished.code, code);
}

/** With `-j`: the same sentence as the only line of stdout, `{"error": "..."}`, and nothing on stderr. */
export function assertJsonError(finished: Finished, code: number, message: RegExp): void {
  const { stdout, stderr } = finished;
  assertEquals(stderr, "");
  const [line, ...rest] = stdout.trimEnd().split("\n");
  assertEquals(rest, []);
  const value = JSON.parse(line ?? "") as { error: string };
  assertEquals(Object.keys(value), ["error"]);
  assertMatch(value.error, message);
  assert(!NEVER.test(value.error), value.error);
  assertEquals(finished.code, code);
}
