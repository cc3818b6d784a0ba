/** struct_ops fitted to kernels made by hand: members by name, what is missing, what contradicts. */
import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { Label } from "../../../lib/asm/mod.ts";
import { Btf, type Member, type StructType } from "../../../lib/btf/mod.ts";
import type { CoreTarget } from "../../../lib/core/mod.ts";
import { LinkError, UnsupportedError } from "../../../lib/errors.ts";
import { relocateCollection, type RelocatedCollection } from "../../../lib/linker/mod.ts";
import type { CollectionSpec, MapSpec, ProgramSpec, StructOpsValue } from "../../../lib/spec/mod.ts";
import { BpfMapFlag, BpfMapType, BpfProgType, BtfKind } from "../../../lib/uapi/mod.ts";
import { array, member, proto, ptr, S32, struct, target, U32, U64, union } from "../core/types.ts";
import { CHAR } from "../spec/btf_object.ts";
import { EXIT, mov, program } from "./builders.ts";

const FN = ptr(proto(S32, ptr(S32)));

/** The kernel's `struct ops` and what holds it. */
function kernel(members: Member[], size: number, name = "ops"): CoreTarget {
  const ops = struct(name, size, members);
  return target([
    struct(`bpf_struct_ops_${name}`, 64 + size, [member("common", U64, 0), member("data", ops, 512)]),
  ]);
}

const KERNEL = kernel([
  member("name", array(CHAR, 8), 0),
  member("stop", FN, 64),
  member("start", FN, 128),
  member("flags", U32, 192),
], 32);

/** What an object declares: another order, a flavour. */
const LOCAL = struct("ops___mine", 32, [
  member("start", FN, 0),
  member("stop", FN, 64),
  member("flags", U32, 128),
  member("name", array(CHAR, 8), 160),
]);

function structOps(
  name: string,
  value: StructOpsValue,
  more: Partial<MapSpec> = {},
  type: StructType = LOCAL,
): MapSpec {
  const programs = Object.values(value).filter((one): one is string => typeof one === "string" && one.endsWith("_fn"));
  return {
    name,
    type: BpfMapType.BPF_MAP_TYPE_STRUCT_OPS,
    keySize: 4,
    valueSize: type.size,
    maxEntries: 1,
    flags: BpfMapFlag.BPF_F_LINK,
    extra: 0n,
    pinning: "none",
    readOnly: false,
    contents: [],
    tags: [],
    structOps: { type, value, programs },
    ...more,
  };
}

function ops(name: string, more: Partial<ProgramSpec> = {}): ProgramSpec {
  return program([mov(0), EXIT], {
    name,
    section: "struct_ops",
    type: BpfProgType.BPF_PROG_TYPE_STRUCT_OPS,
    attach: "struct_ops",
    label: new Label(name, "global"),
    ...more,
  });
}

function collection(maps: readonly MapSpec[], ...programs: ProgramSpec[]): CollectionSpec {
  return {
    name: "x",
    order: "little",
    license: "GPL",
    kernelVersion: 0,
    btf: undefined,
    maps: new Map(maps.map((map) => [map.name, map])),
    programs: new Map(programs.map((own) => [own.name, own])),
    functions: [],
    variables: new Map(),
    externs: new Map(),
  };
}

function fit(spec: CollectionSpec, ...kernels: CoreTarget[]): RelocatedCollection {
  return relocateCollection(spec, {
    targets: kernels.length === 0 ? [KERNEL] : kernels,
    select: ({ autoload }) => autoload,
  });
}

/** Why nothing can be loaded. */
function refusal(map: MapSpec, ...kernels: CoreTarget[]): unknown {
  const spec = collection([map], ops("start_fn"), ops("stop_fn"), program([mov(0), EXIT], { name: "packet_fn" }));
  return [...fit(spec, ...kernels).programs.values()][0];
}

Deno.test("relocateCollection() puts struct_ops into the kernel's layout", () => {
  const map = structOps("m", { start: "start_fn", stop: null, flags: 7, name: "abc" });
  const { structOps: images, programs, btf } = fit(collection([map], ops("start_fn")));
  const image = images.get("m")!;
  assertEquals([image.type.name, image.valueType.name], ["ops", "bpf_struct_ops_ops"]);
  assertEquals(image.programs, [{ offset: 64 + 16, program: "start_fn" }]);
  const expected = new Uint8Array(96);
  expected.set(new TextEncoder().encode("abc"), 64);
  expected[64 + 24] = 7;
  assertEquals(image.value, expected);
  const loaded = programs.get("start_fn")!;
  if (loaded instanceof Error) throw loaded;
  assertEquals([loaded.structOps?.type, loaded.structOps?.index], [image.type, 2]);
  // Without BTF the kernel takes no such map, whatever the BTF says.
  assertEquals(btf === undefined, false);
});

Deno.test("relocateCollection() loads struct_ops programs if a map that is created uses them", () => {
  const used = structOps("used", { start: "start_fn", stop: "stop_fn" });
  const optional = structOps("optional", { start: "other_fn", stop: "stop_fn" }, { autocreate: false });
  const spec = collection(
    [used, optional],
    ops("start_fn", { autoload: false }),
    ops("stop_fn"),
    ops("other_fn"),
    ops("nowhere", { autoload: false }),
  );
  assertEquals([...fit(spec).programs.keys()], ["start_fn", "stop_fn"]);
  assertEquals([...fit(spec).structOps.keys()], ["used"]);
  optional.autocreate = true;
  assertEquals([...fit(spec).programs.keys()], ["start_fn", "stop_fn", "other_fn"]);
});

Deno.test("relocateCollection() does not load a struct_ops program that the user took out of its map", () => {
  const map = structOps("m", { start: "start_fn", stop: "stop_fn" });
  map.structOps!.value.stop = null;
  assertEquals([...fit(collection([map], ops("start_fn"), ops("stop_fn"))).programs.keys()], ["start_fn"]);
});

Deno.test("relocateCollection() refuses a struct_ops program that no map uses", () => {
  const { programs } = fit(collection([structOps("m", {})], ops("lonely")));
  const error = programs.get("lonely");
  assertInstanceOf(error, LinkError);
  assertEquals(error.message.includes("no struct_ops map that is created uses it"), true);
});

Deno.test("relocateCollection() leaves out members that the kernel lacks if they are zero, and refuses others", () => {
  const older = kernel([member("start", FN, 0)], 8);
  const zero = structOps("m", { start: "start_fn", stop: null, flags: 0, name: "" });
  assertEquals(fit(collection([zero], ops("start_fn")), older).structOps.get("m")?.programs.length, 1);
  for (const set of [{ stop: "stop_fn" }, { flags: 1 }, { name: "x" }]) {
    const error = refusal(structOps("m", { start: "start_fn", ...set }), older);
    assertInstanceOf(error, UnsupportedError);
    const [name] = Object.keys(set);
    assertEquals(error.message.startsWith(`struct_ops "m": member "${name}" is set, but struct ops of vmlinux`), true);
  }
});

Deno.test("relocateCollection() refuses struct_ops of a struct that the kernel has not, or takes no programs for", () => {
  for (const other of [kernel([], 8, "others"), target([struct("ops", 8, [])])]) {
    const error = refusal(structOps("m", {}), other);
    assertInstanceOf(error, UnsupportedError);
    assertEquals(error.message.includes("vmlinux takes no programs for struct ops"), true);
  }
});

Deno.test("relocateCollection() throws if struct_ops do not fit and there is no program to say so", () => {
  assertThrows(
    () => fit(collection([structOps("m", {})]), kernel([], 8, "others")),
    UnsupportedError,
    'struct_ops "m"',
  );
});

Deno.test("relocateCollection() refuses struct_ops whose members contradict the kernel's", () => {
  const cases: [Member, RegExp][] = [
    [member("flags", ptr(S32), 0), /member "flags" is an integer in the object, but a pointer in vmlinux/],
    [member("flags", U64, 0), /member "flags" has 4 bytes in the object, but 8 in vmlinux/],
    [{ ...member("flags", U32, 0), bitfieldBits: 3 }, /member "flags" is a bitfield/],
  ];
  for (const [theirs, message] of cases) {
    const error = refusal(structOps("m", { flags: 1 }), kernel([theirs], 16)) as Error;
    assertEquals(message.test(error.message), true, error.message);
  }
});

Deno.test("relocateCollection() refuses values of struct_ops that mean nothing", () => {
  const cases: [StructOpsValue, string][] = [
    [{ start: "nobody" }, 'member "start" names program "nobody", which the object does not have'],
    [{ start: "packet_fn" }, 'member "start" names program "packet_fn" of section "xdp"'],
    [{ start: 5n }, 'member "start" is a pointer: give the name of a program'],
    [{ flags: 2 ** 32 }, "flags: 4294967296 does not fit"],
    [{ flags: "many" }, "flags: "],
    [{ name: "far too long" }, "name: 12 bytes do not fit"],
    [{ flag: 1 }, 'has no member "flag"; those of struct ops___mine are start, stop, flags, name'],
  ];
  for (const [value, message] of cases) {
    const error = refusal(structOps("m", value));
    assertInstanceOf(error, LinkError);
    assertEquals(error.message.includes(`struct_ops "m": ${message}`), true, error.message);
  }
});

Deno.test("relocateCollection() lets maps share a program, but only for one member", () => {
  const [a, b] = [structOps("a", { start: "start_fn" }), structOps("b", { start: "start_fn" })];
  assertEquals(fit(collection([a, b], ops("start_fn"))).structOps.size, 2);
  const error = refusal(structOps("a", { start: "start_fn", stop: "start_fn" }));
  assertInstanceOf(error, LinkError);
  assertEquals(error.message.includes('stands for member "start" of struct ops already'), true, error.message);
});

/** BTF of a module: `struct ops { int (*start)(int *); }` and `struct bpf_struct_ops_ops { unsigned long common; struct ops data; }`. */
function moduleOf(base: Btf): Uint8Array {
  const first = base.typeCount;
  const [pointer, u64] = [[...base.types()].find(({ kind }) => kind === BtfKind.Ptr)!, base.find("unsigned long")!];
  const names = ["ops", "bpf_struct_ops_ops", "start", "common", "data"];
  const at = (name: string) =>
    base.stringEnd + names.slice(0, names.indexOf(name)).join("\0").length + (name === "ops" ? 0 : 1);
  const composite = (name: string, size: number, ...members: [string, number, number][]) => [
    at(name),
    BtfKind.Struct << 24 | members.length,
    size,
    ...members.flatMap(([member, type, offsetBits]) => [at(member), type, offsetBits]),
  ];
  const types = [
    ...composite("ops", 8, ["start", pointer.id, 0]),
    ...composite("bpf_struct_ops_ops", 72, ["common", u64.id, 0], ["data", first, 512]),
  ];
  const text = new TextEncoder().encode(`${names.join("\0")}\0`);
  const header = [0x1eb9f, 24, 0, types.length * 4, types.length * 4, text.length];
  const bytes = new Uint8Array((header.length + types.length) * 4 + text.length);
  const view = new DataView(bytes.buffer);
  [...header, ...types].forEach((word, i) => view.setUint32(i * 4, word, true));
  bytes.set(text, (header.length + types.length) * 4);
  return bytes;
}

Deno.test("relocateCollection() finds struct_ops of a module, whose types continue the kernel's", () => {
  const base = target([FN, U64]);
  const module = { name: "mod", btf: Btf.parse(moduleOf(base.btf), { what: "mod", base: base.btf }) };
  const spec = collection([structOps("m", { start: "start_fn" })], ops("start_fn"));
  const image = fit(spec, base, module).structOps.get("m");
  assertEquals([image?.target.name, image?.value.length], ["mod", 72]);
});

Deno.test("relocateCollection() takes members of anonymous unions of struct_ops by their own names", () => {
  const anonymous = member("", union("", 8, [member("small", U32, 0), member("large", U64, 0)]), 64);
  const type = struct("ops", 16, [member("start", FN, 0), anonymous]);
  const theirs = kernel([anonymous, member("start", FN, 128)], 24);
  const map = structOps("m", { start: "start_fn", large: 0x1_0000_0002n }, {}, type);
  const { value } = fit(collection([map], ops("start_fn")), theirs).structOps.get("m")!;
  assertEquals(new DataView(value.buffer).getBigUint64(64 + 8, true), 0x1_0000_0002n);
});
