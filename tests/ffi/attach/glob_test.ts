import { assert, assertEquals } from "@std/assert";
import { globMatcher, isGlob } from "../../../ffi/attach/glob.ts";

Deno.test("globMatcher() matches whole names, * any text and ? any one character", () => {
  const cases: [string, string[], string[]][] = [
    ["do_exit", ["do_exit"], ["do_exit2", "_do_exit", "", "do_exi"]],
    ["do_*", ["do_", "do_exit"], ["do", "ado_"]],
    ["*_do", ["_do", "x_do", "_do_do"], ["_do_", "do"]],
    ["*", ["", "x", "anything"], []],
    ["**", ["", "x"], []],
    ["a*b*c", ["abc", "aXbYc", "abbcc", "abcbc"], ["ab", "acb", "abcd"]],
    ["a*a", ["aa", "aba", "aaa"], ["a", ""]],
    ["a?c", ["abc", "a?c"], ["ac", "abbc"]],
    ["?", ["x"], ["", "xy"]],
    ["*?", ["x", "xy"], [""]],
    ["*a?c*", ["abc", "xxabcx", "aacabc"], ["ac", "xac"]],
    ["a.b", ["a.b"], ["axb"]],
    ["", [""], ["x"]],
  ];
  for (const [pattern, matching, others] of cases) {
    const matches = globMatcher(pattern);
    for (const name of matching) assert(matches(name), `${pattern} matches ${name}`);
    for (const name of others) assert(!matches(name), `${pattern} does not match ${name}`);
  }
});

Deno.test("globMatcher() is as the definition says, for all short names and patterns", () => {
  const words = (letters: string, longest: number): string[] =>
    longest === 0
      ? [""]
      : ["", ...[...letters].flatMap((letter) => words(letters, longest - 1).map((w) => letter + w))];
  const names = [...new Set(words("ab", 4))];
  for (const pattern of new Set(words("ab*?", 4))) {
    const expected = new RegExp(`^${pattern.replaceAll("*", ".*").replaceAll("?", ".")}$`);
    const matches = globMatcher(pattern);
    assertEquals(names.filter(matches), names.filter((name) => expected.test(name)), pattern);
  }
});

Deno.test("globMatcher() takes one pass for each star of a pattern", () => {
  const matches = globMatcher(`${"a*".repeat(50)}b`);
  assert(!matches("a".repeat(20_000)));
});

Deno.test("isGlob() tells patterns from names", () => {
  assertEquals(["a*", "a?", "a", "a.b_c@V"].map(isGlob), [true, true, false, false]);
});
