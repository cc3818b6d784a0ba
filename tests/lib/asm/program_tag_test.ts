import { assertEquals, assertNotEquals } from "@std/assert";
import { assemble } from "../../../lib/asm/text/mod.ts";
import { programTag } from "../../../lib/asm/mod.ts";

const tag = async (text: string, hash?: "SHA-256" | "SHA-1") =>
  (await programTag(assemble(text), "little", hash)).toHex();

Deno.test("programTag() begins the hash of the instructions", async () => {
  // What Linux 6.18 says of `r0 = 0; exit`; older kernels (SHA-1) say a04f5eef06a7f555.
  assertEquals(await tag("r0 = 0\nexit", "SHA-1"), "a04f5eef06a7f555");
  assertEquals(await tag("r0 = 0\nexit"), await tag("r0 = 0\nexit", "SHA-256"));
});

Deno.test("programTag() does not count fds of maps, nor places in their values", async () => {
  const load = (map: string) => tag(`r1 = ${map}\nr0 = 0\nexit`);
  assertEquals(await load("map[fd:3]"), await load("map[fd:4]"));
  assertEquals(await load("map[fd:3][0]+8"), await load("map[fd:4][0]+16"));
  assertNotEquals(await load("map[fd:3]"), await load("map[fd:3][0]+0"));
  assertNotEquals(await load("0x3"), await load("0x4"));
});
