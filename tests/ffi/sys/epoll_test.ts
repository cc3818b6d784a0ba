import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import * as sys from "../../../ffi/sys/mod.ts";
import { needs } from "../../support/mod.ts";

const FFI = needs({ ffi: true });

Deno.test({
  name: "epollWait() gives the file descriptors that are ready",
  ...FFI,
  async fn() {
    using epoll = sys.epollCreate();
    using first = sys.eventfdCreate();
    using second = sys.eventfdCreate();
    sys.epollAdd(epoll.value, first.value, sys.EPOLLIN);
    sys.epollAdd(epoll.value, second.value, sys.EPOLLIN);
    assertEquals(sys.epollReady(epoll.value, 8), []);
    assertEquals(await sys.epollWait(epoll.value, 8, 0), []);
    sys.eventfdSignal(second.value);
    assertEquals(await sys.epollWait(epoll.value, 8, -1), [second.value]);
    sys.eventfdSignal(first.value);
    assertEquals(new Set(sys.epollReady(epoll.value, 8)), new Set([first.value, second.value]));
    assertEquals(sys.epollReady(epoll.value, 1).length, 1);
    assertEquals([sys.eventfdClear(second.value), sys.eventfdClear(second.value)], [true, false]);
    assertEquals(await sys.epollWait(epoll.value, 8, -1), [first.value]);
  },
});

Deno.test({
  name: "epollWait() does not block the event loop: what it waits for may happen on it",
  ...FFI,
  async fn() {
    using epoll = sys.epollCreate();
    using wake = sys.eventfdCreate();
    sys.epollAdd(epoll.value, wake.value, sys.EPOLLIN);
    const wait = sys.epollWait(epoll.value, 8, -1);
    await new Promise((resolve) => setTimeout(resolve, 1));
    sys.eventfdSignal(wake.value);
    assertEquals(await wait, [wake.value]);
  },
});

Deno.test({
  name: "epollModify() arms a one-shot file descriptor again, epollDelete() takes it out",
  ...FFI,
  fn() {
    using epoll = sys.epollCreate();
    using event = sys.eventfdCreate();
    sys.eventfdSignal(event.value);
    sys.epollAdd(epoll.value, event.value, sys.EPOLLIN | sys.EPOLLONESHOT);
    assertEquals(sys.epollReady(epoll.value, 8), [event.value]);
    assertEquals(sys.epollReady(epoll.value, 8), []);
    sys.epollModify(epoll.value, event.value, sys.EPOLLIN | sys.EPOLLONESHOT);
    assertEquals(sys.epollReady(epoll.value, 8), [event.value]);
    sys.epollDelete(epoll.value, event.value);
    const error = assertThrows(() => sys.epollDelete(epoll.value, event.value), sys.SyscallError);
    assertEquals(error.message, "epoll_ctl(EPOLL_CTL_DEL): ENOENT (no such file or object)");
  },
});

Deno.test({
  name: "epollWait() on something else says why",
  ...FFI,
  async fn() {
    using event = sys.eventfdCreate();
    const error = await assertRejects(() => sys.epollWait(event.value, 8, 0), sys.SyscallError);
    assertEquals(error.message, "epoll_wait(): EINVAL (invalid argument)");
  },
});

Deno.test({
  name: "epollAdd() of a file that is always ready says EPERM",
  ...FFI,
  fn() {
    using epoll = sys.epollCreate();
    using file = sys.open("/etc/passwd");
    assertEquals(
      assertThrows(() => sys.epollAdd(epoll.value, file.value, sys.EPOLLIN), sys.SyscallError).code,
      "EPERM",
    );
  },
});
