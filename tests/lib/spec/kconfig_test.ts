import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import type { BtfType, DatasecType, VarType } from "../../../lib/btf/mod.ts";
import { LinkError, UnsupportedError } from "../../../lib/errors.ts";
import { layOutKconfig } from "../../../lib/spec/kconfig.ts";
import type { ExternSpec } from "../../../lib/spec/mod.ts";
import { BpfMapFlag, BtfKind } from "../../../lib/uapi/mod.ts";
import { inRepository } from "../../support/mod.ts";
import { readCollectionSpec } from "../../../lib/spec/mod.ts";
import {
  array,
  constant,
  enumeration,
  enumeration64,
  func,
  int,
  proto,
  S32,
  typedef,
  U16,
  U64,
} from "../core/types.ts";

const BOOL = int("_Bool", 1, { bool: true });
const CHAR = int("char", 1, { signed: true });
const TRISTATE = enumeration("libbpf_tristate", { TRI_NO: 0, TRI_YES: 1, TRI_MODULE: 2 });

function extern(name: string, target: BtfType): ExternSpec {
  const type: VarType = { kind: BtfKind.Var, id: 0, name, target, linkage: "extern" };
  return { name, kind: "kconfig", section: ".kconfig", weak: false, type };
}

const layOut = (externs: readonly ExternSpec[], name = "object") =>
  layOutKconfig({ name, what: `object "x.o"` }, externs);

Deno.test("layOutKconfig() puts large alignments first, then small sizes, then names; offsets are aligned", () => {
  const layout = layOut([
    extern("CONFIG_TEXT", array(CHAR, 5)),
    extern("CONFIG_BOOL", BOOL),
    extern("CONFIG_LONG", constant(typedef("u64", U64))),
    extern("CONFIG_B", S32),
    extern("CONFIG_A", S32),
    extern("CONFIG_TRI", TRISTATE),
    extern("CONFIG_TRI64", enumeration64("libbpf_tristate", { TRI_NO: 0n })),
    extern("CONFIG_LETTER", CHAR),
    extern("CONFIG_SHORT", U16),
  ])!;
  const map = "object.kconfig";
  assertEquals([...layout.slots], [
    ["CONFIG_LONG", { map, offset: 0, size: 8, kind: "int", signed: false }],
    ["CONFIG_TRI64", { map, offset: 8, size: 8, kind: "tristate", signed: false }],
    ["CONFIG_A", { map, offset: 16, size: 4, kind: "int", signed: true }],
    ["CONFIG_B", { map, offset: 20, size: 4, kind: "int", signed: true }],
    ["CONFIG_TRI", { map, offset: 24, size: 4, kind: "tristate", signed: false }],
    ["CONFIG_SHORT", { map, offset: 28, size: 2, kind: "int", signed: false }],
    ["CONFIG_BOOL", { map, offset: 30, size: 1, kind: "bool", signed: false }],
    ["CONFIG_LETTER", { map, offset: 31, size: 1, kind: "char", signed: true }],
    ["CONFIG_TEXT", { map, offset: 32, size: 5, kind: "text", signed: false }],
  ]);
  assertEquals([layout.map.valueSize, layout.map.data?.length, layout.map.readOnly], [37, 37, true]);
  assertEquals(layout.map.flags, BpfMapFlag.BPF_F_RDONLY_PROG | BpfMapFlag.BPF_F_MMAPABLE);
  const value = layout.map.value as DatasecType;
  assertEquals([value.name, value.size, value.entries.length], [".kconfig", 37, 9]);
  assertEquals(
    value.entries.map(({ offset, size }) => [offset, size]),
    [...layout.slots.values()].map((slot) => [slot.offset, slot.size]),
  );
  // The kernel takes no extern variables.
  assertEquals(new Set(value.entries.map(({ type }) => (type as VarType).linkage)), new Set(["global"]));
});

Deno.test("layOutKconfig() names the map as libbpf does: 7 characters of the object's name", () => {
  assertEquals(layOut([extern("CONFIG_A", S32)], "sample_object")!.map.name, "sample_.kconfig");
  assertEquals(layOut([]), undefined);
});

Deno.test("layOutKconfig() refuses types that no option has, and functions", () => {
  const types: BtfType[] = [
    array(CHAR, 0),
    array(S32, 4),
    array(BOOL, 4),
    int("bool4", 4, { bool: true }),
    int("__int128", 16),
    enumeration("tristate", {}),
    enumeration("libbpf_tristate", {}, { size: 2 }),
  ];
  for (const type of types) {
    const { message } = assertThrows(() => layOut([extern("CONFIG_A", type)]), UnsupportedError);
    assertMatch(
      message,
      /^object "x\.o": extern "CONFIG_A" in section "\.kconfig" has a type that no option has: use bool, /,
    );
  }
  const type = func("CONFIG_A", proto(S32));
  assertThrows(
    () => layOut([{ ...extern("CONFIG_A", S32), type }]),
    LinkError,
    'object "x.o": extern function "CONFIG_A" is in section ".kconfig": only variables can be',
  );
});

for (const compiler of ["clang14", "clang19"]) {
  Deno.test(`readCollectionSpec() orders externs as libbpf numbers them: ${compiler}`, () => {
    const read = (name: string) =>
      readCollectionSpec(Deno.readFileSync(inRepository("testdata", compiler, `${name}.bpf.o`)), { name });
    const options = [...read("extern_kconfig_kinds").externs.values()];
    const offsets = options.map(({ kconfig }) => kconfig!.offset);
    assertEquals(offsets, offsets.toSorted((a, b) => a - b));
    assertEquals([options[0]!.name, options.at(-1)!.name], ["CONFIG_ILLEGAL_POINTER_VALUE", "CONFIG_DEFAULT_HOSTNAME"]);
    const symbols = [...read("extern_kfuncs").externs.values()];
    assertEquals(symbols.map(({ name }) => name), symbols.map(({ name }) => name).toSorted());
    const kinds = Object.groupBy(symbols, ({ kind }) => kind);
    assertEquals(
      [kinds.ksym, kinds.ksym_var].map((all) => all?.map(({ name }) => name)),
      [["in_no_kernel", "schedule"], ["runqueues", "variable_in_no_kernel"]],
    );
    assertEquals(kinds.kfunc!.length, 10);
    assertEquals([...read("extern_undefined").externs.values()].map(({ kind, weak }) => [kind, weak]), [
      ["function", false],
      ["function", true],
    ]);
  });
}
