import { assertEquals, assertThrows } from "@std/assert";
import { addressOf, cString, layout, textOf, WireBuffer } from "../../../ffi/sys/wire.ts";
import { needs } from "../../support/mod.ts";

const LAYOUT = layout({
  word: [0, "u32"],
  signed: [4, "s32"],
  short: [8, "u16"],
  long: [16, "u64"],
  text: [24, "pointer"],
  label: [32, "name"],
});

Deno.test("layout() ends at the end of the last field", () => {
  assertEquals(LAYOUT.size, 48);
  assertEquals(layout({ high: [8, "u16"], low: [0, "u64"] }).size, 10);
});

Deno.test({
  name: "WireBuffer.fill() sets what it is given and zeroes the rest",
  ...needs({ ffi: true }),
  fn() {
    const buffer = new WireBuffer(LAYOUT.size);
    buffer.fill(LAYOUT, { word: 0xffff_ffff, signed: -2, short: 65535, long: 1n << 63n, label: "abc" });
    const { word, signed, short, long, text, label } = buffer.read(LAYOUT);
    assertEquals([word, signed, short, long, text, label], [0xffff_ffff, -2, 65535, 1n << 63n, 0n, "abc"]);
    buffer.fill(LAYOUT, { long: 7, word: undefined });
    assertEquals(buffer.bytes.filter((byte) => byte !== 0), Uint8Array.of(7));
  },
});

Deno.test({
  name: "WireBuffer.set() cuts a name at 15 bytes and never inside a character",
  ...needs({ ffi: true }),
  fn() {
    const buffer = new WireBuffer(LAYOUT.size);
    buffer.set(LAYOUT, { label: "0123456789abcdefgh" });
    assertEquals(buffer.get(LAYOUT, "label"), "0123456789abcde");
    buffer.fill(LAYOUT, { label: "0123456789abcdé" });
    assertEquals(buffer.get(LAYOUT, "label"), "0123456789abcd");
  },
});

Deno.test({
  name: "WireBuffer.set() stores the address of memory, of a string, or one that is given",
  ...needs({ ffi: true }),
  fn() {
    const buffer = new WireBuffer(LAYOUT.size);
    const memory = new Uint8Array(16);
    buffer.set(LAYOUT, { text: memory.subarray(4) });
    assertEquals(buffer.get(LAYOUT, "text"), addressOf(memory) + 4n);
    buffer.set(LAYOUT, { text: 0x1234n });
    assertEquals(buffer.get(LAYOUT, "text"), 0x1234n);
    buffer.set(LAYOUT, { text: "hello" });
    const pointer = Deno.UnsafePointer.create(buffer.get(LAYOUT, "text"));
    assertEquals(pointer && new Deno.UnsafePointerView(pointer).getCString(), "hello");
    buffer.fill(LAYOUT, { text: new Uint8Array(0) });
    assertEquals(buffer.get(LAYOUT, "text"), 0n);
  },
});

/** Makes garbage until `reference` is collected. To look at a WeakRef holds its target for the rest of a task. */
async function collected(reference: WeakRef<object>): Promise<void> {
  const task = () => new Promise((resolve) => setTimeout(resolve, 0));
  for (let round = 0; round < 200; round++) {
    await task();
    for (let i = 0; i < 200; i++) new Uint8Array(1 << 20);
    await task();
    if (reference.deref() === undefined) return;
  }
  throw new Error("nothing is collected");
}

Deno.test({
  name: "WireBuffer keeps what its pointers point at reachable",
  ...needs({ ffi: true }),
  async fn() {
    const buffer = new WireBuffer(LAYOUT.size);
    const set = () => {
      const memory = new Uint8Array(64);
      const other = new Uint8Array(64);
      buffer.fill(LAYOUT, { text: memory });
      return { kept: new WeakRef(memory), dropped: new WeakRef(other) };
    };
    const { kept, dropped } = set();
    await collected(dropped);
    assertEquals(kept.deref()?.length, 64);
  },
});

Deno.test("cString() refuses a NUL, which would cut what the kernel reads", () => {
  assertEquals(cString("é"), Uint8Array.of(0xc3, 0xa9, 0));
  assertThrows(() => cString("/etc/\0passwd"), TypeError, "NUL");
});

Deno.test("textOf() ends at the first NUL or with the bytes", () => {
  assertEquals([textOf(Uint8Array.of(97, 0, 98)), textOf(Uint8Array.of(97, 98)), textOf(new Uint8Array(0))], [
    "a",
    "ab",
    "",
  ]);
});
