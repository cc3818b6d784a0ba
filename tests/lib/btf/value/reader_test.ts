import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { compileReader, describeMembers } from "../../../../lib/btf/value/mod.ts";
import { FormatError, UnsupportedError } from "../../../../lib/errors.ts";
import { array, bitfield, CHAR, layOut, member, pointer, struct, U16, U32, U64, U8, union } from "./make_types.ts";

const ADDRESS = layOut("address", [["port", U16], ["ip", array(U8, 4)]]);
const EVENT = layOut("event", [["pid", U32], ["comm", array(CHAR, 16)], ["addr", ADDRESS], ["ts", U64]]);

interface Event {
  pid: number;
  comm: string;
  addr: { port: number; ip: number[] };
  ts: bigint;
}

/** Two records, one after the other. */
function records(): DataView {
  const view = new DataView(new ArrayBuffer(80));
  [0, 40].forEach((offset, i) => {
    view.setUint32(offset, 10 + i, true);
    view.setUint8(offset + 4, 0x61 + i);
    view.setUint16(offset + 20, 80 + i, true);
    view.setUint8(offset + 22, 127);
    view.setBigUint64(offset + 32, BigInt(i), true);
  });
  return view;
}

for (const interpreted of [false, true]) {
  const how = interpreted ? "interpreted" : "compiled";

  Deno.test(`compileReader() ${how}: one reader for many records, structs inside move along`, () => {
    const EventReader = compileReader<Event>(EVENT, { order: "little", interpreted });
    assertEquals(EventReader.size, 40);
    const view = records();
    const event = new EventReader();
    assertStrictEquals(event.at(view, 0), event);
    const { addr } = event;
    assertEquals([event.pid, event.comm, event.addr.port, event.ts], [10, "a", 80, 0n]);
    const first = event.toObject();
    event.at(view, 40);
    assertEquals([event.pid, event.comm, event.addr.port, event.ts], [11, "b", 81, 1n]);
    assertStrictEquals(event.addr, addr);
    assertEquals(first, { pid: 10, comm: "a", addr: { port: 80, ip: [127, 0, 0, 0] }, ts: 0n });
  });

  Deno.test(`compileReader() ${how}: two readers of one class do not share their place`, () => {
    const EventReader = compileReader<Event>(EVENT, { order: "little", interpreted });
    const view = records();
    const a = new EventReader().at(view, 0);
    const b = new EventReader().at(view, 40);
    assertEquals([a.pid, b.pid, a.addr.port, b.addr.port], [10, 11, 80, 81]);
  });

  Deno.test(`compileReader() ${how}: flexible arrays end with the record, also in a struct inside`, () => {
    const tail = struct("tail", 2, [member("count", U16, 0), member("data", array(U8, 0), 2)]);
    const outer = struct("outer", 4, [member("tag", U16, 0), member("tail", tail, 2)]);
    const Outer = compileReader<{ tag: number; tail: { count: number; data: number[] } }>(outer, {
      order: "big",
      interpreted,
    });
    const view = new DataView(Uint8Array.of(0, 1, 0, 2, 7, 8, 9).buffer);
    assertEquals(new Outer().at(view, 0, 7).tail.data, [7, 8, 9]);
    assertEquals(new Outer().at(view, 0, 5).toObject(), { tag: 1, tail: { count: 2, data: [7] } });
    assertEquals(new Outer().at(view, 0).tail.data, []);
    assertThrows(() => new Outer().at(view, 0, 3), FormatError, "too short");
  });

  Deno.test(`compileReader() ${how}: anonymous members, bitfields, unions`, () => {
    const type = struct("s", 8, [
      bitfield("low", U32, 0, 4),
      bitfield("high", U32, 4, 28),
      member("", union("", 4, [member("word", U32, 0), member("half", U16, 0)]), 4),
    ]);
    const S = compileReader<Record<string, number>>(type, { order: "little", interpreted });
    const s = new S().at(new DataView(Uint8Array.of(0x21, 3, 0, 0, 5, 6, 0, 0).buffer), 0);
    assertEquals([s.low, s.high, s.word, s.half], [1, 0x32, 0x605, 0x605]);
  });

  Deno.test(`compileReader() ${how}: members with the reader's own names`, () => {
    const names = ["at", "at_", "toObject", "constructor", "__proto__", "#view", "offset"];
    const Odd = compileReader<Record<string, number>>(layOut("odd", names.map((name) => [name, U8])), {
      order: "little",
      interpreted,
    });
    const odd = new Odd().at(new DataView(Uint8Array.of(1, 2, 3, 4, 5, 6, 7).buffer), 0);
    const read = ["at__", "at_", "toObject_", "constructor_", "__proto__", "#view", "offset"].map((name) => odd[name]);
    assertEquals(read, [1, 2, 3, 4, 5, 6, 7]);
    assertEquals(Object.keys(odd.toObject()), names);
  });

  Deno.test(`compileReader() ${how}: a record outside the view, a reader without a record`, () => {
    const EventReader = compileReader<Event>(EVENT, { order: "little", interpreted });
    const view = records();
    for (const offset of [41, -1, NaN]) {
      assertThrows(() => new EventReader().at(view, offset), FormatError, "lie outside");
    }
    assertThrows(() => new EventReader().at(view, 40, 41), FormatError, "lie outside");
    assertThrows(() => new EventReader().pid);
    assertThrows(() => new EventReader().addr);
  });
}

Deno.test("compileReader() gives the same class for the same type, and none for a type without members", () => {
  assertStrictEquals(compileReader(EVENT, { order: "big" }), compileReader(EVENT, { order: "big" }));
  assertThrows(() => compileReader(U32, { order: "big" }), UnsupportedError, "unsigned int: has no members to read");
});

Deno.test("describeMembers() says what each member is", () => {
  const type = layOut("s", [["pid", U32], ["comm", array(CHAR, 16)], ["ips", array(U64, 2)], ["next", pointer()], [
    "",
    union("", 4, [member("addr", ADDRESS, 0), member("on", U8, 0)].slice(1)),
  ]]);
  assertEquals(describeMembers(type, { order: "little" }), [
    { name: "pid", offset: 0, size: 4, kind: "number", elementKind: undefined, typeName: "u32" },
    { name: "comm", offset: 4, size: 16, kind: "text", elementKind: undefined, typeName: "char[16]" },
    { name: "ips", offset: 24, size: 16, kind: "array", elementKind: "bigint", typeName: "u64[2]" },
    { name: "next", offset: 40, size: 8, kind: "pointer", elementKind: undefined, typeName: "pointer" },
    { name: "on", offset: 48, size: 1, kind: "number", elementKind: undefined, typeName: "u8" },
  ]);
  assertEquals(describeMembers(U32, { order: "little" }), []);
});
