import { assertEquals, assertThrows } from "@std/assert";
import { openBtf } from "../../../lib/btf/mod.ts";
import type { ByteOrder } from "../../../lib/bytes.ts";
import { EM, ET, SHF, SHT } from "../../../lib/elf/mod.ts";
import { FormatError } from "../../../lib/errors.ts";
import { BtfKind } from "../../../lib/uapi/mod.ts";
import { makeElf } from "../elf/make_elf.ts";
import { Blob, everyKind } from "./blob.ts";

/** Offset of the first string of a base. */
const NAME_OF_INT = 1;

/** What a module is made of that was built apart from its kernel: a few of the kernel's types, and its own. */
function module(order: ByteOrder = "little"): { base: Blob; own: Blob } {
  const base = new Blob({ order });
  base.int("int");
  base.struct("file", 232);
  const own = new Blob({ order, base });
  own.type("", BtfKind.Ptr, { sizeOrType: 2 });
  own.struct("device", 16, ["file", 3, 0], ["count", 1, 64]);
  own.type("uses", BtfKind.Struct, { vlen: 1, sizeOrType: 4 }, NAME_OF_INT, 1, 0);
  return { base, own };
}

Deno.test("openBtf() reads a blob, and the section .BTF of ELF files of any type, machine and byte order", () => {
  for (const order of ["little", "big"] as const) {
    const data = everyKind(order).bytes();
    assertEquals(openBtf(data, { what: "blob" }).typeCount, 20);
    const kinds = [[ET.REL, EM.BPF], [ET.EXEC, 62], [ET.DYN, 183], [ET.CORE, 22]] as const;
    for (const [type, machine] of kinds) {
      const file = makeElf({ type, machine, order, sections: [{ name: ".BTF", type: SHT.PROGBITS, bytes: data }] });
      const btf = openBtf(file, { what: "vmlinux" });
      assertEquals([btf.typeCount, btf.order, btf.what, btf.find("node")?.id], [20, order, "vmlinux", 4]);
    }
  }
});

Deno.test("openBtf() reads a module on the distilled base that it brings along", () => {
  const { base, own } = module();
  const sections = [
    { name: ".BTF.base", type: SHT.PROGBITS, bytes: base.bytes() },
    { name: ".BTF", type: SHT.PROGBITS, bytes: own.bytes() },
  ];
  const btf = openBtf(makeElf({ type: ET.REL, machine: 62, sections }), { what: "nice.ko" });
  assertEquals([btf.ownStartId, btf.typeCount, btf.base?.what], [3, 6, 'nice.ko, section ".BTF.base"']);
  const device = btf.find("device", BtfKind.Struct);
  assertEquals(device?.members.map(({ name, type }) => [name, type.id]), [["file", 3], ["count", 1]]);
  const [file] = device!.members;
  assertEquals(file?.type.kind === BtfKind.Ptr && file.type.target.name, "file");
});

/** The kernel that the module of {@linkcode module} meets: other ids, members, more types. */
function kernel(order: ByteOrder): Blob {
  const blob = new Blob({ order });
  blob.int("char", 1);
  blob.int("int");
  blob.struct("other", 8);
  blob.struct("file", 232, ["inode", 2, 0]);
  blob.struct("file", 16, ["of another size", 2, 0]);
  return blob;
}

Deno.test("openBtf() puts a module onto the kernel that is given, by kind, name and size", () => {
  for (const order of ["little", "big"] as const) {
    const { base, own } = module(order);
    const sections = [
      { name: ".BTF.base", type: SHT.PROGBITS, bytes: base.bytes() },
      { name: ".BTF", type: SHT.PROGBITS, bytes: own.bytes() },
    ];
    const file = makeElf({ type: ET.REL, machine: 62, order, sections });
    const vmlinux = openBtf(kernel(order).bytes(), { what: "vmlinux" });
    const btf = openBtf(file, { what: "nice.ko", base: vmlinux });
    assertEquals([btf.base === vmlinux, btf.ownStartId, btf.typeCount], [true, 6, 9]);
    const device = btf.find("device", BtfKind.Struct)!;
    assertEquals(device.members.map(({ name, type }) => [name, type.id]), [["file", 6], ["count", 2]]);
    const [member] = device.members;
    assertEquals(member?.type.kind === BtfKind.Ptr && [member.type.target.id, member.type.target.name], [4, "file"]);
    // A member's name that stands among the strings that came along.
    assertEquals(btf.find("uses", BtfKind.Struct)?.members[0]?.name, "int");
  }
});

Deno.test("openBtf() says what the kernel lacks that a module refers to, and what it has twice", () => {
  const { base, own } = module();
  const sections = [
    { name: ".BTF.base", type: SHT.PROGBITS, bytes: base.bytes() },
    { name: ".BTF", type: SHT.PROGBITS, bytes: own.bytes() },
  ];
  const file = makeElf({ type: ET.REL, machine: 62, sections });
  const other = new Blob();
  other.int("int");
  other.struct("file", 200);
  assertThrows(
    () => openBtf(file, { what: "nice.ko", base: openBtf(other.bytes(), { what: "vmlinux" }) }),
    FormatError,
    'nice.ko: refers to struct "file" (232 bytes) of its kernel, which vmlinux lacks',
  );
  other.struct("file", 232);
  other.struct("file", 232);
  assertThrows(
    () => openBtf(file, { what: "nice.ko", base: openBtf(other.bytes(), { what: "vmlinux" }) }),
    FormatError,
    "vmlinux has several of that size: ids 3 and 4",
  );
});

Deno.test("openBtf() reads a module on the kernel that is given, and says that it needs one", () => {
  const { base, own } = module();
  const kernel = openBtf(base.bytes());
  const elf = makeElf({ machine: 62, sections: [{ name: ".BTF", type: SHT.PROGBITS, bytes: own.bytes() }] });
  for (const file of [own.bytes(), elf]) {
    assertEquals(openBtf(file, { what: "nice", base: kernel }).typeCount, 6);
    assertThrows(() => openBtf(file, { what: "nice" }), FormatError, "nice: string section does not start with");
  }
});

Deno.test("openBtf() says what to do with what is packed, or has no BTF", () => {
  const start = (...bytes: number[]): Uint8Array => Uint8Array.from([...bytes, ...new Array<number>(60).fill(0)]);
  assertThrows(
    () => openBtf(start(0xfd, 0x37, 0x7a, 0x58, 0x5a), { what: "a.ko.xz" }),
    FormatError,
    "a.ko.xz: is packed",
  );
  assertThrows(() => openBtf(start(0x1f, 0x8b)), FormatError, "file: is packed: unpack it first (gzip -d)");
  assertThrows(() => openBtf(start(0x28, 0xb5, 0x2f, 0xfd)), FormatError, "zstd -d");
  assertThrows(() => openBtf(start(0x4d, 0x5a), { what: "vmlinuz" }), FormatError, "extract-vmlinux");
  assertThrows(() => openBtf(start(1, 2, 3)), FormatError, "file: not BTF");
  assertThrows(() => openBtf(makeElf({}), { what: "x.o" }), FormatError, 'x.o: has no section ".BTF"');
  const data = everyKind().bytes();
  const packed = makeElf({ sections: [{ name: ".BTF", type: SHT.PROGBITS, flags: SHF.COMPRESSED, bytes: data }] });
  assertThrows(() => openBtf(packed, { what: "x.o" }), FormatError, "compressed");
});
