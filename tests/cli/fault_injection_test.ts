/**
 * Each system call of a whole cycle fails in turn: load, attach, events, close. Whatever comes of it, nothing is left open.
 */
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { Collection, openCollectionSpec } from "../../ffi/collection/mod.ts";
import { calls, Errno, errnoName, type SystemCalls } from "../../ffi/sys/mod.ts";
import { DebpfError } from "../../lib/errors.ts";
import type { CollectionSpec } from "../../lib/spec/mod.ts";
import { inject } from "../ffi/sys/inject.ts";
import { inRepository, needs } from "../support/mod.ts";
import { assertHoldsNothing, assertLeavesNothing } from "../support/leaks.ts";

/**
 * Calls that are made to fail. Not those that give something back or end a wait (close, munmap, eventfd's write): they
 * do not fail, and nothing could be done about it.
 */
const FALLIBLE = [
  "bpf",
  "perfEventOpen",
  "ioctl",
  "mmap",
  "open",
  "read",
  "access",
  "fcntl",
  "epollCreate1",
  "epollCtl",
  "epollWait",
  "eventfd",
] as const satisfies readonly (keyof SystemCalls)[];
type Fallible = (typeof FALLIBLE)[number];

/** Without memory any call may fail; EINVAL and EPERM are what the library takes for an old kernel or missing rights. */
const ERRORS = [Errno.ENOMEM, Errno.EINVAL, Errno.EPERM];
const EPOLL_CTL_DEL = 2;

interface Objects {
  readonly tracepoints: CollectionSpec;
  readonly events: CollectionSpec;
  readonly maps: CollectionSpec;
}

/** One program of each kind of attachment, one that emits, one that uses maps of all kinds: each costs time to load. */
function objects(): Objects {
  const open = (name: string, ...programs: string[]) => {
    const spec = openCollectionSpec(inRepository("testdata", "clang19", `${name}.bpf.o`));
    for (const program of spec.programs.values()) program.autoload = programs.includes(program.name);
    return spec;
  };
  return {
    tracepoints: open("tracepoints", "tp_exec", "raw_exec", "btf_exec"),
    events: open("events", "emit_tagged"),
    maps: open("truth", "maps"),
  };
}

/** All that a user does. */
async function cycle({ tracepoints, events, maps }: Objects): Promise<void> {
  Collection.load(maps).close();
  using attached = Collection.load(tracepoints);
  attached.attach();
  using emitting = Collection.load(events);
  using stream = emitting.events("tagged");
  // The wait begins before there is an event, so that the kernel has to end it.
  const event = stream[Symbol.asyncIterator]().next();
  emitting.program("emit_tagged").run({ ctx: new Uint8Array(8) });
  assertEquals((await event).done, false);
}

/** Makes the call fail for which `decide` gives an error number. */
function failing(decide: (name: Fallible, args: readonly unknown[]) => number | undefined): Disposable {
  const cleanup = new DisposableStack();
  for (const name of FALLIBLE) {
    cleanup.use(inject(name, (real) =>
      ((...args: unknown[]) => {
        const errno = decide(name, args);
        return errno === undefined ? (real as (...args: unknown[]) => unknown)(...args) : -errno;
      }) as SystemCalls[typeof name]));
  }
  return cleanup;
}

/** To take a descriptor out of the set gives something back, too. */
function givesBack(name: Fallible, args: readonly unknown[]): boolean {
  return name === "epollCtl" && args[1] === EPOLL_CTL_DEL;
}

/** The calls of a cycle that goes well, in order. */
async function callsOf(specs: Objects): Promise<Fallible[]> {
  const made: Fallible[] = [];
  using _ = failing((name, args) => {
    if (!givesBack(name, args)) made.push(name);
    return undefined;
  });
  await cycle(specs);
  return made;
}

Deno.test({
  name: "load, attach, events: whichever call fails, nothing is left, and the error is one of ours",
  ...needs({ bpf: true, btf: true, tracefs: true }),
  async fn(test) {
    const specs = objects();
    const original = { ...calls };
    await assertLeavesNothing("no call fails", () => cycle(specs));
    const made = await callsOf(specs);
    for (const name of ["bpf", "perfEventOpen", "mmap", "epollCreate1", "epollCtl", "eventfd"] as const) {
      assert(made.includes(name), `${name} was not called`);
    }
    for (const errno of ERRORS) {
      await test.step(errnoName(errno), async () => {
        let failures = 0;
        for (let target = 0; target < made.length; target++) {
          const what = `call ${target} of ${made.length} (${made[target]}) fails with ${errnoName(errno)}`;
          await assertHoldsNothing(what, async () => {
            let count = 0;
            using _ = failing((name, args) => !givesBack(name, args) && count++ === target ? errno : undefined);
            try {
              await cycle(specs);
            } catch (error) {
              failures++;
              const plain = error instanceof Error && error.constructor === Error;
              if (!plain) assertInstanceOf(error, DebpfError, `${what}: ${(error as Error).stack}`);
            }
          });
        }
        // Some calls may fail: what a file says is looked up elsewhere, an old kernel's way is taken.
        assert(failures > made.length / 2, `only ${failures} of ${made.length} failures were noticed`);
      });
    }
    assertEquals(calls, original);
    await assertLeavesNothing("after all failures", () => cycle(specs));
  },
});

Deno.test({
  name: "load, attach, events: from some call on all fail, and nothing is left",
  ...needs({ bpf: true, btf: true, tracefs: true }),
  async fn() {
    const specs = objects();
    await cycle(specs);
    const made = await callsOf(specs);
    for (let target = 0; target < made.length; target++) {
      const what = `from call ${target} of ${made.length} (${made[target]}) on all fail`;
      await assertHoldsNothing(what, async () => {
        let count = 0;
        using _ = failing((name, args) => !givesBack(name, args) && count++ >= target ? Errno.ENOMEM : undefined);
        await cycle(specs).then(
          () => assert(count <= target, `${what}, and nobody noticed`),
          (error: Error) =>
            assert(error instanceof DebpfError || error.constructor === Error, `${what}: ${error.stack}`),
        );
      });
    }
  },
});
