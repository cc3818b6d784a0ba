/**
 * Records with and without wake-ups: none is waited for in vain, whatever the one before it did.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { Collection, sys } from "../../mod.ts";
import { BpfRingbufFlag } from "../../lib/uapi/mod.ts";
import { needs } from "../support/mod.ts";
import { args, COMPILERS, objectSpec } from "./support.ts";

const { BPF_RB_NO_WAKEUP: NONE, BPF_RB_FORCE_WAKEUP: FORCE } = BpfRingbufFlag;

for (const compiler of COMPILERS) {
  const test = (
    name: string,
    fn: (collection: Collection, run: (program: string, number: number, flags: number) => void) => void | Promise<void>,
  ) =>
    Deno.test({
      name: `${compiler}/wake-ups: ${name}`,
      ...needs({ bpf: true, btf: true }),
      fn: async () => {
        using collection = Collection.load(objectSpec(compiler, "ring_wakeups"));
        await fn(collection, (program, number, flags) => {
          assertEquals(collection.program(program).run({ ctx: args(number, flags) }).returnValue, 0);
        });
      },
    });

  test("a discard without one before a commit does not stall the loop", async (collection, run) => {
    const read: unknown[] = [];
    setTimeout(() => {
      run("discard", 0, NONE);
      run("submit", 1, 0);
    }, 5);
    for await (const { number } of collection.events("events")) {
      read.push(number);
      if (read.length === 1) {
        run("submit", 2, NONE);
        run("discard", 0, 0);
        run("discard", 0, NONE);
        run("submit", 3, 0);
      }
      if (read.length === 3) break;
    }
    assertEquals(read, [1n, 2n, 3n]);
  });

  test("a forced one comes when the reader has not caught up, a usual one does not", (collection, run) => {
    // An edge is reported for each wake-up, and nothing else.
    using epoll = sys.epollCreate();
    sys.epollAdd(epoll.value, collection.map("events").fd, sys.EPOLLIN | sys.EPOLLET);
    const woken = () => sys.epollReady(epoll.value, 1).length > 0;
    const after = (program: string, flags: number) => {
      run(program, 0, flags);
      // The wake-up is an interrupt of its own, which comes at once.
      return woken();
    };
    assertEquals(woken(), false);
    assertEquals(after("submit", NONE), false);
    assertEquals([after("submit", 0), after("discard", 0)], [false, false]);
    assertEquals([after("submit", FORCE), after("discard", FORCE)], [true, true]);
    using events = collection.events("events");
    assertEquals(events.take().length, 3);
    assertEquals([after("submit", 0), events.take().length], [true, 1]);
  });

  test("records whose reader is never woken are read", async (collection, run) => {
    const read: unknown[] = [];
    for (let i = 0; i < 3; i++) setTimeout(() => run("submit", i, NONE), 5 * i);
    for await (const { number } of collection.events("events")) if (read.push(number) === 3) break;
    assertEquals(read, [0n, 1n, 2n]);
  });
}
