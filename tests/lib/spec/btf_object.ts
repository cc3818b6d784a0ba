/** An object with BTF, made by hand: what clang emits for maps, global variables and functions. */
import { encode, Instruction, OPCODE } from "../../../lib/asm/mod.ts";
import { BtfBuilder, type BtfType, type DeclTagType, type Linkage, type VarType } from "../../../lib/btf/mod.ts";
import { SHT, STB, STT, STV } from "../../../lib/elf/mod.ts";
import { BpfMapType, BtfKind } from "../../../lib/uapi/mod.ts";
import { array, constant, func, int, member, proto, ptr, S32, struct, U32, U64 } from "../core/types.ts";
import { buildObject, code, func as funcSymbol, type TestSection, type TestSymbol } from "./object_builder.ts";

/** `char` */
export const CHAR = int("char", 1, { signed: true, char: true });

/** A variable. */
export function variable(name: string, target: BtfType, linkage: Linkage = "global"): VarType {
  return { kind: BtfKind.Var, id: 0, name, target, linkage };
}

/** A declaration tag. */
export function declTag(name: string, target: BtfType, componentIndex = -1): DeclTagType {
  return { kind: BtfKind.DeclTag, id: 0, name, target, componentIndex };
}

/** A section of variables as clang leaves it: no size, and no offsets but those of static variables. */
export function datasec(name: string, ...entries: { type: VarType; size: number; offset?: number }[]): BtfType {
  return {
    kind: BtfKind.Datasec,
    id: 0,
    name,
    size: 0,
    entries: entries.map(({ type, size, offset = 0 }) => ({ type, size, offset })),
  };
}

const uint = (name: string, value: number, at: number) => member(name, ptr(array(S32, value)), at * 64);

/** `struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 16); __type(key, u32); __type(value, u64); }` */
export const HASH = struct("", 32, [
  uint("type", BpfMapType.BPF_MAP_TYPE_HASH, 0),
  uint("max_entries", 16, 1),
  member("key", ptr(U32), 128),
  member("value", ptr(U64), 192),
]);

/** A map of maps like {@linkcode HASH}, of three declared elements. */
export const OUTER = struct("", 24, [
  uint("type", BpfMapType.BPF_MAP_TYPE_ARRAY_OF_MAPS, 0),
  uint("max_entries", 3, 1),
  uint("key_size", 4, 2),
  member("values", array(ptr(HASH), 0), 192),
]);

/** A program array of two declared elements. */
export const PROGRAMS = struct("", 24, [
  uint("type", BpfMapType.BPF_MAP_TYPE_PROG_ARRAY, 0),
  uint("max_entries", 2, 1),
  uint("key_size", 4, 2),
  member("values", array(ptr(proto(S32, ptr(S32))), 0), 192),
]);

const counter = variable("counter", U32);
const ratio = variable("ratio", S32);
const hidden = variable("hidden", S32);
const calls = variable("prog.calls", U32, "static");
const limit = variable("limit", constant(U64));
const greeting = variable("greeting", array(CHAR, 8));
const events = variable("events", HASH);
const outer = variable("outer", OUTER);
const programs = variable("programs", PROGRAMS);

/** The types of {@linkcode btfObject}. */
export const TYPES: readonly BtfType[] = [
  datasec(".data", { type: counter, size: 4 }, { type: ratio, size: 4 }, { type: hidden, size: 4 }),
  datasec(".data.own", { type: variable("own", U32), size: 4 }),
  datasec(".bss", { type: calls, size: 4, offset: 4 }),
  datasec(".rodata", { type: limit, size: 8 }, { type: greeting, size: 8 }),
  datasec(".maps", { type: outer, size: 48 }, { type: events, size: 32 }, { type: programs, size: 40 }),
  declTag("debpf:event:sample", events),
  declTag("second", events),
  func("first", proto(S32)),
  datasec(".ksyms", { type: variable("jiffies", { kind: BtfKind.Unknown, id: 0, name: "" }, "extern"), size: 0 }),
  datasec(".kconfig", { type: variable("CONFIG_HZ", U32, "extern"), size: 4 }),
];

/** Bytes of BTF of the given types. */
export function btfBytes(types: readonly BtfType[]): Uint8Array {
  const builder = new BtfBuilder({ order: "little" });
  for (const type of types) builder.add(type);
  return builder.encode();
}

const DATA = new Uint8Array([1, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff, 9, 0, 0, 0]);
const RODATA = new Uint8Array([5, 0, 0, 0, 0, 0, 0, 0, 0x68, 0x69, 0, 0, 0, 0, 0, 0]);
const EXIT = Instruction.of({ opcode: OPCODE.EXIT });

const object = (name: string, section: string, value: number, size: number, more: Partial<TestSymbol> = {}) => ({
  name,
  type: STT.OBJECT,
  section,
  value,
  size,
  ...more,
});

/** The symbols of {@linkcode btfObject}. */
export const SYMBOLS: readonly TestSymbol[] = [
  object("prog.calls", ".bss", 4, 4, { binding: STB.LOCAL }),
  object("counter", ".data", 0, 4),
  object("ratio", ".data", 4, 4),
  object("hidden", ".data", 8, 4, { visibility: STV.HIDDEN }),
  object("own", ".data.own", 0, 4, { visibility: STV.HIDDEN }),
  object("limit", ".rodata", 0, 8),
  object("greeting", ".rodata", 8, 8),
  object("events", ".maps", 0, 32),
  object("outer", ".maps", 32, 48),
  object("programs", ".maps", 80, 40),
  { name: "jiffies", binding: STB.WEAK },
  { name: "CONFIG_HZ" },
  funcSymbol("first", "xdp", 0, 1),
  funcSymbol("second", "xdp", 1, 1),
];

/** The relocations of {@linkcode btfObject}: `outer[2] = &events`, `programs[0] = &second`. */
export const RELOCATIONS = [
  { section: ".maps", offset: 32 + 24 + 16, symbol: "events", type: 2 },
  { section: ".maps", offset: 80 + 24, symbol: "second", type: 2 },
] as const;

/** The sections of {@linkcode btfObject}. */
export function sections(types: readonly BtfType[] = TYPES): TestSection[] {
  return [
    code("xdp", [EXIT, EXIT]),
    { name: ".data", bytes: DATA },
    { name: ".data.own", bytes: new Uint8Array(4) },
    { name: ".rodata", bytes: RODATA },
    { name: ".bss", type: SHT.NOBITS, size: 8 },
    { name: ".maps", bytes: new Uint8Array(120) },
    { name: "license", bytes: encode([], "little") },
    { name: ".BTF", bytes: btfBytes(types), flags: 0 },
  ];
}

/** Two programs, three maps, six variables. */
export function btfObject(): Uint8Array {
  return buildObject(sections(), SYMBOLS, RELOCATIONS);
}
