/**
 * `debpf prog tracelog`: what programs print, until Ctrl-C.
 *
 * @module
 */
import { ProgramStream, type ProgramStreamName } from "../../ffi/events/mod.ts";
import type { Words } from "../btf/words.ts";
import { EXIT } from "../command.ts";
import { Interrupt } from "../interrupt.ts";
import { takeProgram } from "../objects.ts";
import type { Output } from "../output.ts";
import { printTracePipe } from "../run/trace.ts";

/** Prints bpf_printk's lines of all programs, or one program's stream. */
export async function traceLog(words: Words, output: Output): Promise<number> {
  const stream = words.peek() === undefined ? undefined : words.keyword("stdout", "stderr");
  if (stream !== undefined) return await printStream(words, stream, output);
  words.end();
  using interrupt = new Interrupt();
  await printTracePipe(output, interrupt.signal);
  return EXIT.done;
}

/** As bpftool does: what is there now, and no more. */
async function printStream(words: Words, name: ProgramStreamName, output: Output): Promise<number> {
  using program = await takeProgram(words);
  words.end();
  using stream = new ProgramStream(program, name);
  const text = stream.read();
  if (output.json) output.value({ [name]: text });
  else output.bytes(new TextEncoder().encode(text));
  return EXIT.done;
}
