/**
 * Flavours: `task_struct___old` is another local definition of what the kernel calls `task_struct`. Fact: libbpf cuts a
 * name at its last run of exactly three underscores with something else on either side.
 *
 * @module
 */

const UNDERSCORE = 0x5f;

/**
 * A name without its flavour suffix.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(essentialName("task_struct___v6___old"), "task_struct___v6");
 * assertEquals(essentialName("___x"), "___x");
 * ```
 */
export function essentialName(name: string): string {
  for (let i = name.length - 5; i >= 0; i--) {
    if (name.startsWith("___", i + 1) && name[i] !== "_" && name[i + 4] !== "_") return name.slice(0, i + 1);
  }
  return name;
}

/**
 * Whether the name at `bytes[at]` (NUL-terminated) is `name` or a flavour of it. The caller has checked that `at` is inside
 * and that a NUL follows.
 */
export function isEssentially(bytes: Uint8Array, at: number, name: Uint8Array): boolean {
  const length = name.length;
  for (let i = 0; i < length; i++) {
    // A NUL in `bytes` ends the loop here, because `name` has none.
    if (bytes[at + i] !== name[i]) return false;
  }
  let end = at + length;
  if (bytes[end] === 0) return !hasFlavour(name);
  if (name[length - 1] === UNDERSCORE || !startsFlavour(bytes, end)) return false;
  // Only the last separator counts: `a___b___c` is a flavour of `a___b`, not of `a`.
  for (end++; bytes[end] !== 0; end++) {
    if (bytes[end - 1] !== UNDERSCORE && startsFlavour(bytes, end)) return false;
  }
  return true;
}

/** Whether `___X` starts at `at`; what precedes it is the caller's business. */
function startsFlavour(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === UNDERSCORE && bytes[at + 1] === UNDERSCORE && bytes[at + 2] === UNDERSCORE &&
    bytes[at + 3] !== UNDERSCORE && bytes[at + 3] !== 0;
}

function hasFlavour(name: Uint8Array): boolean {
  for (let i = name.length - 4; i > 0; i--) {
    if (name[i - 1] !== UNDERSCORE && startsFlavour(name, i)) return true;
  }
  return false;
}
