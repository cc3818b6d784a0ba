import { assert, assertEquals, assertGreater, assertStringIncludes, assertThrows } from "@std/assert";
import { ElfFile, SHF, SHN, STB, STT, STV } from "../../../../lib/elf/mod.ts";
import { FormatError, LinkError, UnsupportedError } from "../../../../lib/errors.ts";
import { linkObjects } from "../../../../lib/linker/static/mod.ts";
import { readCollectionSpec } from "../../../../lib/spec/mod.ts";
import { BtfKind } from "../../../../lib/uapi/mod.ts";
import { testdata } from "../../../support/mod.ts";
import { func as funcType, proto, S32, S64, U32 } from "../../core/types.ts";
import { datasec, variable } from "../../spec/btf_object.ts";
import { code, func } from "../../spec/object_builder.ts";
import { EXIT, Linked, made, MOV, part, parts } from "./objects.ts";

const ORDERS = [
  ["main", "library", "defaults"],
  ["defaults", "library", "main"],
  ["library", "defaults", "main"],
  ["main", "defaults", "library"],
];

for (const compiler of ["clang14", "clang19"]) {
  for (const order of ORDERS) {
    for (const suffix of ["", ".eb"]) {
      const names = order.map((name) => `${name}${suffix}`);
      Deno.test(`linkObjects() finds definitions in any order: ${compiler}: ${names.join(", ")}`, () => {
        const linked = new Linked(parts(compiler, ...names));
        const { symbols } = linked.elf;
        assertEquals(linked.elf.order, suffix === "" ? "little" : "big");
        assertEquals(symbols.filter(({ index, sectionIndex }) => index > 0 && sectionIndex === SHN.UNDEF), []);
        // Local symbols first, as the format wants it.
        const lastLocal = symbols.findLastIndex(({ binding }) => binding === "local");
        assertEquals(linked.elf.section(".symtab")?.info, lastLocal + 1);

        const binding = (name: string) => linked.symbol(name).rawBinding;
        assertEquals(["add", "counter", "tuned", "shared"].map(binding), [1, 1, 1, 1].map(() => STB.GLOBAL));
        assertEquals(binding("scale"), STB.WEAK);
        assertEquals(linked.symbol("secret").visibility, STV.HIDDEN);
        assertEquals(linked.symbol("tuned").section?.name, ".data");
        // Those of main and library.
        assertEquals(symbols.filter(({ name, type }) => name === "step" && type === STT.FUNC).length, 2);

        // What a definition has lost to is in no list of variables.
        const data = linked.datasec(".data");
        assertEquals(data.map((text) => text.split("@")[0]).sort(), [
          "global counter",
          "global tuned",
          "static state",
          "static state",
        ]);
        const { value, size } = linked.symbol("tuned");
        assert(data.includes(`global tuned@${value}+${size}`));
        assert(!linked.datasec(".bss").some((text) => text.includes("tuned")));
        assertEquals(linked.datasec("license").length, 1);
        assertEquals(linked.section("license"), new TextEncoder().encode("GPL\0"));

        const spec = readCollectionSpec(linked.bytes, { name: "linked.bpf.o" });
        assertEquals([...spec.programs.keys()].sort(), ["link_library", "link_main"]);
        assertEquals(["own", "shared"].map((name) => spec.maps.get(name)?.maxEntries), [2, 16]);
        assertEquals(spec.variables.get("counter")?.get(), 100);
        assertEquals(spec.externs.size, 0);
      });
    }
  }

  Deno.test(`linkObjects() declares once what several objects expect of others: ${compiler}`, () => {
    for (const names of [["externs_a", "externs_b"], ["externs_b", "externs_a"], ["externs_b.eb", "externs_a.eb"]]) {
      const linked = new Linked(parts(compiler, ...names));
      const undefinedSymbols = linked.elf.symbols.filter(({ index, sectionIndex }) =>
        index > 0 && sectionIndex === SHN.UNDEF
      );
      assertEquals(undefinedSymbols.map(({ name, binding }) => `${binding} ${name}`).sort(), [
        "global CONFIG_HZ",
        "global CONFIG_NR_CPUS",
        "global also_from_elsewhere",
        "global bpf_rcu_read_lock",
        "global bpf_rcu_read_unlock",
        "global call_elsewhere",
        "global from_elsewhere",
        "global jiffies",
        "weak runqueues_of_nobody",
      ]);
      const names_of = (section: string) => linked.datasec(section).map((text) => text.split("@")[0]).sort();
      assertEquals(names_of(".kconfig"), ["extern CONFIG_HZ", "extern CONFIG_NR_CPUS"]);
      assertEquals(names_of(".ksyms"), [
        "extern bpf_rcu_read_lock",
        "extern bpf_rcu_read_unlock",
        "extern jiffies",
        "extern runqueues_of_nobody",
      ]);
      assertEquals(linked.datasec(".maps").length, 1);
      const spec = readCollectionSpec(linked.bytes);
      assertEquals(spec.maps.get("bloom")?.extra, 3n);
      assertEquals(spec.externs.get("CONFIG_NR_CPUS")?.weak, false);
    }
  });

  Deno.test(`linkObjects() gives an object that can be linked again: ${compiler}`, () => {
    const once = linkObjects(parts(compiler, "main", "library", "defaults"));
    // Once more only the names go of what was left out before.
    const again = linkObjects([{ name: "once.o", bytes: once }]);
    assertEquals(linkObjects([{ name: "again.o", bytes: again }]), again);
    for (const section of [".text", ".maps", ".data", ".BTF.ext"]) {
      assertEquals(ElfFile.parse(again).section(section)?.size, ElfFile.parse(once).section(section)?.size);
    }
    // In two steps the weak definitions are still weak when the strong ones come.
    const step = linkObjects(parts(compiler, "main", "defaults"));
    const twice = new Linked([{ name: "step.o", bytes: step }, part(compiler, "library")]);
    assertEquals(twice.symbol("add").size, new Linked([part(compiler, "library")]).symbol("add").size);
    assertEquals(twice.symbol("tuned").section?.name, ".data");
  });

  Deno.test(`linkObjects() leaves what an object says as it is: ${compiler}`, () => {
    for (const name of ["truth", "maps", "events", "core_subprogs", "truth.eb", "nobtf", "sections"]) {
      const bytes = testdata(`${compiler}/${name}.bpf.o`);
      const before = readCollectionSpec(bytes, { name });
      const after = readCollectionSpec(linkObjects([{ name, bytes }]), { name });
      assertEquals([...after.programs.keys()], [...before.programs.keys()]);
      assertEquals([...after.maps.keys()], [...before.maps.keys()]);
      const data = (spec: typeof before) => [...spec.maps.values()].map(({ data }) => data);
      assertEquals(data(after), data(before));
      assertEquals(after.functions.map(({ label }) => label.name), before.functions.map(({ label }) => label.name));
    }
  });
}

Deno.test("linkObjects() drops DWARF and empty sections of code, and makes one section of those of one name", () => {
  const data = (...bytes: number[]) => ({
    name: ".data.x",
    flags: SHF.ALLOC | SHF.WRITE,
    bytes: Uint8Array.from(bytes),
  });
  const linked = new Linked([
    made("a.o", { sections: [code(".text", []), data(1, 2, 3), { name: ".debug_info", bytes: new Uint8Array(9) }] }),
    made("b.o", { sections: [data(4, 5)] }),
  ]);
  assertEquals(linked.elf.sections.map(({ name }) => name), ["", ".data.x", ".symtab", ".strtab"]);
  // buildObject() aligns to 8 bytes.
  assertEquals(linked.section(".data.x"), Uint8Array.of(1, 2, 3, 0, 0, 0, 0, 0, 4, 5));
});

Deno.test("linkObjects() leaves the types of an extern function that is defined out", () => {
  const main = made("a.o", {
    sections: [code("xdp", [MOV, EXIT])],
    symbols: [func("main", "xdp", 0, 2), { name: "f" }],
    types: [funcType("main", proto(S32)), { ...funcType("f", proto(S32, U32)), linkage: "extern" }],
  });
  const definition = {
    ...proto(S32, U32),
    params: [{ name: "value", type: U32 }],
  };
  const other = made("b.o", {
    sections: [code(".text", [MOV, EXIT])],
    symbols: [func("f", ".text", 0, 2)],
    types: [funcType("f", definition)],
  });
  for (const objects of [[main, other], [other, main]]) {
    const { btf } = new Linked(objects);
    const found = [...btf!.types()].filter(({ kind }) => kind === BtfKind.Func || kind === BtfKind.FuncProto);
    assertEquals(found.length, 4);
    assertEquals(btf!.find("f", BtfKind.Func), found.find(({ name }) => name === "f"));
  }
});

Deno.test("linkObjects() finds variables of arenas, and leaves extern what no object defines", () => {
  const ARENA = ".addr_space.1";
  const arena = (name: string, own: string, other: string) =>
    made(name, {
      sections: [{ name: ARENA, flags: SHF.ALLOC | SHF.WRITE, bytes: new Uint8Array(8) }],
      symbols: [
        { name: own, type: STT.OBJECT, section: ARENA, value: 4, size: 4 },
        { name: other },
        { name: "nowhere", binding: STB.WEAK },
      ],
      types: [
        datasec(
          ARENA,
          { type: variable("nowhere", U32, "extern"), size: 4 },
          { type: variable(other, U32, "extern"), size: 4 },
          { type: variable(own, U32), size: 4 },
        ),
      ],
    });
  const linked = new Linked([arena("a.o", "x", "y"), arena("b.o", "y", "x")]);
  // clang lists what is extern at offset 0.
  assertEquals(linked.datasec(ARENA), ["extern nowhere@0+4", "global x@4+4", "global y@12+4"]);
  assertEquals(["x", "y"].map((name) => linked.symbol(name).value), [4, 12]);
  const { binding, sectionIndex } = linked.symbol("nowhere");
  assertEquals([binding, sectionIndex], ["weak", SHN.UNDEF]);
});

Deno.test("linkObjects() names both objects of two strong definitions", () => {
  const one = (name: string) =>
    made(name, {
      sections: [code(".text", [MOV, EXIT])],
      symbols: [func("f", ".text", 0, 2)],
      types: [funcType("f", proto(S32))],
    });
  const error = assertThrows(() => linkObjects([one("a.o"), one("b.o")]), LinkError);
  assertEquals(
    error.message,
    'object "b.o": defines "f" (section ".text"), which object "a.o" defines too (section ".text"): make one of them ' +
      "static or __weak",
  );
});

Deno.test("linkObjects() refuses licenses that differ, and keeps one of those that do not", () => {
  const licensed = (name: string, license: string) =>
    made(name, { sections: [{ name: "license", bytes: new TextEncoder().encode(license) }] });
  const error = assertThrows(() => linkObjects([licensed("a.o", "GPL\0"), licensed("b.o", "MIT\0")]), LinkError);
  assertEquals(
    error.message,
    'object "b.o": its license is "MIT", that of object "a.o" is "GPL": objects that are linked have one',
  );
  const same = new Linked([licensed("a.o", "GPL\0"), licensed("b.o", "GPL\0\0")]);
  assertEquals(same.section("license"), new TextEncoder().encode("GPL\0"));
  const version = (name: string, ...bytes: number[]) =>
    made(name, { sections: [{ name: "version", bytes: Uint8Array.from(bytes) }] });
  assertThrows(
    () => linkObjects([version("a.o", 1, 0, 6, 0), version("b.o", 2, 0, 6, 0)]),
    LinkError,
    "its version is 02000600",
  );
});

Deno.test("linkObjects() refuses sections of one name that are of different sorts", () => {
  const data = (name: string, flags: number) =>
    made(name, { sections: [{ name: ".data.x", flags, bytes: new Uint8Array(4) }] });
  assertThrows(
    () => linkObjects([data("a.o", SHF.ALLOC), data("b.o", SHF.ALLOC | SHF.WRITE)]),
    LinkError,
    'object "b.o": section ".data.x" has flags 0x3, that of object "a.o" has 0x2',
  );
});

Deno.test("linkObjects() refuses objects of two byte orders, and no objects", () => {
  assertThrows(
    () => linkObjects(parts("clang19", "main", "library.eb")),
    LinkError,
    'object "library.eb.o": is big-endian, but object "main.o" is little-endian',
  );
  assertThrows(() => linkObjects([]), LinkError, "no objects");
});

Deno.test("linkObjects() refuses an extern of the kernel that an object defines", () => {
  const types = [datasec(".ksyms", { type: variable("x", U32, "extern"), size: 4 })];
  const user = made("a.o", { symbols: [{ name: "x" }], types });
  const owner = made("b.o", {
    sections: [{ name: ".data", bytes: new Uint8Array(4) }],
    symbols: [{ name: "x", type: STT.OBJECT, section: ".data", size: 4 }],
    types: [datasec(".data", { type: variable("x", U32), size: 4 })],
  });
  assertThrows(
    () => linkObjects([user, owner]),
    LinkError,
    'object "a.o": expects "x" of the kernel (section ".ksyms"), but object "b.o" defines it (section ".data")',
  );
  const option = made("c.o", {
    symbols: [{ name: "x" }],
    types: [datasec(".kconfig", { type: variable("x", U32, "extern"), size: 4 })],
  });
  assertThrows(() => linkObjects([user, option]), LinkError, 'declares "x" in section ".kconfig", but object "a.o"');
});

Deno.test("linkObjects() wants BTF of what two objects have, and of nothing else", () => {
  const plain = (name: string, fn: string) =>
    made(name, { sections: [code(".text", [MOV, EXIT])], symbols: [func(fn, ".text", 0, 2, STB.WEAK)] });
  assertEquals(new Linked([plain("a.o", "f"), plain("b.o", "g")]).section(".text").length, 32);
  assertThrows(
    () => linkObjects([plain("a.o", "f"), plain("b.o", "f")]),
    LinkError,
    'object "a.o": has "f", as another object has, but its BTF says nothing of it: compile with -g',
  );
});

Deno.test("linkObjects() refuses BTF that does not fit sections and symbols", () => {
  const types = [datasec(".data", { type: variable("x", U32), size: 4 })];
  const section = { name: ".data", bytes: new Uint8Array(4) };
  assertThrows(() => linkObjects([made("a.o", { types })]), LinkError, "but the object has no such section");
  assertThrows(
    () => linkObjects([made("a.o", { sections: [section], types })]),
    LinkError,
    "has no symbol in this section",
  );
  const outside = [datasec(".data", { type: variable("x", S64, "static"), size: 8 })];
  assertThrows(
    () => linkObjects([made("a.o", { sections: [section], types: outside })]),
    FormatError,
    'variable "x" at offset 0 (8 bytes) lies outside its 4 bytes',
  );
});

Deno.test("linkObjects() refuses what it cannot link, and names it", () => {
  const section = (type: number) => made("a.o", { sections: [{ name: ".odd", type, bytes: new Uint8Array(8) }] });
  assertThrows(() => linkObjects([section(17)]), UnsupportedError, 'object "a.o": section ".odd" (index 1)');
  const symbol = (more: object) =>
    made("a.o", { sections: [{ name: ".data", bytes: new Uint8Array(4) }], symbols: [{ name: "x", ...more }] });
  assertThrows(
    () => linkObjects([symbol({ section: ".data", value: 5, type: STT.OBJECT })]),
    LinkError,
    "lies outside of",
  );
  assertThrows(() => linkObjects([symbol({ section: ".data", binding: 10 })]), LinkError, "its binding 10");
  assertThrows(() => linkObjects([symbol({ type: STT.OBJECT })]), LinkError, "is undefined, but has a type");
  assertThrows(
    () => linkObjects([{ name: "x.txt", bytes: new Uint8Array(3) }]),
    FormatError,
    'object "x.txt": is not an ELF',
  );
  assertThrows(
    () => linkObjects([made("a.o", { sections: [{ name: "xdp", flags: SHF.EXECINSTR, bytes: new Uint8Array(4) }] })]),
    FormatError,
    "not whole instructions",
  );
});

Deno.test("linkObjects() refuses an info of an instruction that is not there", () => {
  const { bytes } = part("clang19", "library");
  const copy = bytes.slice();
  const section = new Linked([part("clang19", "library")]).elf;
  assertGreater(section.section(".BTF.ext")!.size, 0);
  // The first func info: behind the header, the record's size, and the name and count of the first section.
  const original = readOffset(copy, ".BTF.ext");
  new DataView(copy.buffer).setUint32(original + 32 + 4 + 8, 1 << 20, true);
  const error = assertThrows(() => linkObjects([{ name: "a.o", bytes: copy }]), FormatError);
  assertStringIncludes(
    error.message,
    'object "a.o": section ".BTF.ext", func info: offset 1048576 lies outside of section',
  );
});

/** Where a section begins in an object. */
function readOffset(bytes: Uint8Array, name: string): number {
  const elf = new Linked([{ name: "x.o", bytes: bytes.slice() }]).elf;
  const size = elf.section(name)!.size;
  assertGreater(size, 0);
  return findSection(bytes, name);
}

function findSection(bytes: Uint8Array, name: string): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const table = Number(view.getBigUint64(40, true));
  const names = Number(view.getBigUint64(table + view.getUint16(62, true) * 64 + 24, true));
  const text = new TextDecoder();
  for (let i = 1; i < view.getUint16(60, true); i++) {
    const start = names + view.getUint32(table + i * 64, true);
    if (text.decode(bytes.subarray(start, bytes.indexOf(0, start))) === name) {
      return Number(view.getBigUint64(table + i * 64 + 24, true));
    }
  }
  throw new Error(`no section ${name}`);
}
