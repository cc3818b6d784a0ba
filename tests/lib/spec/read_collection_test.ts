import { assertEquals, assertThrows } from "@std/assert";
import { DebpfError, FormatError, LinkError } from "../../../lib/errors.ts";
import { type ExternSpec, readCollectionSpec } from "../../../lib/spec/mod.ts";
import { BpfMapFlag, BtfKind } from "../../../lib/uapi/mod.ts";
import { array, func, proto, S32, struct, U32 } from "../core/types.ts";
import { btfObject, datasec, RELOCATIONS, sections, SYMBOLS, TYPES, variable } from "./btf_object.ts";
import { buildObject, type TestSymbol } from "./object_builder.ts";

const read = () => readCollectionSpec(btfObject(), { name: "some/dir/sample_object.bpf.o" });

Deno.test("readCollectionSpec() lists declared maps by offset, then global data by section", () => {
  const spec = read();
  assertEquals(spec.name, "sample_object");
  assertEquals([...spec.maps.keys()], [
    "events",
    "outer",
    "programs",
    "sample_o.data",
    ".data.own",
    "sample_o.rodata",
    "sample_o.bss",
    "sample_.kconfig",
  ]);
  const events = spec.maps.get("events")!;
  assertEquals([events.keySize, events.valueSize, events.maxEntries, events.tags], [
    4,
    8,
    16,
    ["debpf:event:sample", "second"],
  ]);
});

Deno.test("readCollectionSpec() reads declared contents of maps of maps and program arrays", () => {
  const spec = read();
  assertEquals(spec.maps.get("outer")!.contents, [{ index: 2, kind: "map", name: "events" }]);
  assertEquals(spec.maps.get("outer")!.inner?.name, "outer.inner");
  assertEquals(spec.maps.get("programs")!.contents, [{ index: 0, kind: "program", name: "second" }]);
});

Deno.test("readCollectionSpec() completes sections of variables from symbols", () => {
  const value = read().maps.get("sample_o.data")!.value;
  if (value?.kind !== BtfKind.Datasec) throw new Error("not a section of variables");
  assertEquals(value.size, 12);
  assertEquals(
    value.entries.map(({ type, offset }) => [type.name, offset, type.kind === BtfKind.Var ? type.linkage : ""]),
    [["counter", 0, "global"], ["ratio", 4, "global"], ["hidden", 8, "static"]],
  );
});

Deno.test("readCollectionSpec() makes data mappable where it shows a variable, and .rodata read-only", () => {
  const spec = read();
  const flags = (name: string) => spec.maps.get(name)!.flags;
  assertEquals(flags("sample_o.data"), BpfMapFlag.BPF_F_MMAPABLE);
  assertEquals(flags("sample_o.rodata"), BpfMapFlag.BPF_F_MMAPABLE | BpfMapFlag.BPF_F_RDONLY_PROG);
  assertEquals([flags(".data.own"), flags("sample_o.bss")], [0, 0]);
});

Deno.test("VariableSpec.get() and set() read and change the map's data", () => {
  const spec = read();
  const value = (name: string) => spec.variables.get(name)!;
  assertEquals([value("counter").get(), value("ratio").get(), value("limit").get()], [1, -2, 5n]);
  assertEquals([value("greeting").get(), value("prog.calls").get()], ["hi", 0]);
  value("limit").set(1n << 40n);
  assertEquals(value("limit").get(), 1n << 40n);
  assertEquals(spec.maps.get("sample_o.rodata")!.data![5], 1);
  assertEquals([value("limit").readOnly, value("counter").readOnly], [true, false]);
  assertEquals([value("prog.calls").map, value("prog.calls").offset], ["sample_o.bss", 4]);
});

Deno.test("VariableSpec.set() refuses what does not fit, and changes nothing then", () => {
  const counter = read().variables.get("counter")!;
  assertThrows(() => counter.set(-1));
  assertThrows(() => counter.set(2 ** 32));
  assertThrows(() => counter.set("many"));
  assertEquals(counter.get(), 1);
});

Deno.test("VariableSpec follows data that the user replaces", () => {
  const spec = read();
  const data = spec.maps.get("sample_o.data")!;
  data.data = new Uint8Array([7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  assertEquals(spec.variables.get("counter")!.get(), 7);
  data.data = new Uint8Array(2);
  assertThrows(() => spec.variables.get("counter")!.get(), RangeError, 'map "sample_o.data" holds 2 bytes');
});

Deno.test("readCollectionSpec() does not change the bytes that it reads", () => {
  const bytes = btfObject();
  const spec = readCollectionSpec(bytes, { name: "x.o" });
  spec.variables.get("counter")!.set(99);
  assertEquals(bytes, btfObject());
  assertEquals(readCollectionSpec(bytes, { name: "x.o" }).variables.get("counter")!.get(), 1);
});

Deno.test("readCollectionSpec() tells what externs are", () => {
  const { externs } = read();
  const told = [...externs.values()].map(({ name, kind, section, weak }) => [name, kind, section, weak]);
  assertEquals(told, [["CONFIG_HZ", "kconfig", ".kconfig", false], ["jiffies", "ksym", ".ksyms", true]]);
  const slot = { map: "sample_.kconfig", offset: 0, size: 4, kind: "int", signed: false };
  assertEquals(externs.get("CONFIG_HZ")?.kconfig, slot as ExternSpec["kconfig"]);
});

Deno.test("readCollectionSpec() names the variable that has no symbol or leaves its section", () => {
  const without = SYMBOLS.filter(({ name }) => name !== "ratio");
  assertThrows(
    () => readCollectionSpec(buildObject(sections(), without, []), { name: "x.o" }),
    LinkError,
    'object "x.o": section ".data": variable "ratio" is in BTF, but has no symbol in this section',
  );
  const far = SYMBOLS.map((symbol): TestSymbol => symbol.name === "ratio" ? { ...symbol, value: 10 } : symbol);
  assertThrows(
    () => readCollectionSpec(buildObject(sections(), far, []), { name: "x.o" }),
    FormatError,
    'section ".data": variable "ratio" at offset 10 (4 bytes) lies outside its 12 bytes',
  );
});

Deno.test("readCollectionSpec() names the map of a declared element that does not hold", () => {
  const cases: [number, string, string][] = [
    [32, "events", 'map "outer": "events" initializes something else than an element of "values"'],
    [60, "events", 'map "outer": "events" initializes something else'],
    [0, "events", 'map "events": "events" initializes something else'],
    [56, "counter", 'map "outer": values[0] refers to "counter", which is not a map in SEC(".maps")'],
    [56, "CONFIG_HZ", 'map "outer": values[0] refers to "CONFIG_HZ", which is not a map or program of this object'],
    [104, "events", 'map "programs": values[0] refers to "events", which is not a program'],
  ];
  for (const [offset, symbol, message] of cases) {
    const relocations = [{ section: ".maps", offset, symbol, type: 2 }];
    assertThrows(
      () => readCollectionSpec(buildObject(sections(), SYMBOLS, relocations), { name: "x.o" }),
      LinkError,
      message,
    );
  }
});

Deno.test("readCollectionSpec() refuses static maps and maps that are no structs", () => {
  const withMap = (map: ReturnType<typeof variable>) => {
    const types = [...TYPES.filter(({ name }) => name !== ".maps"), datasec(".maps", { type: map, size: 8 })];
    const symbols = SYMBOLS.map((symbol) => symbol.name === "events" ? { ...symbol, name: map.name } : symbol);
    return () => readCollectionSpec(buildObject(sections(types), symbols, []), { name: "x.o" });
  };
  assertThrows(withMap(variable("m", struct("", 8, []), "static")), LinkError, 'map "m" is static or hidden');
  assertThrows(withMap(variable("m", array(U32, 2))), LinkError, 'map "m" is not defined by a struct');
  assertThrows(withMap(variable("m", struct("", 16, []))), FormatError, "its struct of 16 bytes is larger");
});

Deno.test("readCollectionSpec() takes an object without programs, maps and BTF", () => {
  const spec = readCollectionSpec(buildObject([]));
  assertEquals([spec.name, spec.btf, spec.maps.size, spec.programs.size, spec.functions.length], [
    "",
    undefined,
    0,
    0,
    0,
  ]);
});

Deno.test("readCollectionSpec() fails with one of our errors, or not at all, wherever an object is cut", () => {
  const object = buildObject(sections([...TYPES, func("f", proto(S32))]), SYMBOLS, RELOCATIONS);
  for (let length = 0; length < object.length; length++) {
    try {
      readCollectionSpec(object.slice(0, length), { name: "x.o" });
    } catch (error) {
      if (!(error instanceof DebpfError)) throw error;
    }
  }
});
