/**
 * Events that were lost: how many, why, and what to do about it.
 *
 * @module
 */

/** Events that were lost, by who noticed. */
export interface EventLosses {
  /** The program could not reserve space, and counted it (`DEBPF_COUNT_LOST` of debpf.h). */
  readonly program: number;
  /** The kernel could not store them, and said so. */
  readonly kernel: number;
  /** The stream's reader was slower than they came, and the stream's queue was full. */
  readonly queue: number;
}

/** Where events were lost. */
export interface LossPlace {
  /** Name of the map. */
  readonly map: string;
  /** Size of its data in bytes; of a perf event array, for each CPU. */
  readonly sizeBytes: number;
  /** Has each CPU a buffer of its own. */
  readonly perCpu: boolean;
  /** How many events the stream's queue holds. */
  readonly queue: number;
}

/** All of them. */
export function totalLost({ program, kernel, queue }: EventLosses): number {
  return program + kernel + queue;
}

/** What is to be said about lost events: a sentence for each reason, none where none were lost. */
export function describeLosses(losses: EventLosses, place: LossPlace): string[] {
  const { map, perCpu, queue } = place;
  const size = bytesText(place.sizeBytes);
  const lines: string[] = [];
  const full = losses.program + losses.kernel;
  if (full > 0 && perCpu) {
    lines.push(`${eventsText(full)} lost: a CPU's buffer was full; raise pages of "${map}" (${size} a CPU)`);
  } else if (full > 0) {
    lines.push(`${eventsText(full)} lost: ring full; raise max_entries of "${map}" (${size})`);
  }
  if (losses.queue > 0) {
    lines.push(`${eventsText(losses.queue)} lost: their reader was too slow and the queue of "${map}" (${queue}) full`);
  }
  return lines;
}

function eventsText(count: number): string {
  return count === 1 ? "1 event" : `${count} events`;
}

/** A size as people say it: `256 KiB`. */
function bytesText(bytes: number): string {
  if (bytes >= 1 << 20 && bytes % (1 << 20) === 0) return `${bytes / (1 << 20)} MiB`;
  return bytes % 1024 === 0 ? `${bytes / 1024} KiB` : `${bytes} bytes`;
}
