/**
 * `debpf map event_pipe`: the records of a perf event array, until Ctrl-C.
 *
 * @module
 */
import { PerfBuffer, perfRecordTime } from "../../ffi/events/mod.ts";
import type { Words } from "../btf/words.ts";
import { EXIT, UsageError } from "../command.ts";
import { Interrupt } from "../interrupt.ts";
import { takeMap, takeNumber } from "../objects.ts";
import type { Output } from "../output.ts";
import { PerfRecord } from "../../lib/uapi/mod.ts";

/** Prints records as they come, with time and CPU. Whoever reads the map meanwhile gets nothing. */
export async function eventPipe(words: Words, output: Output): Promise<number> {
  using map = await takeMap(words);
  const only = takePlace(words);
  using interrupt = new Interrupt();
  using perf = new PerfBuffer(map, { only, timestamps: true });
  interrupt.signal.addEventListener("abort", () => perf.close());
  let lost = 0;
  while (!perf.closed) {
    perf.drainCpus((cpu) => (view, offset, length) => {
      const data = new Uint8Array(view.buffer, view.byteOffset + offset, length);
      printSample(output, { cpu, index: only?.index ?? cpu, time: perfRecordTime(view, offset), data });
    });
    if (perf.lost > lost) {
      if (output.json) output.value({ type: PerfRecord.PERF_RECORD_LOST, lost: { count: perf.lost - lost } });
      else output.line(`lost ${perf.lost - lost} events`);
      lost = perf.lost;
    }
    output.flush();
    await perf.readable();
  }
  return EXIT.done;
}

/** `cpu N index M`: both or none. */
function takePlace(words: Words): { cpu: number; index: number } | undefined {
  const place: { cpu?: number; index?: number } = {};
  while (words.peek() !== undefined) {
    const keyword = words.keyword("cpu", "index");
    if (keyword === undefined) throw new UsageError(`unexpected argument "${words.peek()}"`);
    place[keyword] = takeNumber(words, keyword);
  }
  const { cpu, index } = place;
  if (cpu === undefined && index === undefined) return undefined;
  if (cpu === undefined || index === undefined) throw new UsageError("cpu and index have to be given together");
  return { cpu, index };
}

interface Sample {
  readonly cpu: number;
  readonly index: number;
  readonly time: bigint;
  readonly data: Uint8Array;
}

function printSample(output: Output, { cpu, index, time, data }: Sample): void {
  const hex = Array.from(data, (byte) => byte.toString(16).padStart(2, "0"));
  if (output.json) {
    const type = PerfRecord.PERF_RECORD_SAMPLE;
    return output.value({ type, cpu, index, timestamp: time, data: hex.map((byte) => `0x${byte}`) });
  }
  const seconds = `${time / 1_000_000_000n}.${String(time % 1_000_000_000n).padStart(9, "0")}`;
  output.line(`== @${seconds} CPU: ${cpu} index: ${index} =====`);
  for (let at = 0; at < hex.length; at += 16) output.line(hex.slice(at, at + 16).join(" "));
}
