import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import type { ByteOrder } from "../../../../lib/bytes.ts";
import type { BtfType } from "../../../../lib/btf/types.ts";
import { compileCodec, type Value } from "../../../../lib/btf/value/mod.ts";
import { FormatError, UnsupportedError } from "../../../../lib/errors.ts";
import { BtfKind } from "../../../../lib/uapi/mod.ts";
import {
  array,
  bitfield,
  BOOL,
  CHAR,
  datasec,
  enum64,
  enumeration,
  float,
  int,
  layOut,
  member,
  modifier,
  pointer,
  S128,
  S16,
  S32,
  S64,
  S8,
  struct,
  typedef,
  U128,
  U16,
  U32,
  U64,
  U8,
  union,
  variable,
  VOID,
} from "./make_types.ts";

const ORDERS: ByteOrder[] = ["little", "big"];

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(hex.replaceAll(" ", "").match(/../g) ?? [], (digits) => parseInt(digits, 16));
}

function hex(data: Uint8Array): string {
  return Array.from(data, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Both ways of running must decode `data` to `value` and encode that to `data` again. */
function check(type: BtfType, order: ByteOrder, data: string, value: Value): void {
  for (const interpreted of [false, true]) {
    const codec = compileCodec(type, { order, interpreted });
    assertEquals(codec.decodeBytes(bytes(data)), value);
    assertEquals(hex(codec.encodeBytes(value)), data.replaceAll(" ", ""));
  }
}

/** Both ways of running must refuse `value` with exactly this message. */
function refuses(type: BtfType, value: unknown, error: typeof RangeError | typeof TypeError, message: string): void {
  for (const interpreted of [false, true]) {
    const codec = compileCodec(type, { order: "little", interpreted });
    const thrown = assertThrows(() => codec.encodeBytes(value as Value), error);
    assertEquals(thrown.message, message);
  }
}

Deno.test("compileCodec() integers of each size in both byte orders", () => {
  check(U8, "little", "fe", 254);
  check(S8, "big", "fe", -2);
  check(U16, "little", "0201", 0x0102);
  check(U16, "big", "0102", 0x0102);
  check(S16, "big", "fffe", -2);
  check(U32, "little", "ffffffff", 0xffff_ffff);
  check(S32, "little", "feffffff", -2);
  check(U64, "big", "0102030405060708", 0x0102030405060708n);
  check(S64, "little", "feffffffffffffff", -2n);
  check(U128, "little", "0f0e0d0c0b0a09080706050403020100", 0x000102030405060708090a0b0c0d0e0fn);
  check(U128, "big", "000102030405060708090a0b0c0d0e0f", 0x000102030405060708090a0b0c0d0e0fn);
  check(S128, "big", "ffffffffffffffffffffffffffffff80", -128n);
});

Deno.test("compileCodec() bool, pointers and floats", () => {
  check(BOOL, "little", "01", true);
  check(BOOL, "little", "00", false);
  check(int("bool32", 4, { bool: true }), "big", "00000001", true);
  assertEquals(compileCodec(BOOL, { order: "little" }).decodeBytes(bytes("02")), true);
  check(pointer(), "little", "0000000000c0ffff", 0xffff_c000_0000_0000n);
  const codec = compileCodec(pointer(), { order: "big", pointerSize: 4 });
  assertEquals(codec.decodeBytes(bytes("80000001")), 0x8000_0001n);
  assertEquals(hex(codec.encodeBytes(1)), "00000001");
  check(float(8), "big", "3ff8000000000000", 1.5);
  check(float(4), "little", "0000c03f", 1.5);
  check({ ...float(4), size: 2 }, "big", "3e00", 1.5);
  check(float(16), "big", "3fff8000000000000000000000000000", bytes("3fff8000000000000000000000000000"));
});

Deno.test("compileCodec() enums by name, aliases by their first name, unknown values as numbers", () => {
  const state = enumeration("state", { IDLE: 0, BUSY: 1, ACTIVE: 1, GONE: 7 });
  check(state, "little", "01000000", "BUSY");
  check(state, "big", "00000007", "GONE");
  check(state, "big", "00000009", 9);
  assertEquals(hex(compileCodec(state, { order: "big" }).encodeBytes("ACTIVE")), "00000001");
  check(enumeration("tiny", { LOW: -1 }, { size: 1, signed: true }), "little", "ff", "LOW");
  // clang before 15 calls it unsigned, with a value that the storage cannot give.
  check(enumeration("old", { LOW: -1 }), "little", "ffffffff", "LOW");
  check(enum64("big", { TOP: 0xffff_ffff_ffff_ffffn }), "little", "ffffffffffffffff", "TOP");
  check(enum64("big", { TOP: 1n }), "big", "0000000000000002", 2n);
  check(enumeration("wide", { ONE: 1 }, { size: 8 }), "big", "0000000000000001", "ONE");
});

Deno.test("compileCodec() char arrays are text up to the NUL, and their bytes when that is not UTF-8", () => {
  check(array(CHAR, 4), "little", "6f6b0000", "ok");
  check(array(CHAR, 4), "little", "66756c6c", "full");
  check(array(modifier(BtfKind.Const, typedef("c", CHAR)), 4), "big", "c3a40000", "ä");
  check(array(int("whatever", 1, { char: true }), 2), "big", "4100", "A");
  check(array(CHAR, 16), "little", "62617368000000000000000000000000", "bash");
  check(array(array(CHAR, 2), 2), "little", "61006200", ["a", "b"]);
  check(array(CHAR, 4), "little", "ff410000", bytes("ff41"));
  check(array(CHAR, 5), "little", "efbbbf4100", "\ufeffA");
  // Bytes behind the NUL are no text.
  assertEquals(compileCodec(array(CHAR, 4), { order: "little" }).decodeBytes(bytes("4100ffff")), "A");
  check(array(U8, 2), "little", "4100", [65, 0]);
  check(array(S8, 2), "little", "ff00", [-1, 0]);
});

Deno.test("compileCodec() texts of all lengths, seen before or not", () => {
  for (const size of [1, 15, 16, 17, 63, 64, 65, 200]) {
    const codec = compileCodec(array(CHAR, size), { order: "little" });
    for (const text of ["", "a", "x".repeat(size), "é".repeat(size >> 1), "y".repeat(size - 1)]) {
      for (let again = 0; again < 3; again++) assertEquals(codec.decodeBytes(codec.encodeBytes(text)), text);
    }
  }
});

Deno.test("compileCodec() structs in member order, typedefs and modifiers transparent", () => {
  const address = layOut("address", [["port", U16], ["ip", array(U8, 4)]]);
  const event = layOut("event", [
    ["pid", typedef("pid_t", modifier(BtfKind.Volatile, U32))],
    ["ts", U64],
    ["comm", array(CHAR, 16)],
    ["addr", address],
  ]);
  const value = { pid: 7, ts: 9n, comm: "cat", addr: { port: 80, ip: [127, 0, 0, 1] } };
  check(event, "little", "0700000000000000 0900000000000000 63617400000000000000000000000000 50007f000001 0000", value);
  check(event, "big", "0000000700000000 0000000000000009 63617400000000000000000000000000 00507f000001 0000", value);
  const decoded = compileCodec(event, { order: "big" }).decodeBytes(new Uint8Array(40));
  assertEquals(Object.keys(decoded), ["pid", "ts", "comm", "addr"]);
  assertEquals(compileCodec(modifier(BtfKind.Const, event), { order: "big" }).size, 40);
});

Deno.test("compileCodec() bitfields with kind_flag", () => {
  const flags = struct("flags", 4, [
    bitfield("a", U32, 0, 3),
    bitfield("b", S32, 3, 5),
    bitfield("c", BOOL, 8, 1),
    bitfield("d", enumeration("e", { X: 5 }), 9, 4),
    bitfield("f", U32, 13, 19),
  ]);
  const value = { a: 5, b: -1, c: true, d: "X", f: 0x40001 };
  // Little-endian: a is the lowest bits. 5 | 31 << 3 | 1 << 8 | 5 << 9 | 0x40001 << 13
  check(flags, "little", "fd2b0080", value);
  // Big-endian: a is the highest bits. 5 << 29 | 31 << 24 | 1 << 23 | 5 << 19 | 0x40001
  check(flags, "big", "bfac0001", value);
});

Deno.test("compileCodec() legacy bitfields say their place in the integer", () => {
  const legacy = struct("legacy", 4, [
    member("a", int("", 4, { bits: 3 }), 0),
    { name: "b", type: int("", 4, { bits: 5, offsetBits: 3, signed: true }), offsetBits: 0, bitfieldBits: 0 },
    { name: "c", type: int("", 4, { bits: 24 }), offsetBits: 8, bitfieldBits: 0 },
  ]);
  check(legacy, "little", "fd030201", { a: 5, b: -1, c: 0x010203 });
  check(legacy, "big", "bf010203", { a: 5, b: -1, c: 0x010203 });
  // On its own, the integer keeps its storage.
  check(int("", 4, { bits: 3, offsetBits: 9 }), "little", "000a0000", 5);
});

Deno.test("compileCodec() bitfields that cross bytes, wide ones, trailing ones", () => {
  const odd = struct("odd", 7, [bitfield("x", U64, 3, 40), bitfield("y", S64, 43, 13)]);
  for (const order of ORDERS) {
    const codec = compileCodec(odd, { order });
    const data = codec.encodeBytes({ x: 0xab_cdef_0123n, y: -2048 });
    assertEquals(data.length, 7);
    assertEquals(codec.decodeBytes(data), { x: 0xab_cdef_0123n, y: -2048 });
  }
  check(struct("three", 3, [bitfield("v", U32, 0, 24)]), "little", "030201", { v: 0x010203 });
  check(struct("three", 3, [bitfield("v", S32, 0, 24)]), "big", "fffffe", { v: -2 });
  check(struct("last", 1, [bitfield("v", U64, 6, 2)]), "little", "c0", { v: 3 });
  check(struct("plain", 5, [bitfield("v", U32, 4, 32), bitfield("w", U8, 0, 4)]), "little", "f1ffffff0f", {
    v: 0xffff_ffff,
    w: 1,
  });
});

Deno.test("compileCodec() members of anonymous structs and unions belong to the outer object", () => {
  const inner = union("", 4, [
    member("word", U32, 0),
    member("", struct("", 4, [member("low", U16, 0), member("high", U16, 2)]), 0),
  ]);
  const outer = struct("outer", 8, [member("tag", U32, 0), member("", inner, 4)]);
  check(outer, "little", "0100000002000300", { tag: 1, word: 0x0003_0002, low: 2, high: 3 });
  for (const interpreted of [false, true]) {
    const codec = compileCodec(outer, { order: "little", interpreted });
    assertEquals(hex(codec.encodeBytes({ tag: 1, word: 7 })), "0100000007000000");
    assertEquals(hex(codec.encodeBytes({ tag: 1, low: 1, high: 2 })), "0100000001000200");
  }
  refuses(outer, { tag: 1 }, TypeError, "outer: missing: give one of word, low, high");
  refuses(outer, { tag: 1, low: 1 }, TypeError, "outer.high: missing");
  refuses(
    outer,
    { tag: 1, word: 9, low: 2, high: 3 },
    TypeError,
    "outer: members of anonymous union contradict each other: give only one of word, low, high",
  );
});

Deno.test("compileCodec() unions: all members are read, the given ones are written", () => {
  const value = union("value", 8, [member("small", U8, 0), member("large", U64, 0), member("text", array(CHAR, 8), 0)]);
  const data = bytes("4142000000000000");
  for (const interpreted of [false, true]) {
    const codec = compileCodec(value, { order: "little", interpreted });
    const all = { small: 0x41, large: 0x4241n, text: "AB" };
    assertEquals(codec.decodeBytes(data), all);
    assertEquals(codec.encodeBytes(all), data);
    assertEquals(hex(codec.encodeBytes({ small: 1 })), "0100000000000000");
    // What lies behind the NUL is the other member's.
    assertEquals(hex(codec.encodeBytes({ text: "A", large: 0x0100_0000_0000_0041n })), "4100000000000001");
  }
  refuses(value, {}, TypeError, "value: missing: give one of small, large, text");
  check(union("padding", 4, [bitfield("", U32, 0, 5)]), "little", "00000000", {});
});

Deno.test("compileCodec() flexible arrays take the rest of the record", () => {
  const list = struct("list", 16, [
    member("first", U64, 0),
    member("count", U8, 8),
    member("data", array(U16, 0), 10),
  ]);
  for (const interpreted of [false, true]) {
    const codec = compileCodec(list, { order: "big", interpreted });
    assertEquals(codec.flexible, true);
    const data = bytes("0000000000000001 02 00 0003 0004 0005 0006");
    assertEquals(codec.decodeBytes(data), { first: 1n, count: 2, data: [3, 4, 5, 6] });
    const view = new DataView(data.buffer);
    assertEquals(codec.decode(view, 0), { first: 1n, count: 2, data: [] });
    // Trailing padding need not be there.
    assertEquals(codec.decode(view, 0, 12), { first: 1n, count: 2, data: [3] });
    assertThrows(
      () => codec.decode(view, 0, 8),
      FormatError,
      "struct list: a record of 8 bytes is too short for its 10",
    );
    assertEquals(codec.encodeBytes({ first: 1n, count: 2, data: [3, 4, 5, 6] }), data);
    assertEquals(codec.encodeBytes({ first: 1n, count: 2 }).length, 16);
  }
  const text = struct("text", 4, [
    member("length", U32, 0),
    member("", union("", 0, [member("s", array(CHAR, 0), 0)]), 4),
  ]);
  check(text, "little", "03000000 616263", { length: 3, s: "abc" });
});

Deno.test("compileCodec() arrays without elements in the middle are empty, and nothing may be written there", () => {
  const marked = struct("marked", 8, [member("a", U32, 0), member("mark", array(U32, 0), 4), member("b", U32, 4)]);
  assertEquals(compileCodec(marked, { order: "little" }).flexible, false);
  check(marked, "little", "0100000002000000", { a: 1, mark: [], b: 2 });
  refuses(
    marked,
    { a: 1, mark: [1], b: 2 },
    RangeError,
    "marked: the flexible array of u32[] has no room for elements here",
  );
  const inner = struct("inner", 4, [member("n", U32, 0), member("rest", array(U8, 0), 4)]);
  const twice = array(inner, 2);
  check(twice, "little", "0100000002000000", [{ n: 1, rest: [] }, { n: 2, rest: [] }]);
  const message = "struct inner[2][0]: the flexible array of struct inner has no room for elements here";
  refuses(twice, [{ n: 1, rest: [1] }, { n: 2, rest: [] }], RangeError, message);
});

Deno.test("compileCodec() sections of variables: those given are written, all other bytes stay", () => {
  const section = datasec(".data", 16, [
    [variable("count", U32), 0, 4],
    [variable("name", array(CHAR, 4)), 8, 4],
    [variable("count", U16), 12, 2],
  ]);
  for (const interpreted of [false, true]) {
    const codec = compileCodec(section, { order: "little", interpreted });
    const data = bytes("01000000 aabbccdd 61626300 0200 eeff");
    assertEquals(codec.decodeBytes(data), { "count": 1, "name": "abc", "count#2": 2 });
    codec.encode({ name: "x" }, new DataView(data.buffer), 0);
    assertEquals(hex(data), "01000000aabbccdd780000000200eeff");
  }
  const unplaced = datasec(".bss", 0, [[variable("a", U32), 0, 4], [variable("b", U32), 0, 4]]);
  assertThrows(
    () => compileCodec(unplaced, { order: "little" }),
    FormatError,
    'section .bss: variables "a" and "b" overlap: their offsets are not filled in',
  );
});

Deno.test("compileCodec() padding is cleared, bytes around the value stay", () => {
  const padded = layOut("padded", [["a", U8], ["b", U32]]);
  const data = new Uint8Array(12).fill(0xff);
  const written = compileCodec(padded, { order: "little" }).encode({ a: 1, b: 2 }, new DataView(data.buffer), 2);
  assertEquals(written, 8);
  assertEquals(hex(data), "ffff0100000002000000ffff");
});

Deno.test("compileCodec() numbers and bigints are taken for each other where they are exact", () => {
  const pair = layOut("pair", [["small", U32], ["large", U64]]);
  const codec = compileCodec(pair, { order: "little" });
  assertEquals(codec.encodeBytes({ small: 5n, large: 6 }), codec.encodeBytes({ small: 5, large: 6n }));
  assertEquals(compileCodec(array(U8, 2), { order: "little" }).encodeBytes(bytes("0102")), bytes("0102"));
  refuses(
    pair,
    { small: 1, large: 2 ** 60 },
    RangeError,
    `pair.large: ${2 ** 60} may have been rounded: give it as a bigint (u64)`,
  );
});

Deno.test("compileCodec() a wrong value is an error that says where", () => {
  const address = layOut("address", [["port", U16], ["ip", array(U8, 4)]]);
  const event = layOut("event", [
    ["addr", address],
    ["state", enumeration("state", { IDLE: 0 })],
    ["on", BOOL],
    ["comm", array(CHAR, 4)],
    ["delta", S64],
    ["ratio", float(4)],
  ]);
  const good = { addr: { port: 1, ip: [1, 2, 3, 4] }, state: "IDLE", on: true, comm: "a", delta: -1n, ratio: 0.5 };
  const addr = (value: unknown) => ({ ...good, addr: value });
  const wrong: [unknown, typeof TypeError | typeof RangeError, string][] = [
    [addr({ port: 70000, ip: [1, 2, 3, 4] }), RangeError, "event.addr.port: 70000 does not fit u16"],
    [addr({ port: -1, ip: [1, 2, 3, 4] }), RangeError, "event.addr.port: -1 does not fit u16"],
    [addr({ port: 1.5, ip: [1, 2, 3, 4] }), RangeError, "event.addr.port: 1.5 is not an integer (u16)"],
    [addr({ port: NaN, ip: [1, 2, 3, 4] }), RangeError, "event.addr.port: NaN is not an integer (u16)"],
    [addr({ port: "80", ip: [1, 2, 3, 4] }), TypeError, 'event.addr.port: "80" is not a number (u16)'],
    [addr({ port: true, ip: [1, 2, 3, 4] }), TypeError, "event.addr.port: boolean true is not a number (u16)"],
    [addr({ ip: [1, 2, 3, 4] }), TypeError, "event.addr.port: missing"],
    [addr({ port: 1, ip: [1, 2, 3, 256] }), RangeError, "event.addr.ip[3]: 256 does not fit u8"],
    [addr({ port: 1, ip: [1, 2, 3] }), RangeError, "event.addr.ip: 3 elements, not 4"],
    [addr({ port: 1, ip: 5 }), TypeError, "event.addr.ip: number 5 is not an array (u8[4])"],
    [addr([1]), TypeError, "event.addr: an array is not an object (struct address)"],
    [addr(null), TypeError, "event.addr: missing"],
    [
      addr({ port: 1, ip: [1, 2, 3, 4], prot: 1 }),
      TypeError,
      "event.addr.prot: struct address has no such member; it has port, ip",
    ],
    [{ ...good, state: "BUSY" }, RangeError, 'event.state: "BUSY" is no value of enum state'],
    [{ ...good, state: 2 ** 32 }, RangeError, "event.state: 4294967296 does not fit u32 (enum state)"],
    [{ ...good, on: 1 }, TypeError, "event.on: number 1 is not true or false"],
    [{ ...good, comm: "abcde" }, RangeError, "event.comm: 5 bytes do not fit char[4]"],
    [{ ...good, comm: "äää" }, RangeError, "event.comm: 6 bytes do not fit char[4]"],
    [{ ...good, comm: "a\0b" }, RangeError, "event.comm: text with a NUL inside: give its bytes as a Uint8Array"],
    [{ ...good, comm: "\ud800" }, RangeError, "event.comm: half a surrogate pair has no UTF-8 bytes"],
    [{ ...good, comm: 5 }, TypeError, "event.comm: number 5 is not text (char[4])"],
    [{ ...good, delta: 2n ** 63n }, RangeError, "event.delta: 9223372036854775808 does not fit s64"],
    [{ ...good, ratio: 1e300 }, RangeError, "event.ratio: 1e+300 does not fit float"],
    [{ ...good, ratio: "1" }, TypeError, 'event.ratio: "1" is not a number (float)'],
    [5, TypeError, "event: number 5 is not an object (struct event)"],
    [undefined, TypeError, "event: missing"],
  ];
  for (const [value, error, message] of wrong) refuses(event, value, error, message);
  const bits = struct("bits", 1, [bitfield("low", U8, 0, 3)]);
  refuses(bits, { low: 8 }, RangeError, "bits.low: 8 does not fit u3");
  const thrown = assertThrows(
    () => compileCodec(U16, { order: "little" }).encodeBytes(-1, "settings.port"),
    RangeError,
  );
  assertEquals(thrown.message, "settings.port: -1 does not fit u16");
});

Deno.test("compileCodec() values and records outside the view", () => {
  const codec = compileCodec(layOut("event", [["a", U64]]), { order: "little" });
  const view = new DataView(new ArrayBuffer(12));
  assertThrows(() => codec.decode(view, 5), FormatError, "struct event: 8 bytes at offset 5 lie outside the view's 12");
  assertThrows(
    () => codec.decode(view, 0, 13),
    FormatError,
    "struct event: 13 bytes at offset 0 lie outside the view's 12",
  );
  assertThrows(() => codec.decode(view, -1), FormatError, "lie outside");
  assertThrows(() => codec.decode(view, NaN), FormatError, "lie outside");
  assertThrows(() => codec.encode({ a: 1n }, view, 5), RangeError, "event: its 8 bytes at 5 lie outside the view's 12");
  const list = struct("list", 4, [member("n", U32, 0), member("data", array(U8, 0), 4)]);
  assertThrows(
    () => compileCodec(list, { order: "little" }).encode({ n: 1, data: [1, 2, 3] }, view, 6),
    RangeError,
    "list.data[2]: its 1 bytes at 12 lie outside the view's 12",
  );
});

Deno.test("compileCodec() members called __proto__ and constructor are plain members", () => {
  const names = ["__proto__", "constructor", "toString", "hasOwnProperty", 'quote"\\\n', "a-b", "\u2028"];
  const evil = layOut("evil", names.map((name) => [name, U8]));
  for (const interpreted of [false, true]) {
    const codec = compileCodec(evil, { order: "little", interpreted });
    const value = codec.decodeBytes(bytes("01020304050607"));
    assertEquals(Object.keys(value), names);
    assertStrictEquals(Object.getPrototypeOf(value), Object.prototype);
    assertEquals(codec.encodeBytes(value), bytes("01020304050607"));
    assertThrows(() => codec.encodeBytes({}), TypeError, "evil.__proto__: missing");
  }
  const bad = layOut("bad", [['x"]; throw new Error("code ran"); //', U8]]);
  assertEquals(compileCodec(bad, { order: "little" }).decodeBytes(bytes("05")), {
    'x"]; throw new Error("code ran"); //': 5,
  });
});

Deno.test("compileCodec() gives the same codec for the same type and options", () => {
  const type = layOut("event", [["a", U32]]);
  const little = compileCodec(type, { order: "little" });
  assertStrictEquals(compileCodec(type, { order: "little", pointerSize: 8 }), little);
  assertEquals(compileCodec(type, { order: "big" }) === little, false);
  assertThrows(() => compileCodec(type, { order: "big", pointerSize: 3 }), RangeError, "neither 4 nor 8");
});

Deno.test("compileCodec() types without size and types that contradict themselves", () => {
  const build = (type: BtfType) => () => compileCodec(type, { order: "little" });
  assertThrows(build(VOID), UnsupportedError, "void: has no size, so it has no value");
  const fwd: BtfType = { kind: BtfKind.Fwd, id: 0, name: "later", union: false };
  assertThrows(build(array(fwd, 2)), UnsupportedError, "struct later: has no size");
  assertThrows(build(int("int", 3)), FormatError, "int: a size of 3 bytes is not possible");
  assertThrows(build(int("int", 4, { bits: 33 })), FormatError, "int: 33 bits at bit 0 do not fit its 4 bytes");
  assertThrows(
    build(struct("s", 4, [member("a", U64, 0)])),
    FormatError,
    'struct s: member "a" (8 bytes at 0) lies outside its 4 bytes',
  );
  assertThrows(build(struct("s", 4, [bitfield("a", float(4), 0, 3)])), FormatError, "is a bitfield of float");
  assertThrows(
    build(struct("s", 4, [bitfield("a", U8, 0, 9)])),
    FormatError,
    "bitfield of 9 bits in a type of 1 bytes",
  );
  assertThrows(build(struct("s", 9, [bitfield("a", pointer(), 1, 0)])), FormatError, "starts at bit 1, inside a byte");
  assertThrows(
    build(struct("s", 8, [member("a", U32, 0), member("a", U32, 4)])),
    FormatError,
    'struct s: two members are called "a"',
  );
});

Deno.test("compileCodec() types that contain themselves, deep ones and huge ones end in an error or work", () => {
  const build = (type: BtfType) => () => compileCodec(type, { order: "little" });
  const loop: {
    kind: typeof BtfKind.Struct;
    id: number;
    name: string;
    size: number;
    members: ReturnType<typeof member>[];
  } = { kind: BtfKind.Struct, id: 0, name: "loop", size: 4, members: [] };
  loop.members.push(member("self", loop, 0));
  assertThrows(build(loop), FormatError, "struct loop: contains itself");
  const alias: { kind: typeof BtfKind.Typedef; id: number; name: string; target: BtfType } = {
    kind: BtfKind.Typedef,
    id: 0,
    name: "alias",
    target: VOID,
  };
  alias.target = alias;
  assertThrows(build(alias), FormatError, "typedef alias: more than 64 typedefs and modifiers on one type");

  let deep: BtfType = U8;
  for (let i = 0; i < 100_000; i++) deep = array(deep, 1);
  assertThrows(build(deep), FormatError, "types inside one another");

  // Each level doubles the members of one byte.
  let laughs: BtfType = union("u0", 1, [member("a", U8, 0), member("b", U8, 0)]);
  for (let i = 1; i < 40; i++) laughs = union(`u${i}`, 1, [member("a", laughs, 0), member("b", laughs, 0)]);
  assertThrows(build(laughs), FormatError, "cannot hold its");

  const empty = struct("empty", 0, []);
  assertEquals(compileCodec(array(empty, 2 ** 31), { order: "little" }).decodeBytes(new Uint8Array(0)), []);
  const huge = compileCodec(struct("huge", 2 ** 33, [member("a", array(U32, 2 ** 31), 0)]), { order: "little" });
  assertThrows(() => huge.decodeBytes(new Uint8Array(100)), FormatError, "too short");
});
