/**
 * Who holds an object, as bpftool prints it: names in BPF file systems and processes.
 *
 * @module
 */
import { findHolders, type Holder } from "../ffi/info/mod.ts";
import { BPF_FS, isBpfFs, type PinKind, pins } from "../ffi/pin/mod.ts";
import type { Output } from "./output.ts";

/** Who holds objects of one kind. */
export interface HoldersOf {
  /** Paths by id; empty unless they were asked for. */
  readonly pinned: ReadonlyMap<number, readonly string[]>;
  /** Processes by id. */
  readonly processes: ReadonlyMap<number, readonly Holder[]>;
}

/**
 * Looks for holders.
 *
 * @param withPins Also look through the BPF file system: an option, since that opens all that is pinned.
 */
export function holdersOf(kind: PinKind, withPins: boolean): HoldersOf {
  const pinned = new Map<number, string[]>();
  if (withPins && isBpfFs(BPF_FS)) {
    for (const pin of pins(BPF_FS)) {
      if (pin.kind === kind) pinned.set(pin.id, [...pinned.get(pin.id) ?? [], pin.path]);
    }
  }
  return { pinned, processes: findHolders()[kind] };
}

/** The fields `pinned` and `pids` of an object. */
export function holdersJson(id: number, holders: HoldersOf): object {
  const paths = holders.pinned.get(id);
  const processes = processesOf(id, holders);
  return {
    ...(paths === undefined ? {} : { pinned: paths }),
    ...(processes.length === 0 ? {} : { pids: processes.map(({ pid, comm }) => ({ pid, comm })) }),
  };
}

/** Prints their lines. */
export function printHolders(id: number, holders: HoldersOf, output: Output): void {
  for (const path of holders.pinned.get(id) ?? []) output.line(`\tpinned ${path}`);
  const processes = processesOf(id, holders);
  if (processes.length > 0) output.line(`\tpids ${processes.map(({ pid, comm }) => `${comm}(${pid})`).join(", ")}`);
}

/** Each process once; this one, which only looks, not at all. */
function processesOf(id: number, { processes }: HoldersOf): Holder[] {
  const byPid = new Map((processes.get(id) ?? []).map((holder) => [holder.pid, holder]));
  byPid.delete(Deno.pid);
  return [...byPid.values()];
}
