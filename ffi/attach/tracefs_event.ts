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
  readonly #list: string;
  readonly #name: string;
  #removed = false;

  private constructor(list: string, name: string, id: number) {
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
        `probes need the perf PMU "${kind}" (Linux 4.17) or tracefs with ${kind}_events: mount -t tracefs nodev /sys/kernel/tracing`,
      );
    }
    const list = `${root}/${kind}_events`;
    removeOrphans(list);
    const name = `${GROUP}/${ownPrefix()}_${counter++}`;
    sys.writeFile(list, `${type}:${name} ${target}\n`, sys.OpenFlag.O_APPEND);
    try {
      return new TracefsEvent(list, name, Number(sys.readTextFile(`${root}/events/${name}/id`).trim()));
    } catch (error) {
      remove(list, name);
      throw error;
    }
  }

  /**
   * Removes it; whatever was opened by its id has to be closed first. An event that somebody else still holds (a pinned
   * link) stays, and is removed by a later process.
   */
  remove(): void {
    if (this.#removed) return;
    this.#removed = true;
    remove(this.#list, this.#name);
  }

  /** As {@linkcode TracefsEvent.remove}. */
  [Symbol.dispose](): void {
    this.remove();
  }
}

let counter = 0;

function remove(list: string, name: string): void {
  for (let attempt = 1;; attempt++) {
    try {
      sys.writeFile(list, `-:${name}\n`, sys.OpenFlag.O_APPEND);
      return;
    } catch (error) {
      if (!(error instanceof sys.SyscallError)) throw error;
      if (error.code === "ENOENT") return;
      if (error.code !== "EBUSY") throw error;
      if (attempt === ATTEMPTS) return;
      sys.calls.poll(new Uint8Array(0), 1);
    }
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

/** Removes what processes left that are gone; what another PID namespace's did is not ours to judge. */
function removeOrphans(list: string): void {
  const namespace = pidNamespace();
  const events = sys.readTextFile(list).matchAll(new RegExp(`^\\w+:(${GROUP}/p(\\d+)_(\\d+)_(\\d+)_\\d+) `, "gm"));
  for (const [, name, made, pid, time] of events) {
    if (made === namespace && !isAlive(pid!, time!)) remove(list, name!);
  }
}

function isAlive(pid: string, time: string): boolean {
  try {
    return startTime(sys.readTextFile(`/proc/${pid}/stat`)) === time;
  } catch (error) {
    if (error instanceof sys.SyscallError && (error.code === "ENOENT" || error.code === "ESRCH")) return false;
    throw error;
  }
}
