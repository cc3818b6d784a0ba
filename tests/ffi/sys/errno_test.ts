import { assertEquals } from "@std/assert";
import { Errno, errnoName, errnoText } from "../../../ffi/sys/mod.ts";

Deno.test("errnoName() knows numbers of all three headers", () => {
  assertEquals([1, 22, 38, 95, 133, 524].map(errnoName), [
    "EPERM",
    "EINVAL",
    "ENOSYS",
    "EOPNOTSUPP",
    "EHWPOISON",
    "ENOTSUPP",
  ]);
});

Deno.test("errnoName() of a number without a name says the number", () => {
  assertEquals([errnoName(0), errnoName(41), errnoName(9999)], ["errno 0", "errno 41", "errno 9999"]);
});

Deno.test("errnoText() is empty for what has no text", () => {
  assertEquals([errnoText(Errno.EPERM), errnoText(Errno.EL2HLT), errnoText(9999)], ["operation not permitted", "", ""]);
});
