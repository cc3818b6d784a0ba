import { assertEquals, assertThrows } from "@std/assert";
import { parseAddress, parsePrefix } from "../../../ffi/attach/ip_address.ts";

function hex(text: string): string {
  return parseAddress(text).toHex();
}

Deno.test("parseAddress() reads addresses of both families", () => {
  assertEquals([...parseAddress("10.1.255.0")], [10, 1, 255, 0]);
  assertEquals(hex("::"), "00".repeat(16));
  assertEquals(hex("::1"), `${"00".repeat(15)}01`);
  assertEquals(hex("fd00::"), `fd${"00".repeat(15)}`);
  assertEquals(hex("1:2:3:4:5:6:7:8"), "00010002000300040005000600070008");
  assertEquals(hex("fe80::1:abcd"), `fe80${"00".repeat(10)}0001abcd`);
  assertEquals(hex("::ffff:10.0.0.1"), `${"00".repeat(10)}ffff0a000001`);
});

Deno.test("parseAddress() refuses what is no address", () => {
  const wrong = [
    "",
    "1",
    "1.2.3",
    "1.2.3.256",
    "1.2.3.4.5",
    "1.2.3.x",
    ":",
    "1:2",
    "1::2::3",
    "12345::",
    "g::",
    "::1.2.3",
  ];
  for (const text of wrong) assertThrows(() => parseAddress(text), SyntaxError, `"${text}" is no address`);
  assertThrows(() => parseAddress("1:2:3:4:5:6:7:8:9"), SyntaxError);
  assertThrows(() => parseAddress("1:2:3:4:5:6:7::8"), SyntaxError);
});

Deno.test("parsePrefix() reads the length of a network, at most all bits", () => {
  assertEquals(parsePrefix("10.0.0.0/8"), { address: Uint8Array.of(10, 0, 0, 0), length: 8 });
  assertEquals(parsePrefix("10.0.0.1").length, 32);
  assertEquals(parsePrefix("fd00::/0").length, 0);
  for (const text of ["10.0.0.0/33", "10.0.0.0/", "10.0.0.0/x", "10.0.0.0/8/8", "fd00::/129"]) {
    assertThrows(() => parsePrefix(text), SyntaxError, "is no network");
  }
});
