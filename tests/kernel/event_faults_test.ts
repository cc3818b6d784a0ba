/**
 * Each system call that opening, reading and closing a source of events makes fails in turn: nothing is left, and what went
 * wrong is said.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import {
  BpfIterator,
  Collection,
  PerfBuffer,
  PerfSnapshot,
  RingBuffer,
  sys,
  TracePipe,
  UserRingBuffer,
} from "../../mod.ts";
import { inject } from "../ffi/sys/inject.ts";
import { hasFeature } from "../support/features.ts";
import { assertHoldsNothing } from "../support/leaks.ts";
import { needs } from "../support/mod.ts";
import { args, objectSpec } from "./support.ts";

/** Not those that give something back: close, munmap. */
const FALLIBLE = [
  "bpf",
  "mmap",
  "open",
  "read",
  "access",
  "fcntl",
  "ioctl",
  "perfEventOpen",
  "epollCreate1",
  "epollCtl",
  "eventfd",
] as const;
type Fallible = typeof FALLIBLE[number];

/** Makes the call fail for which `decide` says so. */
function failing(decide: (name: Fallible) => boolean, errno: number): Disposable {
  const cleanup = new DisposableStack();
  for (const name of FALLIBLE) {
    cleanup.use(
      inject(
        name,
        (real) =>
          ((...args: unknown[]) =>
            decide(name) ? -errno : (real as (...args: unknown[]) => unknown)(...args)) as typeof real,
      ),
    );
  }
  return cleanup;
}

const CASES: readonly [string, string, (collection: Collection) => void][] = [
  ["a ring buffer", "events", (collection) => {
    using ring = new RingBuffer(collection.map("tagged"));
    collection.program("emit_many").run({ ctx: args(3, 0) });
    using batch = ring.batch(1);
    assertEquals(batch.length, 1);
  }],
  ["a perf buffer", "perf_events", (collection) => {
    using perf = new PerfBuffer(collection.map("events"), { pages: 1 });
    collection.program("emit").run({ ctx: args(3, 0), cpu: 0 });
    perf.pause();
    perf.resume();
    assertEquals(perf.drain(() => {}), 3);
    assert(perf.lost >= 0);
  }],
  ["a perf snapshot", "perf_events", (collection) => {
    using perf = new PerfSnapshot(collection.map("events"), { pages: 1 });
    assertEquals(perf.read(() => {}), 0);
  }],
  ["a user ring buffer", "user_ring", (collection) => {
    using ring = new UserRingBuffer(collection.map("commands"));
    assert(ring.write(new Uint8Array(16)));
  }],
  ["the trace pipe", "printing", () => {
    using pipe = new TracePipe();
    pipe.take();
  }],
  ["an iterator", "iterators", (collection) => {
    using _ = BpfIterator.open(collection.program("task_text"));
  }],
];

for (const [what, object, use] of CASES) {
  const features = object === "user_ring" ? ["userRingBuffer" as const] : [];
  Deno.test({
    name: `${what}: whichever call fails, nothing is left`,
    ...needs({ bpf: true, btf: true, tracefs: true, features }),
    async fn() {
      const spec = objectSpec("clang19", object);
      if (!hasFeature("iterMapElements") && spec.programs.has("elements")) {
        spec.programs.get("elements")!.autoload = false;
      }
      using collection = Collection.load(spec);
      const made: Fallible[] = [];
      {
        using _ = failing((name) => (made.push(name), false), 0);
        use(collection);
      }
      assert(made.length > 1, `${made}`);
      for (const errno of [sys.Errno.ENOMEM, sys.Errno.EPERM]) {
        for (let target = 0; target < made.length; target++) {
          await assertHoldsNothing(
            `${what}: call ${target} of ${made.length} (${made[target]}) fails with ${errno}`,
            async () => {
              let count = 0;
              {
                using _ = failing(() => count++ === target, errno);
                try {
                  use(collection);
                } catch (error) {
                  const known = error instanceof sys.SyscallError || error instanceof SuppressedError ||
                    (error as Error).constructor === Error;
                  assert(known, `${what}: ${error}`);
                }
              }
              // The library's own epoll goes a moment later, if a wait is under way.
              await Promise.resolve();
            },
          );
        }
      }
    },
  });
}
