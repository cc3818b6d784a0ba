/**
 * Probes as events of tracefs (`kprobe_events`, `uprobe_events`): for kernels whose perf_event_open(2) makes no probes itself
 * (before Linux 4.17, or where its PMU is not in sysfs).
 *
 * Such an event outlives the process that made it. So its name says which process that was, and whoever makes the next one
 * removes those of processes that are gone.
 *
 * @module
 */
import { UnsupportedError } from "../../lib/errors.ts";
import * as sys from "../sys/mod.ts";
import { findTracefs } from "./tracefs.ts";

/** Group of the events that are made here. */
const GROUP = "debpf";
/** How often, 1 ms apart, to try again to remove an event that the kernel is still letting go of. */
const ATTEMPTS = 50;

/** Of which of its two lists an event is. */
export type TracefsEventKind = "kprobe" | "uprobe";

/** A probe that was added to tracefs, to be removed. */
export class TracefsEvent implements Disposable {
  /** Its number, the `config` of a `PERF_TYPE_TRACEPOINT` event. */
  readonly id: number;
  readonly #list: EventList;
  readonly #name: string;

  private constructor(list: EventList, name: string, id: number) {
    this.#list = list;
    this.#name = name;
    this.id = id;
  }

  /**
   * Adds a probe.
   *
   * @param kind Of which list.
   * @param type How its definition begins: `p`, `r`, `r16`.
   * @param target What it is on: `do_exit+0x10`, `/bin/sh:0x1234`.
   * @throws {UnsupportedError} if tracefs is not mounted or has no such list.
   * @throws {sys.SyscallError} if the kernel does not take it.
   */
  static add(kind: TracefsEventKind, type: string, target: string): TracefsEvent {
    const root = findTracefs(`${kind}_events`);
    if (root === undefined) {
      throw new UnsupportedError(
        `${kind}_events`,
        `probes need the perf PMU "${kind}" (Linux 4.17) or tracefs with ${kind}_events: ` +
          "mount -t tracefs nodev /sys/kernel/tracing",
      );
    }
    using cleanup = new DisposableStack();
    const list = cleanup.use(new EventList(`${root}/${kind}_events`));
    list.removeOrphans();
    const name = `${GROUP}/${ownPrefix()}_${counter++}`;
    list.write(`${type}:${name} ${target}`);
    cleanup.defer(() => list.remove(name));
    const id = Number(sys.readTextFile(`${root}/events/${name}/id`).trim());
    cleanup.move();
    return new TracefsEvent(list, name, id);
  }

  /**
   * Removes it; whatever was opened by its id has to be closed first. An event that somebody else still holds (a pinned
   * link) stays, and is removed by a later process. Removing it again does nothing.
   */
  remove(): void {
    using list = this.#list;
    if (!list.closed) list.remove(this.#name);
  }

  /** As {@linkcode TracefsEvent.remove}. */
  [Symbol.dispose](): void {
    this.remove();
  }
}

let counter = 0;

/** A list of tracefs, open as long as an event of it is there: to remove one must not fail for want of a file descriptor. */
class EventList implements Disposable {
  readonly #path: string;
  readonly #fd: sys.Fd;
  closed = false;

  constructor(path: string) {
    this.#path = path;
    this.#fd = sys.open(path, sys.OpenFlag.O_WRONLY | sys.OpenFlag.O_APPEND);
  }

  write(command: string): void {
    const result = sys.calls.write(this.#fd.value, new TextEncoder().encode(`${command}\n`));
    if (result < 0) throw new sys.SyscallError(`write(${this.#path}, "${command}")`, -result);
  }

  remove(name: string): void {
    for (let attempt = 1;; attempt++) {
      try {
        return this.write(`-:${name}`);
      } catch (error) {
        if (!(error instanceof sys.SyscallError)) throw error;
        if (error.code === "ENOENT" || (error.code === "EBUSY" && attempt === ATTEMPTS)) return;
        if (error.code !== "EBUSY") throw error;
        sys.calls.poll(new Uint8Array(0), 1);
      }
    }
  }

  /** Removes what processes left that are gone; what another PID namespace's did is not ours to judge. */
  removeOrphans(): void {
    const namespace = pidNamespace();
    const pattern = new RegExp(`^\\w+:(${GROUP}/p(\\d+)_(\\d+)_(\\d+)_\\d+) `, "gm");
    for (const [, name, made, pid, time] of sys.readTextFile(this.#path).matchAll(pattern)) {
      if (made === namespace && !isAlive(pid!, time!)) this.remove(name!);
    }
  }

  [Symbol.dispose](): void {
    this.closed = true;
    this.#fd.close();
  }
}

/** `pPIDNAMESPACE_PID_STARTTIME`: no other process has had it or will. A name must not begin with a digit. */
function ownPrefix(): string {
  const stat = sys.readTextFile("/proc/self/stat");
  return `p${pidNamespace()}_${parseInt(stat)}_${startTime(stat)}`;
}

function pidNamespace(): string {
  return /\d+/.exec(sys.readLink("/proc/self/ns/pid"))?.[0] ?? "0";
}

/** Field 22 of /proc/PID/stat; the second, a name in parentheses, may hold anything. */
function startTime(stat: string): string {
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "0";
}

function isAlive(pid: string, time: string): boolean {
  try {
    return startTime(sys.readTextFile(`/proc/${pid}/stat`)) === time;
  } catch (error) {
    if (error instanceof sys.SyscallError && (error.code === "ENOENT" || error.code === "ESRCH")) return false;
    throw error;
  }
}
