/**
 * Objects that are broken in one place: each error names program, instruction, line of C and relocation.
 */
import { assert, assertInstanceOf } from "@std/assert";
import { Btf } from "../../../lib/btf/mod.ts";
import { ElfFile } from "../../../lib/elf/mod.ts";
import { RelocationError } from "../../../lib/errors.ts";
import { relocateCollection } from "../../../lib/linker/mod.ts";
import { readCollectionSpec } from "../../../lib/spec/mod.ts";
import { BtfKind } from "../../../lib/uapi/mod.ts";
import { testdata } from "../../support/mod.ts";

const OBJECT = "clang19/core_known.bpf.o";

/** Words of `struct bpf_core_relo`. */
const RECORD = { insnOff: 0, typeId: 4, accessStrOff: 8, kind: 12, size: 16 } as const;

/** An object to be broken. */
class Broken {
  readonly bytes = testdata(OBJECT);
  readonly view = new DataView(this.bytes.buffer);
  readonly btf: Btf;
  /** Offset of the first record of program "access" in the file. */
  readonly record: number;
  /** Offset of the program's code in the file. */
  readonly code: number;

  constructor() {
    const elf = ElfFile.parse(this.bytes);
    const btf = elf.section(".BTF")!.bytes();
    this.btf = Btf.parse(btf);
    const ext = elf.section(".BTF.ext")!.bytes();
    const words = new DataView(ext.buffer, ext.byteOffset, ext.byteLength);
    const code = elf.section("raw_tp")!.bytes();
    // hdr_len, core_relo_off, then the record size and the head of the only section.
    const first = ext.byteOffset + words.getUint32(4, true) + words.getUint32(24, true) + 4 + 8;
    const { instructions } = readCollectionSpec(this.bytes, { name: "x" }).programs.get("known")!;
    const start = instructions.reduce((slots, insn) => slots + insn.slots, 0) * 8;
    let at = first;
    while (this.view.getUint32(at + RECORD.insnOff, true) < start) at += RECORD.size;
    this.record = at;
    this.code = code.byteOffset + start;
  }

  /** Sets a word of the program's first relocation, which is of the load in its first instruction. */
  set(field: Exclude<keyof typeof RECORD, "size">, value: number): this {
    this.view.setUint32(this.record + RECORD[field], value, true);
    return this;
  }

  /** The error of the program. */
  error(): RelocationError {
    const spec = readCollectionSpec(this.bytes, { name: "x" });
    const kernel = Btf.parse(testdata("targets/known_old.btf"));
    const { programs } = relocateCollection(spec, { targets: [{ name: "known_old", btf: kernel }] });
    assert(!(programs.get("known") instanceof Error), "the other program is as it was");
    const error = programs.get("access");
    assertInstanceOf(error, RelocationError);
    return error;
  }
}

/** Offset of some string in the object's BTF. */
function stringOffset(btf: Btf, text: string): number {
  for (let offset = 1; offset < btf.stringEnd; offset++) if (btf.string(offset) === text) return offset;
  throw new Error(`no string "${text}"`);
}

function check(name: string, broken: (object: Broken) => void, kind: string, words: readonly string[]): void {
  Deno.test(`relocateCollection() names program, instruction, line and relocation: ${name}`, () => {
    const object = new Broken();
    broken(object);
    const { message } = object.error();
    const place = `program "access" (section "raw_tp"): function "access", instruction 0, ./testdata/core_known.bpf.c:`;
    assert(message.startsWith(place), message);
    assert(/^\d+, relocation \d+ \(/.test(message.slice(place.length)), message);
    for (const word of [kind, ...words]) assert(message.includes(word), message);
  });
}

check("a kind that nobody knows", (object) => object.set("kind", 99), "unknown kind 99 of struct widget", [
  "CO-RE relocation of kind 99 is unknown",
]);
check(
  "an accessor that is no accessor",
  (object) => object.set("accessStrOff", stringOffset(object.btf, "widget")),
  'field_byte_offset of struct widget, accessor "widget"',
  ["is not numbers with single colons between"],
);
check(
  "an accessor that leaves its type",
  (object) => object.set("typeId", object.btf.find("part", BtfKind.Struct)!.id),
  "field_byte_offset of struct part",
  ["the accessor asks for member", "of struct part, which has 2"],
);
check(
  "a type without parts",
  (object) => object.set("typeId", object.btf.find("int", BtfKind.Int)!.id),
  "field_byte_offset of int",
  ["which has no parts"],
);
check(
  "an instruction that holds another value",
  (object) => object.view.setInt16(object.code + 2, 77, true),
  "field_byte_offset of struct widget",
  ["is 24 by the object's BTF, but the instruction holds 77"],
);
check(
  "an instruction that cannot be patched",
  (object) => {
    object.view.setUint8(object.code, 0xbf);
    object.view.setInt16(object.code + 2, 0, true);
  },
  "field_byte_offset of struct widget",
  ["has no place for a relocated value"],
);
