import { assertEquals } from "@std/assert";
import { kernelVersion, versionCode } from "../../../ffi/host/mod.ts";
import { needs } from "../../support/mod.ts";

const names = (release: string, version = "#1 SMP PREEMPT_DYNAMIC") => ({ release, version });

Deno.test("versionCode() reads what distributions write", () => {
  assertEquals(versionCode(names("6.12.11-amd64"), ""), 0x060c0b);
  assertEquals(versionCode(names("6.6.0"), ""), 0x060600);
  // Debian's release ends with the ABI's number, its version names the kernel's.
  assertEquals(versionCode(names("5.10.0-33-amd64", "#1 SMP Debian 5.10.226-1 (2024-10-03)"), ""), 0x050ae2);
  assertEquals(versionCode(names("5.4.0-12-generic"), "Ubuntu 5.4.0-12.15-generic 5.4.8\n"), 0x050408);
  // KERNEL_VERSION() keeps 8 bits of the last number.
  assertEquals(versionCode(names("4.19.300"), ""), 0x0413ff);
  assertEquals(versionCode(names("unknown"), ""), 0);
});

Deno.test({
  name: "kernelVersion() is the running kernel's",
  ...needs({ ffi: true }),
  fn() {
    const [major, minor] = Deno.osRelease().split(".").map(Number);
    assertEquals(kernelVersion() >> 8, major! << 8 | minor!);
  },
});
