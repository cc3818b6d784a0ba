import { assertEquals, assertThrows } from "@std/assert";
import { EventDecoder } from "../../../ffi/collection/event_decoder.ts";
import type { StructType } from "../../../lib/btf/mod.ts";
import { UnsupportedError } from "../../../lib/errors.ts";
import type { EventTypes } from "../../../lib/spec/mod.ts";
import { BtfKind } from "../../../lib/uapi/mod.ts";
import { array, layOut, U16, U32, U64, U8 } from "../../lib/btf/value/make_types.ts";

function struct(...args: Parameters<typeof layOut>): StructType {
  return { ...layOut(...args), kind: BtfKind.Struct };
}

const OPENED = struct("opened", [["fd", U32], ["mode", U16]]);
const CLOSED = struct("closed", [["fd", U32], ["result", U64]]);
const PACKET = struct("packet", [["length", U32], ["data", array(U8, 0)]]);

function decoder(types: Partial<EventTypes> | undefined): EventDecoder {
  const none = { source: "none", candidates: [], bySize: new Map(), sizes: [], complete: false } as const;
  const all = types === undefined ? undefined : { ...none, flexible: undefined, hint: undefined, ...types };
  return new EventDecoder("probe", "events", all);
}

/** A record of these bytes, somewhere in memory. */
function record(...bytes: number[]): [DataView, number, number] {
  const memory = Uint8Array.of(0xff, 0xff, 0xff, ...bytes, 0xff);
  return [new DataView(memory.buffer, 1), 2, bytes.length];
}

Deno.test("EventDecoder tells types apart by the length of the record", () => {
  const events = decoder({ bySize: new Map([[8, OPENED], [16, CLOSED]]) });
  assertEquals(events.typed, true);
  const opened = record(3, 0, 0, 0, 1, 1, 0, 0);
  const closed = record(4, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1);
  assertEquals(events.event(...opened), { type: OPENED, value: { fd: 3, mode: 257 } });
  assertEquals(events.event(...closed), { type: CLOSED, value: { fd: 4, result: (1n << 56n) + 1n } });
  assertEquals([events.value(...opened), events.value(...closed)].map(({ fd }) => fd), [3, 4]);
});

Deno.test("EventDecoder.event() gives a copy of the bytes of a record of no known type, value() refuses it", () => {
  const events = decoder({ bySize: new Map([[8, OPENED], [16, CLOSED]]) });
  const unknown = record(1, 2, 3);
  const { type, value } = events.event(...unknown);
  unknown[0].setUint8(2, 9);
  assertEquals([type, value], [undefined, Uint8Array.of(1, 2, 3)]);
  assertEquals(
    assertThrows(() => events.value(...unknown), UnsupportedError).message,
    'map "events": a record of 3 bytes has no type: only those of 8, 16 bytes have',
  );
});

Deno.test("EventDecoder says what the object's hint says", () => {
  const hint = 'map "events": records of 3 bytes have no type: add it';
  const events = decoder({ bySize: new Map([[8, OPENED]]), hint });
  assertEquals(assertThrows(() => events.value(...record(1, 2, 3)), UnsupportedError).message, hint);
});

Deno.test("EventDecoder takes records of any other length for the type with a flexible array, unless too short", () => {
  const events = decoder({ bySize: new Map([[4, PACKET]]), flexible: PACKET });
  assertEquals(events.event(...record(0, 0, 0, 0)).value, { length: 0, data: [] });
  assertEquals(events.event(...record(2, 0, 0, 0, 5, 6)), { type: PACKET, value: { length: 2, data: [5, 6] } });
  assertEquals(events.event(...record(2, 0)), { type: undefined, value: Uint8Array.of(2, 0) });
});

Deno.test("EventDecoder without types gives bytes, also none", () => {
  for (const events of [decoder(undefined), decoder({})]) {
    assertEquals(events.typed, false);
    assertEquals(events.event(...record()), { type: undefined, value: new Uint8Array(0) });
    assertEquals(events.untyped().message, 'map "events": nothing in probe says what its records are');
  }
});
