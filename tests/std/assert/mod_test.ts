import {
  assert,
  assertAlmostEquals,
  assertArrayIncludes,
  assertEquals,
  assertExists,
  assertGreater,
  assertInstanceOf,
  AssertionError,
  assertIsError,
  assertLessOrEqual,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
  equal,
  fail,
  unreachable,
} from "@std/assert";

/** Fails with an AssertionError, whatever it asserts. */
function assertFails(fn: () => unknown): void {
  assertThrows(fn, AssertionError);
}

Deno.test("equal() compares structure", () => {
  const same: [unknown, unknown][] = [
    [0, -0],
    [NaN, NaN],
    [[1, { a: 2n }], [1, { a: 2n }]],
    [new Uint8Array([1, 2]), new Uint8Array([1, 2])],
    [new Uint8Array([9, 1, 2]).subarray(1), new Uint8Array([1, 2])],
    [new Map<unknown, unknown>([["a", [1]], [{ k: 1 }, 2]]), new Map<unknown, unknown>([[{ k: 1 }, 2], ["a", [1]]])],
    [new Set([1, "a"]), new Set(["a", 1])],
    [{ a: 1 }, Object.assign(Object.create(null), { a: 1 })],
    [new Date(5), new Date(5)],
    [/x/g, /x/g],
  ];
  for (const [a, b] of same) assert(equal(a, b), Deno.inspect([a, b]));
});

Deno.test("equal() sees what differs", () => {
  const different: [unknown, unknown][] = [
    [1, 1n],
    [1, "1"],
    [null, undefined],
    [{ a: undefined }, {}],
    [[1, 2], [1, 2, 3]],
    [new Uint8Array([1, 2]), new Uint8Array([1, 3])],
    [new Uint8Array([1]), new Uint8Array([1, 0])],
    [new Uint8Array([1]), new Int8Array([1])],
    [new Uint8Array([1]), [1]],
    [new Map([["a", 1]]), new Map([["a", 2]])],
    [new Set([1]), new Set([2])],
    [new Date(5), new Date(6)],
    [{ [Symbol.iterator]: 1 }, {}],
  ];
  for (const [a, b] of different) assert(!equal(a, b), Deno.inspect([a, b]));
});

Deno.test("equal() ends on cycles", () => {
  const [a, b]: { self?: unknown }[] = [{}, {}];
  if (!a || !b) unreachable();
  a.self = a;
  b.self = b;
  assert(equal(a, b));
});

Deno.test("assertions fail where they should", () => {
  assertFails(() => assert(0));
  assertFails(() => assertEquals<unknown>([1], [2]));
  assertFails(() => assertNotEquals([1], [1]));
  assertFails(() => assertStrictEquals<unknown>([1], [1]));
  assertFails(() => assertStrictEquals(0, -0));
  assertFails(() => assertMatch("a", /b/));
  assertFails(() => assertStringIncludes("a", "b"));
  assertFails(() => assertArrayIncludes([1, 2], [3]));
  assertFails(() => assertExists(undefined));
  assertFails(() => assertInstanceOf({}, Error));
  assertFails(() => assertGreater(1, 1));
  assertFails(() => assertLessOrEqual(2n, 1n));
  assertFails(() => assertAlmostEquals(1, 1.1));
  assertFails(() => assertIsError("text"));
  assertFails(() => fail("why"));
});

Deno.test("assertThrows() gives the error, and minds its class and message", () => {
  const error = assertThrows(() => new URL("nonsense"), TypeError, "Invalid");
  assertInstanceOf(error, TypeError);
  assertFails(() => assertThrows(() => 1));
  assertFails(() => assertThrows(() => new URL("nonsense"), RangeError));
  assertFails(() => assertThrows(() => new URL("nonsense"), TypeError, "valid URL of mine"));
  assertEquals(
    assertThrows(() => {
      const thrown: unknown = "text";
      throw thrown;
    }),
    "text",
  );
});

Deno.test("assertRejects() gives the error, and wants a promise", async () => {
  const error = await assertRejects(() => Promise.reject(new TypeError("why")), TypeError, "wh");
  assertEquals(error.message, "why");
  await assertRejects(() => assertRejects(() => Promise.resolve()), AssertionError, "reject");
  await assertRejects(() => assertRejects(() => unreachable()), AssertionError, "throws when expected to reject");
});
