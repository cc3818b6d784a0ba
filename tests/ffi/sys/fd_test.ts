import { assertEquals, assertFalse, assertThrows } from "@std/assert";
import { duplicateFd, Fd, open, SyscallError } from "../../../ffi/sys/mod.ts";
import { needs, openFds } from "../../support/mod.ts";
import { inject } from "./inject.ts";

const FFI = needs({ ffi: true });

Deno.test({
  name: "Fd.close() closes once, however often it is called",
  ...FFI,
  fn() {
    const closed: number[] = [];
    using _ = inject("close", () => (fd) => (closed.push(fd), 0));
    const fd = new Fd(1234);
    assertEquals([fd.value, fd.closed], [1234, false]);
    fd.close();
    fd.close();
    fd[Symbol.dispose]();
    assertEquals([closed, fd.closed], [[1234], true]);
  },
});

Deno.test("Fd.value of a closed one throws EBADF, not a number that may be somebody else's", () => {
  const fd = new Fd(1234);
  assertEquals(fd.take(), 1234);
  const error = assertThrows(() => fd.value, SyscallError);
  assertEquals(error.code, "EBADF");
  assertThrows(() => fd.take(), SyscallError);
});

Deno.test({
  name: "Fd.take() leaves nothing to close",
  ...FFI,
  fn() {
    using _ = inject("close", () => () => {
      throw new Error("closed what was taken");
    });
    const fd = new Fd(1234);
    fd.take();
    fd.close();
  },
});

Deno.test({
  name: "Fd closes its file descriptor at the end of a scope",
  ...FFI,
  fn() {
    const before = openFds().size;
    {
      using fd = open("/proc/self/status");
      assertEquals(openFds().has(fd.value), true);
    }
    assertEquals(openFds().size, before);
  },
});

Deno.test({
  name: "Fd.dup() gives another that outlives the first",
  ...FFI,
  fn() {
    const fd = open("/proc/self/status");
    using copy = fd.dup();
    fd.close();
    assertFalse(copy.closed);
    assertEquals(openFds().get(copy.value)?.endsWith("/status"), true);
    using third = duplicateFd(copy.value);
    assertEquals(third.value !== copy.value, true);
  },
});

Deno.test({
  name: "duplicateFd() of a number that is not open throws EBADF",
  ...FFI,
  fn() {
    assertEquals(assertThrows(() => duplicateFd(987654), SyscallError).code, "EBADF");
  },
});
