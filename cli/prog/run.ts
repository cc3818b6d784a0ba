/**
 * `debpf prog run`.
 *
 * @module
 */
import type { RunOptions } from "../../ffi/program/mod.ts";
import type { Words } from "../btf/words.ts";
import { EXIT, UsageError } from "../command.ts";
import { readFile } from "../files.ts";
import { writeFile } from "../gen/write.ts";
import { hexText } from "../map/data.ts";
import { takeNumber, takeProgram } from "../objects.ts";
import type { Output } from "../output.ts";

/** Does it; `words` stand behind `run`. */
export async function runProgram(words: Words, output: Output): Promise<number> {
  using program = await takeProgram(words);
  const given: { -readonly [N in keyof RunOptions]: RunOptions[N] } = {};
  const to: { data?: string; ctx?: string } = {};
  while (words.peek() !== undefined) {
    const word = words.keyword("data_in", "data_out", "data_size_out", "ctx_in", "ctx_out", "repeat", "cpu");
    switch (word) {
      case "data_in":
        given.data = await readFile(words.take("FILE"));
        break;
      case "ctx_in":
        given.ctx = await readFile(words.take("FILE"));
        break;
      case "data_out":
        to.data = words.take("FILE");
        break;
      case "ctx_out":
        to.ctx = words.take("FILE");
        break;
      case "data_size_out":
        given.dataSizeOut = takeNumber(words, word);
        break;
      case "repeat":
        given.repeat = takeNumber(words, word);
        break;
      case "cpu":
        given.cpu = takeNumber(words, word);
        break;
      case undefined:
        throw new UsageError(`unexpected argument "${words.peek()}"`);
      default:
        word satisfies never;
    }
  }
  const { returnValue, durationNs, data, ctx } = program.run(given);
  if (to.data !== undefined) await writeFile(to.data, data);
  if (to.ctx !== undefined) await writeFile(to.ctx, ctx);
  if (output.json) {
    output.value({
      ...(given.data === undefined || to.data !== undefined ? {} : { data_out: data }),
      ...(given.ctx === undefined || to.ctx !== undefined ? {} : { ctx_out: ctx }),
      retval: returnValue,
      duration: durationNs,
    });
    return EXIT.done;
  }
  if (given.data !== undefined && to.data === undefined) output.line(`data_out: ${hexText(data)}`);
  if (given.ctx !== undefined && to.ctx === undefined && ctx.length > 0) output.line(`ctx_out: ${hexText(ctx)}`);
  output.line(`Return value: ${returnValue}, duration${(given.repeat ?? 1) > 1 ? " (average)" : ""}: ${durationNs}ns`);
  return EXIT.done;
}
