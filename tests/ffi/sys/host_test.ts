import { assertEquals, assertGreater, assertGreaterOrEqual, assertThrows } from "@std/assert";
import * as sys from "../../../ffi/sys/mod.ts";
import { FormatError } from "../../../lib/errors.ts";
import { needs } from "../../support/mod.ts";

Deno.test({
  name: "getpid(), getuid(), uname(), pageSize() say what Deno says",
  ...needs({ ffi: true }),
  fn() {
    assertEquals(sys.getpid(), Deno.pid);
    assertEquals(sys.getuid(), Deno.uid());
    assertEquals(sys.geteuid(), Deno.uid());
    const { sysname, release, machine, nodename } = sys.uname();
    assertEquals([sysname, release, machine, nodename], ["Linux", Deno.osRelease(), Deno.build.arch, Deno.hostname()]);
    assertEquals(sys.pageSize() % 4096, 0);
  },
});

Deno.test({
  name: "clockGettime() goes on, and CLOCK_REALTIME is Date's",
  ...needs({ ffi: true }),
  fn() {
    const first = sys.clockGettime(sys.Clock.CLOCK_MONOTONIC);
    assertGreaterOrEqual(sys.clockGettime(sys.Clock.CLOCK_MONOTONIC), first);
    const before = Date.now();
    const now = Number(sys.clockGettime(sys.Clock.CLOCK_REALTIME) / 1_000_000n);
    assertGreaterOrEqual(now, before);
  },
});

Deno.test({
  name: "possibleCpus() and onlineCpus()",
  ...needs({ ffi: true }),
  fn() {
    assertGreater(sys.onlineCpus().length, 0);
    assertGreaterOrEqual(sys.possibleCpus(), sys.onlineCpus().length);
  },
});

Deno.test("parseCpuList() reads ranges and single numbers", () => {
  assertEquals(sys.parseCpuList("0-3,8,10-11\n", "x"), [0, 1, 2, 3, 8, 10, 11]);
  assertEquals(sys.parseCpuList("0", "x"), [0]);
});

for (const text of ["", "a", "3-1", "1,", "-1", "1-2-3"]) {
  Deno.test(`parseCpuList() refuses ${JSON.stringify(text)}`, () => {
    assertThrows(() => sys.parseCpuList(text, "cpu/possible"), FormatError, "cpu/possible");
  });
}
