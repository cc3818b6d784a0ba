/**
 * Patterns of function names, as libbpf matches them: `*` is any text, `?` any one character, all else stands for itself.
 *
 * @module
 */

/** Whether a name is a pattern. */
export function isGlob(pattern: string): boolean {
  return /[*?]/.test(pattern);
}

/** A function that tells whether a whole name matches `pattern`: `globMatcher("do_*")("do_exit")`. */
export function globMatcher(pattern: string): (name: string) => boolean {
  // Between stars only fixed text is looked for, leftmost first, so that no name takes more than one pass for each.
  const [first = "", ...others] = pattern.split(/\*+/);
  const last = others.pop();
  if (last === undefined) return (name) => name.length === first.length && fits(name, 0, first);
  return (name) => {
    let at = first.length;
    if (name.length < at + last.length || !fits(name, 0, first)) return false;
    const end = name.length - last.length;
    for (const part of others) {
      while (at + part.length <= end && !fits(name, at, part)) at++;
      at += part.length;
      if (at > end) return false;
    }
    return fits(name, end, last);
  };
}

/** Whether `part`, which may hold `?`, stands in `name` at `at`. */
function fits(name: string, at: number, part: string): boolean {
  if (at + part.length > name.length) return false;
  for (let i = 0; i < part.length; i++) {
    if (part[i] !== "?" && part[i] !== name[at + i]) return false;
  }
  return true;
}
