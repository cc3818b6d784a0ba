import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Readiness } from "../../../ffi/events/waiter.ts";
import * as sys from "../../../ffi/sys/mod.ts";
import { needs, openFds } from "../../support/mod.ts";
import { inject } from "../sys/inject.ts";

/** Waits until the descriptors of a wait that was ended are closed, too: its thread has to return first. */
async function assertSameFds(before: number): Promise<void> {
  for (let i = 0; i < 200 && openFds().size !== before; i++) await delay(5);
  assertEquals(openFds().size, before);
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

const test = (name: string, fn: () => Promise<void>) =>
  Deno.test({
    name: `Readiness: ${name}`,
    ...needs({ ffi: true }),
    fn: async () => {
      // The C library opens what it needs on first use.
      sys.eventfdCreate().close();
      const before = openFds().size;
      await fn();
      await assertSameFds(before);
    },
  });

test("readable() resolves when the descriptor can be read", async () => {
  using event = sys.eventfdCreate();
  using readiness = new Readiness(event.value);
  const waiting = readiness.readable();
  assertEquals(readiness.readable(), waiting);
  sys.eventfdSignal(event.value);
  await waiting;
  await readiness.readable();
});

test("disposing ends the wait and closes everything", async () => {
  using event = sys.eventfdCreate();
  const readiness = new Readiness(event.value);
  const waiting = readiness.readable();
  await delay(1);
  readiness[Symbol.dispose]();
  readiness[Symbol.dispose]();
  await waiting;
  await readiness.readable();
});

test("one that is disposed of leaves the other one waiting", async () => {
  using first = sys.eventfdCreate();
  using second = sys.eventfdCreate();
  const gone = new Readiness(first.value);
  using left = new Readiness(second.value);
  const order: string[] = [];
  const waits = [
    gone.readable().then(() => order.push("gone")),
    left.readable().then(() => order.push("left")),
  ];
  gone[Symbol.dispose]();
  await waits[0];
  sys.eventfdSignal(second.value);
  await waits[1];
  assertEquals(order, ["gone", "left"]);
});

test("waiting starts again while a wait that was ended has not returned", async () => {
  using first = sys.eventfdCreate();
  using second = sys.eventfdCreate();
  const gone = new Readiness(first.value);
  const waiting = gone.readable();
  gone[Symbol.dispose]();
  using readiness = new Readiness(second.value);
  const next = readiness.readable();
  sys.eventfdSignal(second.value);
  await Promise.all([waiting, next]);
});

test("a descriptor that nobody waits for does not end the wait of another", async () => {
  using idle = sys.eventfdCreate();
  using event = sys.eventfdCreate();
  using _unused = new Readiness(idle.value);
  using readiness = new Readiness(event.value);
  sys.eventfdSignal(idle.value);
  const waiting = readiness.readable();
  sys.eventfdSignal(event.value);
  await waiting;
});

test("resolves without a wake-up after a while: some records come without", async () => {
  using event = sys.eventfdCreate();
  using readiness = new Readiness(event.value);
  await readiness.readable();
});

test("70 descriptors that are ready at once are all reported", async () => {
  using resources = new DisposableStack();
  const readiness = Array.from({ length: 70 }, () => {
    const event = resources.use(sys.eventfdCreate());
    sys.eventfdSignal(event.value);
    return resources.use(new Readiness(event.value));
  });
  await Promise.all(readiness.map((one) => one.readable()));
});

test("a wait that fails rejects, and the next one starts anew", async () => {
  using event = sys.eventfdCreate();
  using readiness = new Readiness(event.value);
  {
    using _async = inject("epollWaitAsync", () => () => Promise.resolve(-1));
    using _sync = inject("epollWait", () => () => -sys.Errno.EBADF);
    await assertRejects(() => readiness.readable(), sys.SyscallError, "epoll_wait(): EBADF");
  }
  sys.eventfdSignal(event.value);
  await readiness.readable();
});

test("what cannot be waited for is refused, and leaves nothing open", async () => {
  using file = sys.open("/etc/passwd");
  assertThrows(() => new Readiness(file.value), sys.SyscallError, "EPERM");
  await Promise.resolve();
});
