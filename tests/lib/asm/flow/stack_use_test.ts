import { assertEquals } from "@std/assert";
import { assemble } from "../../../../lib/asm/text/mod.ts";
import { controlFlow, stackUse } from "../../../../lib/asm/flow/mod.ts";

function use(text: string): number {
  const insns = assemble(text);
  return stackUse(insns, controlFlow(insns)[0]!);
}

Deno.test("stackUse() is the lowest place that is read or written, in whole 8 bytes", () => {
  assertEquals(use("r0 = 0\nexit"), 0);
  assertEquals(use("*(u8 *)(r10 -1) = 0\nexit"), 8);
  assertEquals(use("*(u64 *)(r10 -16) = r1\nr1 = *(u64 *)(r10 -24)\nexit"), 24);
  assertEquals(use("lock *(u64 *)(r10 -32) += r1\nexit"), 32);
  assertEquals(use("r1 = load_acquire((u64 *)(r10 -40))\nexit"), 40);
});

Deno.test("stackUse() follows pointers through constants and into calls", () => {
  assertEquals(use("r2 = r10\nr2 += -12\ncall map_lookup_elem\nexit"), 16);
  assertEquals(use("r2 = r10\nr2 -= 24\n*(u64 *)(r2 -8) = r1\nexit"), 32);
  assertEquals(use("r2 = r10\nr2 += -64\nr2 += 56\n*(u64 *)(r2 +0) = r1\nexit"), 8);
  assertEquals(use("r6 = r10\nr6 += -64\ncall get_prandom_u32\nexit"), 0);
});

Deno.test("stackUse() does not count dead code", () => {
  assertEquals(use("goto out\n*(u64 *)(r10 -64) = r1\nout: exit"), 0);
});
