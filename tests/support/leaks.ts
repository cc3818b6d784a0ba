/**
 * What a process leaves behind: file descriptors, mapped memory of maps, BPF objects in the kernel.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { btfGetNextId, linkGetNextId, mapGetNextId, progGetNextId } from "../../ffi/sys/mod.ts";
import { openFds } from "./process.ts";

/** Everything of this process that keeps BPF objects alive. */
interface Holdings {
  /** Open file descriptors: number and what it is. */
  readonly fds: readonly string[];
  /** Mapped memory of BPF maps, perf events and ring buffers. */
  readonly mappings: readonly string[];
}

/** Ids of all BPF objects of this machine, other processes' too. */
interface ObjectIds {
  readonly programs: readonly number[];
  readonly maps: readonly number[];
  readonly btfs: readonly number[];
  readonly links: readonly number[];
}

/** How often, and how many ms apart, to look again: the kernel frees some objects later, on a thread of its own. */
const LOOKS = 100;
const BETWEEN_LOOKS_MS = 20;
/** Other processes come and go: what leaks here leaks each time, what they do is different each time. */
const ATTEMPTS = 5;

function holdings(): Holdings {
  const fds = [...openFds()].map(([number, what]) => `${number} ${what}`);
  const mappings = Deno.readTextFileSync("/proc/self/maps").split("\n").filter((line) => /anon_inode:/.test(line));
  return { fds, mappings: mappings.map((line) => line.split(/\s+/).slice(1).join(" ")) };
}

function ids(next: (id: number) => number | undefined): number[] {
  const found: number[] = [];
  for (let id = next(0); id !== undefined; id = next(id)) found.push(id);
  return found;
}

function objectIds(): ObjectIds {
  return {
    programs: ids(progGetNextId),
    maps: ids(mapGetNextId),
    btfs: ids(btfGetNextId),
    links: ids(linkGetNextId),
  };
}

/** Waits until `look` gives `expected`; gives what it gave last. */
async function settled<T>(look: () => T, expected: T): Promise<T> {
  for (let looks = 0;; looks++) {
    const found = look();
    if (looks === LOOKS || JSON.stringify(found) === JSON.stringify(expected)) return found;
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_LOOKS_MS));
  }
}

/**
 * Fails if this process has other file descriptors or mapped memory after `action` than before. What is kept for the
 * life of a process, such as the kernel's mapped BTF, has to be there already.
 */
export async function assertHoldsNothing(what: string, action: () => unknown): Promise<void> {
  const before = holdings();
  await action();
  assertEquals(await settled(holdings, before), before, what);
}

/** As {@linkcode assertHoldsNothing}, and no program, map, BTF or link is left in the kernel. */
export async function assertLeavesNothing(what: string, action: () => unknown): Promise<void> {
  for (let attempt = 1;; attempt++) {
    const before = objectIds();
    await assertHoldsNothing(what, action);
    const after = await settled(objectIds, before);
    if (attempt === ATTEMPTS) assertEquals(after, before, what);
    if (JSON.stringify(after) === JSON.stringify(before)) return;
  }
}
