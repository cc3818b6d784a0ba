import { assertEquals, assertThrows } from "@std/assert";
import { BPF_PSEUDO, Instruction, Label, MAP, OPCODE } from "../../../lib/asm/mod.ts";
import { Btf, BtfBuilder, type BtfType } from "../../../lib/btf/mod.ts";
import { LinkError } from "../../../lib/errors.ts";
import { type CollectionSpec, findEventTypes, type MapSpec } from "../../../lib/spec/mod.ts";
import { BpfFuncId, BpfMapType, BtfKind } from "../../../lib/uapi/mod.ts";
import {
  array,
  layOut,
  member,
  modifier,
  pointer,
  struct,
  typedef,
  U32,
  U64,
  U8,
  variable,
} from "../btf/value/make_types.ts";

const RINGBUF = BpfMapType.BPF_MAP_TYPE_RINGBUF;
const PERF = BpfMapType.BPF_MAP_TYPE_PERF_EVENT_ARRAY;

const BIG = layOut("big", [["a", U64], ["b", U64]]);
const SMALL = layOut("small", [["a", U64]]);
const OTHER = layOut("other", [["x", U32], ["y", U32]]);
const LIST = struct("list", 4, [member("count", U32, 0), member("data", array(U8, 0), 4)]);

function map(name: string, type: BpfMapType, tags: string[] = []): MapSpec {
  const sizes = { keySize: 0, valueSize: 0, maxEntries: 4096, flags: 0, extra: 0n };
  return { name, type, ...sizes, pinning: "none", readOnly: false, contents: [], tags };
}

/** Offsets of global pointers in the object's .bss by their name. */
type Anchors = Record<string, BtfType>;

function spec(maps: MapSpec[], code: Instruction[], types: BtfType[] = [], anchors: Anchors = {}): CollectionSpec {
  const builder = new BtfBuilder();
  for (const type of types) builder.add(type);
  const variables: CollectionSpec["variables"] = new Map();
  Object.entries(anchors).forEach(([name, target], i) => {
    const type = pointer(modifier(BtfKind.Const, target));
    builder.add(variable(name, type));
    const none = { get: () => 0n, set: () => {}, readOnly: false };
    variables.set(name, { name, map: "obj.bss", offset: i * 8, size: 8, type, ...none });
  });
  return {
    name: "obj",
    order: "little",
    license: "GPL",
    kernelVersion: 0,
    btf: Btf.parse(builder.encode()),
    maps: new Map(maps.map((one) => [one.name, one])),
    programs: new Map(),
    functions: [{ label: new Label("prog", "global"), section: "raw_tp", instructions: code }],
    variables,
    externs: new Map(),
  };
}

const set = (dst: number, imm: number) => Instruction.of({ opcode: OPCODE.MOV64_K, dst, imm });
const copy = (dst: number, src: number) => Instruction.of({ opcode: OPCODE.MOV64_X, dst, src });
const loadMap = (dst: number, name: string) =>
  Instruction.of({ opcode: OPCODE.LD_IMM64, dst, src: BPF_PSEUDO.MAP_FD }).with(MAP, name);
const loadData = (dst: number, offset: number) =>
  Instruction.of({ opcode: OPCODE.LD_IMM64, dst, src: BPF_PSEUDO.MAP_VALUE, immHigh: offset }).with(MAP, "obj.bss");
const loadMemory = (dst: number, src: number) => Instruction.of({ opcode: 0x79, dst, src });
const call = (imm: number) => Instruction.of({ opcode: OPCODE.CALL, imm });
const exit = Instruction.of({ opcode: OPCODE.EXIT });
const ifZero = (dst: number, offset: number) => Instruction.of({ opcode: 0x15, dst, offset });
const jump = (offset: number) => Instruction.of({ opcode: OPCODE.JA, offset });

function reserve(name: string, size: number): Instruction[] {
  return [loadMap(1, name), set(2, size), set(3, 0), call(BpfFuncId.BPF_FUNC_ringbuf_reserve)];
}

function perfOutput(name: string, size: number, flags: Instruction[]): Instruction[] {
  const output = call(BpfFuncId.BPF_FUNC_perf_event_output);
  return [copy(1, 6), loadMap(2, name), ...flags, copy(4, 10), set(5, size), output];
}

const CURRENT_CPU = Instruction.of({ opcode: OPCODE.LD_IMM64, dst: 3, imm: -1, immHigh: 0 });

/** What is found for one map, types by name. */
function summary(spec: CollectionSpec, name: string, types?: Record<string, string[]>) {
  const found = findEventTypes(spec, types === undefined ? {} : { types: new Map(Object.entries(types)) }).get(name)!;
  return {
    source: found.source,
    bySize: Object.fromEntries([...found.bySize].map(([size, type]) => [size, type.name])),
    sizes: found.sizes,
    complete: found.complete,
    hint: found.hint,
  };
}

Deno.test("findEventTypes() a tag on the map names the type, told apart by size", () => {
  const tags = ["debpf:event:big", "debpf:event:struct small", "something else"];
  const object = spec([map("events", RINGBUF, tags)], [...reserve("events", 16), ...reserve("events", 8), exit], [
    BIG,
    SMALL,
  ]);
  assertEquals(summary(object, "events"), {
    source: "declaration",
    bySize: { 16: "big", 8: "small" },
    sizes: [8, 16],
    complete: true,
    hint: undefined,
  });
});

Deno.test("findEventTypes() variables that name map and struct: debpf.h's without tags, Inspektor Gadget's", () => {
  const maps = [map("events", RINGBUF), map("my___map", RINGBUF), map("plain", RINGBUF)];
  const flavour = layOut("ev___v2", [["a", U64]]);
  const code = [...reserve("events", 16), ...reserve("my___map", 8), ...reserve("plain", 8), exit];
  const object = spec(maps, code, [BIG, flavour], {
    "gadget_tracer_exec___events___big": U8,
    "debpf_event_my___map___ev___v2": flavour,
  });
  assertEquals(summary(object, "events").bySize, { 16: "big" });
  assertEquals(summary(object, "my___map").bySize, { 8: "ev___v2" });
  // An anchor that names a map is no candidate for others.
  assertEquals(summary(object, "plain").source, "none");
});

Deno.test("findEventTypes() unused global pointers are candidates for any map, by the traced sizes", () => {
  const maps = [map("a", RINGBUF), map("b", RINGBUF)];
  const anchors = { unused1: BIG, unused2: typedef("small_t", SMALL), number: U32 };
  const object = spec(maps, [...reserve("a", 16), ...reserve("b", 8), exit], [], anchors);
  const none = { complete: true, hint: undefined, source: "anchor" as const };
  assertEquals(summary(object, "a"), { ...none, bySize: { 16: "big" }, sizes: [16] });
  assertEquals(summary(object, "b"), { ...none, bySize: { 8: "small" }, sizes: [8] });
});

Deno.test("findEventTypes() a global pointer that an instruction refers to is no anchor", () => {
  const anchors = { first: U32, config: BIG };
  const object = spec([map("a", RINGBUF)], [loadData(1, 8), ...reserve("a", 16), exit], [], anchors);
  assertEquals(summary(object, "a").source, "none");
  assertEquals(
    summary(object, "a").hint,
    'map "a": records of 16 bytes have no type: add "DEBPF_EVENT(a, big);" to the C source',
  );
  assertEquals(summary(spec([map("a", RINGBUF)], reserve("a", 16), [], anchors), "a").source, "anchor");
});

Deno.test("findEventTypes() two candidates of one size are reported, never guessed", () => {
  const anchored = spec([map("a", RINGBUF)], reserve("a", 8), [], { one: SMALL, two: OTHER });
  assertEquals(summary(anchored, "a").bySize, {});
  assertEquals(
    summary(anchored, "a").hint,
    'map "a": records of 8 bytes can be struct small or struct other: say which: "DEBPF_EVENT(a, STRUCT);"',
  );
  const tags = ["debpf:event:small", "debpf:event:other", "debpf:event:big"];
  const tagged = spec([map("a", RINGBUF, tags)], [...reserve("a", 8), ...reserve("a", 16)], [SMALL, OTHER, BIG]);
  assertEquals(summary(tagged, "a").bySize, { 16: "big" });
  assertEquals(
    summary(tagged, "a").hint,
    'map "a": records of 8 bytes can be struct small or struct other: name only one of them',
  );
});

Deno.test("findEventTypes() the user's choice comes before all else, and must exist", () => {
  const object = spec(
    [map("a", RINGBUF, ["debpf:event:small"]), map("h", BpfMapType.BPF_MAP_TYPE_HASH)],
    reserve("a", 8),
    [
      SMALL,
      OTHER,
    ],
  );
  assertEquals(summary(object, "a", { a: ["other"] }).bySize, { 8: "other" });
  assertEquals(summary(object, "a", { a: ["struct other"] }).source, "option");
  const choose = (map: string, struct: string) => () => findEventTypes(object, { types: new Map([[map, [struct]]]) });
  assertThrows(choose("a", "nothing"), LinkError, 'obj: its BTF has no struct "nothing" for the events of map "a"');
  assertThrows(choose("b", "small"), LinkError, 'obj: has no map "b"');
  assertThrows(choose("h", "small"), LinkError, 'map "h" is neither a ring buffer nor a perf buffer');
});

Deno.test("findEventTypes() a candidate counts only if its size is one that programs send", () => {
  const object = spec([map("a", RINGBUF, ["debpf:event:big", "debpf:event:gone"])], reserve("a", 8), [BIG]);
  assertEquals(summary(object, "a"), {
    source: "none",
    bySize: {},
    sizes: [8],
    complete: true,
    hint: 'map "a": struct gone, which the object names, is not in its BTF (clang keeps only structs that something ' +
      'global refers to): add "DEBPF_EVENT(a, gone);"; struct big has 16 bytes, but records have 8',
  });
});

Deno.test("findEventTypes() sizes: branches that meet, arithmetic, moves through other registers", () => {
  const output = call(BpfFuncId.BPF_FUNC_ringbuf_output);
  const code = [
    set(7, 16),
    ifZero(6, 1),
    set(7, 8),
    loadMap(8, "a"),
    copy(1, 8),
    copy(3, 7),
    Instruction.of({ opcode: 0x67, dst: 3, imm: 32 }),
    Instruction.of({ opcode: 0x77, dst: 3, imm: 32 }),
    output,
    set(3, 4),
    Instruction.of({ opcode: 0x07, dst: 3, imm: 20 }),
    copy(1, 8),
    output,
    exit,
  ];
  const { sizes, complete } = summary(spec([map("a", RINGBUF)], code), "a");
  assertEquals({ sizes, complete }, { sizes: [8, 16, 24], complete: true });
});

Deno.test("findEventTypes() sizes: a loop ends, a size that grows in it is unknown", () => {
  const code = [
    set(7, 0),
    Instruction.of({ opcode: 0x07, dst: 7, imm: 1 }),
    loadMap(1, "a"),
    copy(2, 7),
    call(BpfFuncId.BPF_FUNC_ringbuf_reserve),
    ifZero(0, -6),
    exit,
  ];
  const { sizes, complete } = summary(spec([map("a", RINGBUF)], code), "a");
  assertEquals({ sizes, complete }, { sizes: [], complete: false });
});

Deno.test("findEventTypes() sizes: what a call, memory or a patch gives is unknown, code behind a jump is not seen", () => {
  const reserved = call(BpfFuncId.BPF_FUNC_ringbuf_reserve);
  const unknown = (code: Instruction[]) => {
    const { sizes, complete } = summary(spec([map("a", RINGBUF), map("b", PERF)], code), "a");
    return complete ? sizes : undefined;
  };
  assertEquals(unknown([loadMap(1, "a"), loadMemory(2, 6), reserved]), undefined);
  assertEquals(unknown([loadMap(1, "a"), set(2, 8), call(5), reserved]), undefined);
  assertEquals(unknown([loadMemory(1, 6), set(2, 8), reserved]), undefined);
  assertEquals(unknown([jump(4), ...reserve("a", 16).slice(0, 1), set(2, 16), reserved, ...reserve("a", 8)]), [8]);
  // A perf buffer's unknown map says nothing about ring buffers.
  const perf = [loadMemory(2, 6), CURRENT_CPU, set(5, 8), call(BpfFuncId.BPF_FUNC_perf_event_output)];
  assertEquals(unknown([...perf, ...reserve("a", 8)]), [8]);
});

Deno.test("findEventTypes() where sizes are unknown, candidates count by their own size", () => {
  const code = [loadMap(1, "a"), loadMemory(2, 6), call(BpfFuncId.BPF_FUNC_ringbuf_reserve)];
  const object = spec([map("a", RINGBUF, ["debpf:event:big", "debpf:event:small"])], code, [BIG, SMALL]);
  assertEquals(summary(object, "a").bySize, { 16: "big", 8: "small" });
  const nothing = summary(spec([map("a", RINGBUF)], code), "a");
  assertEquals(nothing.hint, 'map "a": records have no type: add "DEBPF_EVENT(a, STRUCT);" to the C source');
});

Deno.test("findEventTypes() perf buffers: lengths as the kernel pads them, bytes of a packet behind the record", () => {
  const object = spec(
    [map("a", PERF, ["debpf:event:big"])],
    [...perfOutput("a", 16, [CURRENT_CPU]), exit],
    [BIG],
  );
  assertEquals(summary(object, "a"), {
    source: "declaration",
    bySize: { 20: "big" },
    sizes: [16],
    complete: true,
    hint: undefined,
  });
  const withPacket = Instruction.of({ opcode: OPCODE.LD_IMM64, dst: 3, imm: -1, immHigh: 64 });
  const packets = spec([map("a", PERF)], [...perfOutput("a", 16, [withPacket]), exit]);
  assertEquals(summary(packets, "a").complete, false);
});

Deno.test("findEventTypes() a struct that ends in a flexible array takes all larger records", () => {
  const code = [loadMap(1, "a"), set(2, 12), call(BpfFuncId.BPF_FUNC_ringbuf_reserve)];
  const object = spec([map("a", RINGBUF, ["debpf:event:list"])], code, [LIST]);
  const found = findEventTypes(object).get("a")!;
  assertEquals([found.flexible?.name, found.hint], ["list", undefined]);
});

Deno.test("findEventTypes() an object without BTF, a map that no program writes to, maps without events", () => {
  const object = spec([map("a", RINGBUF), map("h", BpfMapType.BPF_MAP_TYPE_HASH)], [exit]);
  assertEquals([...findEventTypes(object).keys()], ["a"]);
  assertEquals(summary(object, "a").hint, 'map "a": no program of this object sends records to it');
  const stripped = { ...spec([map("a", RINGBUF)], reserve("a", 8)), btf: undefined };
  assertEquals(
    summary(stripped, "a").hint,
    'map "a": records have no type, because the object has no BTF: compile with clang -g',
  );
});
