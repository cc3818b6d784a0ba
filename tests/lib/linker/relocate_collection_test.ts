import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { Instruction, OPCODE, SOURCE } from "../../../lib/asm/mod.ts";
import { Btf, type BtfType, CORE_RELOCATION, FUNC_INFO, type FuncType } from "../../../lib/btf/mod.ts";
import { LinkError, RelocationError } from "../../../lib/errors.ts";
import { relocateCollection, type RelocatedProgram } from "../../../lib/linker/mod.ts";
import {
  type CollectionSpec,
  FUNC_TAGS,
  type FunctionSpec,
  type MapSpec,
  type ProgramSpec,
} from "../../../lib/spec/mod.ts";
import { BpfCoreReloKind, BpfMapType, BpfProgType, BtfKind } from "../../../lib/uapi/mod.ts";
import { btfOf, func, member, proto, ptr, relocations, S32, struct, target, U32, U64 } from "../core/types.ts";
import { declTag } from "../spec/btf_object.ts";
import { call, EXIT, fn, mov, program } from "./builders.ts";

const line = (file: string, number: number) => ({ file, line: number, column: 1, text: `line ${number}` });

/** `first` as the beginning of the function `type`. */
function begin(first: Instruction, type: FuncType, file = "a.c"): Instruction {
  return first.with(FUNC_INFO, type).with(SOURCE, line(file, 1));
}

function map(name: string, type: BpfMapType, key?: BtfType, value?: BtfType, inner?: MapSpec): MapSpec {
  return {
    name,
    type,
    keySize: 4,
    valueSize: 4,
    maxEntries: 1,
    flags: 0,
    extra: 0n,
    pinning: "none",
    inner,
    key,
    value,
    readOnly: false,
    contents: [],
    tags: [],
  };
}

function collection(
  programs: readonly ProgramSpec[],
  functions?: readonly FunctionSpec[],
  maps?: readonly MapSpec[],
  btf?: Btf,
): CollectionSpec {
  return {
    name: "x",
    order: "little",
    license: "GPL",
    kernelVersion: 0,
    btf,
    maps: new Map(maps?.map((spec) => [spec.name, spec])),
    programs: new Map(programs.map((spec) => [spec.name, spec])),
    functions: [...functions ?? []],
    variables: new Map(),
    externs: new Map(),
  };
}

function relocated(spec: CollectionSpec, name: string, targets = [target([U32])]): RelocatedProgram {
  const result = relocateCollection(spec, { targets }).programs.get(name);
  if (result === undefined || result instanceof Error) throw result ?? new Error(`no program "${name}"`);
  return result;
}

/** Names of the types in a BTF, the nameless left out. */
function names(btf: Uint8Array | undefined): string[] {
  if (btf === undefined) return [];
  const types = Btf.parse(btf);
  return Array.from({ length: types.typeCount - 1 }, (_, i) => types.nameOf(i + 1)).filter((name) => name !== "")
    .sort();
}

/** Reads `task.pid` (4 bytes at 4): the fixup changes the offset. */
function coreRead(accessor = "0:1"): Instruction {
  const type = struct("task", 8, [member("state", U32, 0), member("pid", U32, 32)]);
  const [relocation] = relocations([{ kind: BpfCoreReloKind.BPF_CORE_FIELD_BYTE_OFFSET, type, accessor }]);
  return Instruction.of({ opcode: 0x61, dst: 0, src: 1, offset: 4 }).with(CORE_RELOCATION, relocation);
}
const KERNEL = target([struct("task", 64, [member("state", U64, 0), member("pid", U32, 320)])]);

Deno.test("relocateCollection() relocates programs and their functions, and leaves the collection as it is", () => {
  const helper = fn("helper", [coreRead(), EXIT]);
  const main = program([coreRead(), call(helper.label), EXIT]);
  const spec = collection([main], [helper]);
  for (let times = 0; times < 2; times++) {
    const { insns } = relocated(spec, "main", [KERNEL]);
    assertEquals(insns.map(({ offset }) => offset), [40, 0, 0, 40, 0]);
    assertEquals(insns[1]!.imm, 1);
  }
  assertEquals(main.instructions[0]!.offset, 4);
  assertEquals(helper.instructions[0]!.offset, 4);
});

Deno.test("relocateCollection() gives infos of all functions with their new offsets", () => {
  const helperType = func("helper", proto(S32));
  const load = Instruction.of({ opcode: OPCODE.LD_IMM64, dst: 1, imm: 1 });
  const helper = fn("helper", [begin(mov(1), helperType, "b.c"), EXIT]);
  const main = program([begin(load, func("main", proto(S32))), call(helper.label).with(SOURCE, line("a.c", 2)), EXIT]);
  const spec = collection([main], [helper]);
  const result = relocateCollection(spec, { targets: [] });
  const ready = result.programs.get("main") as RelocatedProgram;
  assertEquals([ready.funcInfoCount, ready.funcInfoRecSize, ready.lineInfoCount, ready.lineInfoRecSize], [2, 8, 3, 16]);
  const btf = Btf.parse(result.btf!);
  const funcs = new Uint32Array(ready.funcInfo.buffer, ready.funcInfo.byteOffset, 4);
  assertEquals([funcs[0], btf.nameOf(funcs[1]!), funcs[2], btf.nameOf(funcs[3]!)], [0, "main", 4, "helper"]);
  const lines = new Uint32Array(ready.lineInfo.buffer, ready.lineInfo.byteOffset, 12);
  assertEquals([lines[0], lines[4], lines[8]], [0, 2, 4]);
  assertEquals([btf.string(lines[1]!), btf.string(lines[9]!), btf.string(lines[10]!)], ["a.c", "b.c", "line 1"]);
});

Deno.test("relocateCollection() builds BTF of what is used only", () => {
  const typed = (name: string) => program([begin(EXIT, func(name, proto(S32)))], { name });
  const spec = collection([typed("wanted"), typed("other")], [], [map("m", BpfMapType.BPF_MAP_TYPE_HASH, U32, U64)]);
  const all = relocateCollection(spec, { targets: [] });
  assertEquals(names(all.btf), ["int", "other", "unsigned int", "unsigned long", "wanted"]);
  const one = relocateCollection(spec, { targets: [], select: ({ name }) => name === "wanted" });
  assertEquals([...one.programs.keys()], ["wanted"]);
  assertEquals(names(one.btf), ["int", "unsigned int", "unsigned long", "wanted"]);
  assertEquals(relocateCollection(collection([program([EXIT])]), { targets: [] }).btf, undefined);
});

Deno.test("relocateCollection() gives type ids of maps that take them", () => {
  const inner = map("outer.inner", BpfMapType.BPF_MAP_TYPE_ARRAY, S32, U64);
  const spec = collection([], [], [
    map("hash", BpfMapType.BPF_MAP_TYPE_HASH, U32, U64),
    map("untyped", BpfMapType.BPF_MAP_TYPE_HASH),
    map("perf", BpfMapType.BPF_MAP_TYPE_PERF_EVENT_ARRAY, U32, U32),
    map("outer", BpfMapType.BPF_MAP_TYPE_ARRAY_OF_MAPS, U32, undefined, inner),
  ]);
  const { btf, mapTypeIds } = relocateCollection(spec, { targets: [] });
  const types = Btf.parse(btf!);
  const hash = mapTypeIds.get("hash")!;
  assertEquals([types.nameOf(hash.key), types.nameOf(hash.value)], ["unsigned int", "unsigned long"]);
  const outer = mapTypeIds.get("outer")!;
  assertEquals([outer.key, outer.value, types.nameOf(outer.inner!.key)], [0, 0, "int"]);
  assertEquals([...mapTypeIds.keys()], ["hash", "outer"]);
});

Deno.test("relocateCollection() numbers local type ids in the BTF that it builds", () => {
  const type = struct("mine", 4, [member("a", U32, 0)]);
  const [relocation] = relocations([{ kind: BpfCoreReloKind.BPF_CORE_TYPE_ID_LOCAL, type, accessor: "0" }]);
  const spec = collection([program([mov(0).with(CORE_RELOCATION, relocation), EXIT])]);
  const { btf, programs } = relocateCollection(spec, { targets: [] });
  const { insns } = programs.get("main") as RelocatedProgram;
  assertEquals(Btf.parse(btf!).nameOf(insns[0]!.imm), "mine");
});

Deno.test("relocateCollection() fails only the programs that have a broken relocation", () => {
  const spec = collection([
    program([coreRead(), EXIT], { name: "good" }),
    program([coreRead("0:9").with(SOURCE, line("a.c", 7)), EXIT], { name: "bad" }),
  ]);
  const { programs } = relocateCollection(spec, { targets: [KERNEL] });
  assertEquals((programs.get("good") as RelocatedProgram).insns[0]!.offset, 40);
  const bad = programs.get("bad");
  assertInstanceOf(bad, RelocationError);
  const place = 'program "bad" (section "xdp"): instruction 0, a.c:7, relocation 0 (field_byte_offset of struct task';
  assertEquals(bad.message.slice(0, place.length), place);
});

Deno.test("relocateCollection() fails all programs if a function has a broken relocation, as libbpf does", () => {
  const broken = fn("broken", [coreRead("0:9"), EXIT]);
  const spec = collection([
    program([coreRead(), EXIT], { name: "apart" }),
    program([call(broken.label), EXIT], { name: "caller" }),
  ], [broken]);
  const { programs } = relocateCollection(spec, { targets: [KERNEL] });
  for (const name of ["apart", "caller"]) assertInstanceOf(programs.get(name), RelocationError);
});

Deno.test('relocateCollection() keeps SEC("?...") out of what narrows candidates, unless it is chosen', () => {
  const local = struct("t", 8, [member("only", U32, 0), member("b", U32, 32)]);
  const kernel = target([
    struct("t", 16, [member("b", U32, 64), member("only", U32, 0)]),
    struct("t___2", 16, [member("b", U32, 96)]),
  ]);
  const [settles, follows] = relocations([
    { kind: BpfCoreReloKind.BPF_CORE_FIELD_BYTE_OFFSET, type: local, accessor: "0:0" },
    { kind: BpfCoreReloKind.BPF_CORE_FIELD_BYTE_OFFSET, type: local, accessor: "0:1" },
  ]);
  const load = (offset: number) => Instruction.of({ opcode: 0x61, dst: 0, src: 1, offset });
  const spec = collection([
    program([load(0).with(CORE_RELOCATION, settles), EXIT], { name: "quiet", autoload: false }),
    program([load(4).with(CORE_RELOCATION, follows), EXIT], { name: "loud" }),
  ]);
  const apart = relocateCollection(spec, { targets: [kernel] }).programs;
  assert(!(apart.get("quiet") instanceof Error));
  assertInstanceOf(apart.get("loud"), RelocationError);
  const together = relocateCollection(spec, { targets: [kernel], select: () => true }).programs;
  assertEquals((together.get("loud") as RelocatedProgram).insns[0]!.offset, 8);
});

Deno.test("relocateCollection() says why a program cannot be made ready", () => {
  const { programs } = relocateCollection(
    collection([
      program([EXIT], { name: "typeless", section: "foo", type: BpfProgType.BPF_PROG_TYPE_UNSPEC }),
      program([EXIT], { name: "ops", section: "struct_ops/x", type: BpfProgType.BPF_PROG_TYPE_STRUCT_OPS }),
      program([EXIT], { name: "fine" }),
    ]),
    { targets: [] },
  );
  const typeless = programs.get("typeless");
  assertInstanceOf(typeless, LinkError);
  assertEquals(typeless.message.startsWith('program "typeless" (section "foo"): the section\'s name'), true);
  assertInstanceOf(programs.get("ops"), LinkError);
  assert(!(programs.get("fine") instanceof Error));
});

Deno.test("relocateCollection() drops infos of a program without any, and refuses a function without any", () => {
  const typed = fn("typed", [begin(mov(1), func("typed", proto(S32))), EXIT]);
  const bare = fn("bare", [mov(2), EXIT]);
  const spec = collection([
    program([call(typed.label), EXIT], { name: "untyped" }),
    program([begin(call(bare.label), func("mixed", proto(S32))), EXIT], { name: "mixed" }),
  ], [typed, bare]);
  const untyped = relocated(spec, "untyped");
  assertEquals([untyped.funcInfoCount, untyped.lineInfoCount], [0, 0]);
  const mixed = relocateCollection(spec, { targets: [] }).programs.get("mixed");
  assertInstanceOf(mixed, LinkError);
  assertEquals(
    mixed.message,
    'program "mixed" (section "xdp"): has func_info, but function "bare", which it reaches, has none: compile all of them with -g',
  );
});

Deno.test("relocateCollection() links a function of another object with its lines", () => {
  const foreign = fn("foreign", [begin(mov(1), func("foreign", proto(S32)), "other.c"), EXIT], "global");
  const main = program([begin(call(foreign.label), func("main", proto(S32))), EXIT]);
  const result = relocateCollection(collection([main]), { targets: [], functions: [foreign] });
  const { insns } = result.programs.get("main") as RelocatedProgram;
  assertEquals(insns.map((insn) => insn.get(SOURCE)?.file), ["a.c", undefined, "other.c", undefined]);
});

Deno.test("relocateCollection() appends the exception callback that a tag names, and keeps tags in BTF", () => {
  const type = func("main", proto(S32));
  const tag = declTag("exception_callback:on_throw", type);
  const main = program([begin(EXIT, type).with(FUNC_TAGS, [tag])]);
  const callback = fn("on_throw", [begin(mov(1), func("on_throw", proto(S32))), EXIT], "global");
  const spec = collection([main], [callback]);
  const { btf, programs } = relocateCollection(spec, { targets: [] });
  assertEquals((programs.get("main") as RelocatedProgram).insns.length, 3);
  assertEquals(names(btf), ["exception_callback:on_throw", "int", "main", "on_throw"]);
  const missing = relocateCollection(collection([main]), { targets: [] }).programs.get("main");
  assertInstanceOf(missing, LinkError);
});

Deno.test("relocateCollection() keeps tags on members, and the structs that they name", () => {
  const head = struct("head", 16, []);
  const list = struct("list", 16, [member("elements", head, 0)]);
  const element = struct("element", 8, [member("key", U64, 0)]);
  const unused = struct("unused", 8, [member("p", ptr(U32), 0)]);
  const btf = btfOf([list, declTag("contains:element:node", list, 0), element, declTag("note", unused, 0)]);
  const value = btf.find("list", BtfKind.Struct)!;
  const spec = collection([], [], [map("m", BpfMapType.BPF_MAP_TYPE_HASH, undefined, value)], btf);
  assertEquals(names(relocateCollection(spec, { targets: [] }).btf), [
    "contains:element:node",
    "element",
    "head",
    "list",
    "unsigned long",
  ]);
});
