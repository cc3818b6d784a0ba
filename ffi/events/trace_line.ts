/**
 * Lines of tracefs' trace_pipe (kernel/trace/trace_output.c, trace_print_context()): what bpf_printk writes, and all other
 * events that are on.
 *
 * ```text
 *             bash-4211    [001] d..2. 12345.678901: bpf_trace_printk: hello
 *             bash-4211    (   4210) [001] ...     with the option record-tgid
 * CPU:1 [LOST 12 EVENTS]
 * ```
 *
 * @module
 */

/** A line of the trace pipe. */
export interface TraceLine {
  /** Name of the task; `<...>` if the kernel does not remember it. */
  readonly task: string;
  /** Its thread id. */
  readonly pid: number;
  /** Its process id, where the option record-tgid is on and the kernel knows it. */
  readonly tgid: number | undefined;
  /** CPU. */
  readonly cpu: number;
  /** State: `d` interrupts off, `N` to be rescheduled, `s` or `h` in a soft or hard interrupt, preemption depth. */
  readonly flags: string;
  /** Time of the trace clock in seconds: since boot, unless another clock is chosen. */
  readonly timeSeconds: number;
  /** Name of the event: `bpf_trace_printk`. */
  readonly event: string;
  /** What was printed, without the newline at its end; it may have others inside. */
  readonly text: string;
}

const LINE =
  /^\s*(.{1,16}?)-(\d+)\s+(?:\(\s*(\d+|-+)\)\s+)?\[(\d+)\]\s+(?:([^\s:]+)\s+)?(\d+(?:\.\d+)?): (?:([\w.]+): ?)?(.*)$/;
const LOST = /^CPU:\d+ \[LOST (\d+) EVENTS\]$/;

/** Makes lines of text that comes in pieces. */
export class TraceParser {
  /** Events that the kernel says were overwritten before they were read. */
  lost = 0;
  #rest = "";
  #last: TraceLine | undefined;

  /** The lines that are whole with `text`, which is what came next. */
  push(text: string): TraceLine[] {
    const pieces = (this.#rest + text).split("\n");
    this.#rest = pieces.pop()!;
    const lines: TraceLine[] = [];
    for (const piece of pieces) this.#piece(piece, lines);
    return lines;
  }

  #piece(piece: string, lines: TraceLine[]): void {
    const lost = LOST.exec(piece);
    if (lost !== null) {
      this.lost += Number(lost[1]);
      return;
    }
    const line = parseTraceLine(piece);
    if (line !== undefined) lines.push(this.#last = line);
    // A newline at the end of what was printed makes an empty line; one inside of it makes a line without a head.
    else if (piece !== "" && this.#last !== undefined) {
      const previous = lines.pop();
      if (previous === undefined) lines.push({ ...this.#last, text: piece });
      else lines.push({ ...previous, text: `${previous.text}\n${piece}` });
    }
  }
}

/** The parts of a line with a head; `undefined` for another one. */
export function parseTraceLine(line: string): TraceLine | undefined {
  const match = LINE.exec(line);
  if (match === null) return undefined;
  const [, task = "", pid, tgid, cpu, flags = "", time, event = "", text = ""] = match;
  return {
    task,
    pid: Number(pid),
    tgid: tgid === undefined || tgid.startsWith("-") ? undefined : Number(tgid),
    cpu: Number(cpu),
    flags,
    timeSeconds: Number(time),
    event,
    text,
  };
}
