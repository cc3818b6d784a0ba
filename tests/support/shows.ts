/**
 * Tests that show a kind of attachment: rows of docs/attach.md, which `deno task vm` writes from what became of them.
 *
 * @module
 */

/** What names of such tests begin with. */
export const SHOWS = "attach ";

/**
 * Part of a test's definition: its name. `Deno.test({ ...shows("kprobe/FUNCTION", "sees each call"), ...needs(...), fn })`
 *
 * @param how What is shown, as the page shall have it: a section name with its variable parts in capitals, or the name of
 * the function of ffi/attach with what is special: `attachKprobe() through tracefs`. Several tests may show the same.
 * @param what What the test sees happen.
 */
export function shows(how: string, what: string): { name: string } {
  return { name: `${SHOWS}${how}: ${what}` };
}
