import { assertEquals, assertThrows } from "@std/assert";
import type { ByteOrder } from "../../../../lib/bytes.ts";
import { Btf, ExtInfos } from "../../../../lib/btf/mod.ts";
import { BtfMerger, ExtInfosMerger } from "../../../../lib/btf/dedup/mod.ts";
import { FormatError } from "../../../../lib/errors.ts";
import { BpfCoreReloKind, BtfKind } from "../../../../lib/uapi/mod.ts";
import { Blob } from "../blob.ts";
import { extBytes } from "../ext_info/ext_blob.ts";

/** An object with a function that reads a field; `padding` types before make its ids different from another's. */
function object(name: string, padding: number, order: ByteOrder = "little"): { btf: Btf; ext: Uint8Array } {
  const blob = new Blob({ order });
  for (let i = 0; i < padding; i++) blob.struct(`padding${i}`, 4);
  const int = blob.int("int");
  const proto = blob.type("", BtfKind.FuncProto, { sizeOrType: int });
  const main = blob.type(name, BtfKind.Func, { vlen: 1, sizeOrType: proto });
  const task = blob.struct("task", 4, ["pid", int, 0]);
  const section = blob.string("tp/x");
  const text = blob.string(".text");
  const accessor = blob.string("0:0");
  const file = blob.string(`${name}.c`);
  const line = blob.string(`  return ${name};`);
  const relocation = [8, task, accessor, BpfCoreReloKind.BPF_CORE_FIELD_EXISTS];
  const ext = extBytes({
    order,
    func: {
      recordSize: 12,
      sections: [{ nameOff: section, records: [[0, main, 77]] }, { nameOff: text, records: [[16, main, 77]] }],
    },
    line: { sections: [{ nameOff: section, records: [[0, file, line, 5 << 10 | 3], [8, file, line, 6 << 10 | 1]] }] },
    core: { sections: [{ nameOff: section, records: [relocation] }] },
  });
  return { btf: Btf.parse(blob.bytes(), { what: `${name}.o` }), ext };
}

Deno.test("ExtInfosMerger moves infos to where their instructions went, and their types and strings along", () => {
  for (const order of ["little", "big"] as const) {
    const merger = new BtfMerger({ order });
    const infos = new ExtInfosMerger(merger);
    const objects = [object("one", 0), object("two", 3, "big")];
    for (const [index, { btf, ext }] of objects.entries()) {
      infos.append(ext, btf, merger.append(btf), (section) => {
        return section === ".text" ? undefined : { section, offset: index * 24 };
      });
    }
    const merged = merger.finish();
    const btf = Btf.parse(merged.bytes);
    const { sections } = ExtInfos.parse(infos.encode(merged), btf);
    assertEquals([btf.order, [...sections.keys()]], [order, ["tp/x"]]);
    const { funcs, lines, relocations } = sections.get("tp/x")!;
    assertEquals(funcs.map(({ insnIndex, func }) => [insnIndex, func.name]), [[0, "one"], [3, "two"]]);
    assertEquals(lines.map((info) => [info.insnIndex, info.file, info.text, info.line, info.column]), [
      [0, "one.c", "return one;", 5, 3],
      [1, "one.c", "return one;", 6, 1],
      [3, "two.c", "return two;", 5, 3],
      [4, "two.c", "return two;", 6, 1],
    ]);
    const [task] = btf.findIds("task");
    assertEquals(
      relocations.map(({ insnIndex, relocation: { kind, type, accessor } }) => [insnIndex, kind, type.id, accessor]),
      [1, 4].map((slot) => [slot, BpfCoreReloKind.BPF_CORE_FIELD_EXISTS, task, "0:0"]),
    );
  }
});

Deno.test("ExtInfosMerger of no infos makes a header", () => {
  const merger = new BtfMerger();
  const bytes = new ExtInfosMerger(merger).encode(merger.finish());
  assertEquals(bytes.length, 32);
  assertEquals(ExtInfos.parse(bytes, Btf.parse(merger.finish().bytes)).sections.size, 0);
});

Deno.test("ExtInfosMerger.append() refuses what lies outside, and types and strings that do not exist", () => {
  const place = (section: string) => ({ section, offset: 0 });
  const { btf } = object("one", 0);
  const [, tp] = [btf.string(0), btf.stringEnd - 1];
  const append = (ext: Uint8Array): void => {
    const merger = new BtfMerger();
    new ExtInfosMerger(merger).append(ext, btf, merger.append(btf), place, { what: "one.o" });
  };
  const part = (records: number[][], count = records.length) => ({ sections: [{ nameOff: tp, records, count }] });
  assertThrows(() => append(extBytes({ func: part([[0, 99]]) })), FormatError, "type id 99 does not exist");
  assertThrows(() => append(extBytes({ line: part([[0, 9999, 0, 0]]) })), FormatError, "string offset 9999");
  assertThrows(() => append(extBytes({ func: part([[0, 1]], 9) })), FormatError, "9 records of section");
  assertThrows(() => append(extBytes({ func: { recordSize: 4, sections: [] } })), FormatError, "record size 4");
  assertThrows(() => append(extBytes({ order: "big" })), FormatError, "one.o: is big-endian but one.o is not");
});

Deno.test("ExtInfosMerger.append() refuses infos behind the section's end, where that is told", () => {
  const { btf, ext } = object("one", 0);
  const merger = new BtfMerger({ size: 64 });
  const infos = new ExtInfosMerger(merger);
  const input = merger.append(btf);
  infos.append(ext, btf, input, (section) => ({ section, offset: 8, size: 24 }));
  assertThrows(
    () => infos.append(ext, btf, input, (section) => ({ section, offset: 8, size: 16 })),
    FormatError,
    'func info: offset 16 lies outside of section ".text", which has 16 bytes',
  );
});
