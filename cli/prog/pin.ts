/**
 * `debpf prog pin`.
 *
 * @module
 */
import type { Words } from "../btf/words.ts";
import { done } from "../map/elements.ts";
import { takeProgram } from "../objects.ts";
import type { Output } from "../output.ts";

/** Pins the program that the next words name at the path behind it. */
export async function pinProgram(words: Words, output: Output): Promise<number> {
  using program = await takeProgram(words);
  const path = words.take("FILE");
  words.end();
  program.pin(path);
  return done(output);
}
