/**
 * The kernel's lists of what is traced: events of tracefs, probes, functions that something is hooked into.
 *
 * @module
 */
import { assertEquals } from "@std/assert";

const LISTS = [
  "/sys/kernel/tracing/kprobe_events",
  "/sys/kernel/tracing/uprobe_events",
  "/sys/kernel/tracing/dynamic_events",
  "/sys/kernel/tracing/enabled_functions",
  "/sys/kernel/debug/kprobes/list",
];
/** How often, and how many ms apart, to look again: the kernel lets go of some probes later. */
const LOOKS = 100;
const BETWEEN_LOOKS_MS = 20;

/** What the kernel's lists say now; a list that this kernel does not have is empty. */
export function tracingLists(): Record<string, string> {
  return Object.fromEntries(LISTS.map((path) => [path, contentOf(path)]));
}

function contentOf(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}

/** Waits until the kernel's lists are what they were, and fails if they do not become so. */
export async function assertListsBecome(before: Record<string, string>): Promise<void> {
  for (let looks = 0; looks < LOOKS; looks++) {
    if (JSON.stringify(tracingLists()) === JSON.stringify(before)) return;
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_LOOKS_MS));
  }
  assertEquals(tracingLists(), before);
}
