import { assert, assertEquals, assertThrows } from "@std/assert";
import { RelocationError } from "../../../lib/errors.ts";
import type { BtfType } from "../../../lib/btf/mod.ts";
import { Btf, BtfBuilder } from "../../../lib/btf/mod.ts";
import { BpfCoreReloKind as Kind } from "../../../lib/uapi/mod.ts";
import { type CoreFixup, type CoreTarget, relocate, type RelocateOptions } from "../../../lib/core/mod.ts";
import {
  array,
  enumeration,
  enumeration64,
  float,
  func,
  fwd,
  int,
  member,
  proto,
  ptr,
  relocations,
  S32,
  S64,
  struct,
  target,
  typedef,
  U16,
  U32,
  U64,
  U8,
  union,
  VOID,
} from "./types.ts";

/** The fixup of one relocation. */
function fixup(
  kind: Kind,
  type: BtfType,
  accessor: string,
  targets: readonly CoreTarget[],
  options?: RelocateOptions,
): CoreFixup {
  return relocate(relocations([{ kind, type, accessor }]), targets, options)[0]!;
}

/** Its value, or "poison". */
function answer(
  kind: Kind,
  type: BtfType,
  accessor: string,
  targets: readonly CoreTarget[],
): number | bigint | "poison" {
  const { poison, targetValue } = fixup(kind, type, accessor, targets);
  return poison ? "poison" : targetValue;
}

const LOCAL = struct("task", 16, [member("pid", U32, 0), member("gone", U64, 64)]);
const KERNEL = target([struct("task", 32, [member("flags", U64, 0), member("pid", U32, 64)])]);

const FIELD_KINDS = [
  Kind.BPF_CORE_FIELD_BYTE_OFFSET,
  Kind.BPF_CORE_FIELD_BYTE_SIZE,
  Kind.BPF_CORE_FIELD_EXISTS,
  Kind.BPF_CORE_FIELD_SIGNED,
  Kind.BPF_CORE_FIELD_LSHIFT_U64,
  Kind.BPF_CORE_FIELD_RSHIFT_U64,
];
const TYPE_KINDS = [
  Kind.BPF_CORE_TYPE_ID_TARGET,
  Kind.BPF_CORE_TYPE_EXISTS,
  Kind.BPF_CORE_TYPE_SIZE,
  Kind.BPF_CORE_TYPE_MATCHES,
];

Deno.test("relocate() answers every kind about a field that is there", () => {
  assertEquals(FIELD_KINDS.map((kind) => answer(kind, LOCAL, "0:0", [KERNEL])), [8, 4, 1, 0, 32, 32]);
});

Deno.test("relocate() answers every kind about a field that is missing", () => {
  const missing: (number | "poison")[] = ["poison", "poison", 0, "poison", "poison", "poison"];
  assertEquals(FIELD_KINDS.map((kind) => answer(kind, LOCAL, "0:1", [KERNEL])), missing);
});

Deno.test("relocate() answers every kind about a type", () => {
  const known = KERNEL.btf.findIds("task")[0]!;
  const local = struct("task___mine", 4, [member("pid", U32, 0)]);
  assertEquals(TYPE_KINDS.map((kind) => answer(kind, local, "0", [KERNEL])), [known, 1, 32, 1]);
  assertEquals(TYPE_KINDS.map((kind) => answer(kind, struct("none", 4, []), "0", [KERNEL])), [0, 0, 0, 0]);
});

Deno.test("relocate() answers every kind about an enumerator", () => {
  const local = enumeration("color", { RED: 1, BLUE: 2 });
  const kernel = target([enumeration("color", { GREEN: 3, RED: 4 })]);
  assertEquals(answer(Kind.BPF_CORE_ENUMVAL_VALUE, local, "0", [kernel]), 4);
  assertEquals(answer(Kind.BPF_CORE_ENUMVAL_EXISTS, local, "0", [kernel]), 1);
  assertEquals(answer(Kind.BPF_CORE_ENUMVAL_VALUE, local, "1", [kernel]), "poison");
  assertEquals(answer(Kind.BPF_CORE_ENUMVAL_EXISTS, local, "1", [kernel]), 0);
});

Deno.test("relocate() compares enumerators without flavours on both sides", () => {
  const kernel = target([enumeration("color", { RED___kernel: 4 })]);
  assertEquals(answer(Kind.BPF_CORE_ENUMVAL_VALUE, enumeration("color", { RED___mine: 1 }), "0", [kernel]), 4);
});

Deno.test("relocate() mixes enums of 32 and 64 bits, and extends the sign of 32-bit values", () => {
  const wide = target([enumeration64("color", { RED: 0x1_0000_0001n, BLUE: 0xffff_ffff_ffff_ffffn })]);
  assertEquals(answer(Kind.BPF_CORE_ENUMVAL_VALUE, enumeration("color", { RED: 1 }), "0", [wide]), 0x1_0000_0001n);
  const narrow = target([enumeration("color", { RED: 0xffff_ffff, BLUE: -2 })]);
  assertEquals(answer(Kind.BPF_CORE_ENUMVAL_VALUE, enumeration64("color", { RED: 1n }), "0", [narrow]), -1);
  assertEquals(answer(Kind.BPF_CORE_ENUMVAL_VALUE, enumeration64("color", { BLUE: 1n }), "0", [narrow]), -2);
});

Deno.test("relocate() takes local type ids from the callback, without targets", () => {
  const ids = new Map<BtfType, number>([[LOCAL, 42]]);
  const options: RelocateOptions = { resolveLocalTypeId: (type) => ids.get(type)! };
  const result = fixup(Kind.BPF_CORE_TYPE_ID_LOCAL, LOCAL, "0", [], options);
  assertEquals([result.poison, result.targetValue, result.checked], [false, 42, false]);
  assertEquals(fixup(Kind.BPF_CORE_TYPE_ID_LOCAL, { ...LOCAL, id: 7 }, "0", []).targetValue, 7);
  assertThrows(() => fixup(Kind.BPF_CORE_TYPE_ID_LOCAL, LOCAL, "0:1", []), RelocationError, 'should be "0"');
});

Deno.test("relocate() matches names without flavours, on both sides", () => {
  const kernel = target([struct("task___2", 16, [member("pid", U32, 64)])]);
  assertEquals(answer(Kind.BPF_CORE_FIELD_BYTE_OFFSET, { ...LOCAL, name: "task___old" }, "0:0", [kernel]), 8);
  const other = target([struct("task____2", 16, [member("pid", U32, 64)])]);
  assertEquals(answer(Kind.BPF_CORE_FIELD_BYTE_OFFSET, LOCAL, "0:0", [other]), "poison");
});

Deno.test("relocate() finds members of anonymous structs that moved", () => {
  const inner = struct("", 8, [member("a", U32, 0), member("pid", U32, 32)]);
  const kernel = target([
    struct("task", 24, [member("x", U64, 0), member("", union("", 8, [member("", inner, 0)]), 64)]),
  ]);
  assertEquals(answer(Kind.BPF_CORE_FIELD_BYTE_OFFSET, LOCAL, "0:0", [kernel]), 12);
});

Deno.test("relocate() takes a longer array, refuses a shorter one, lets a flexible one have any element", () => {
  const local = struct("s", 16, [member("a", array(U32, 4), 0)]);
  const kernels = [8, 4, 3].map((length) => target([struct("s", 32, [member("a", array(U32, length), 64)])]));
  const last = target([struct("s", 8, [member("x", U64, 0), member("a", array(U32, 0), 64)])]);
  const notLast = target([struct("s", 8, [member("a", array(U32, 0), 64), member("x", U64, 0)])]);
  const offsets = [...kernels, last, notLast].map((kernel) =>
    answer(Kind.BPF_CORE_FIELD_BYTE_OFFSET, local, "0:0:3", [kernel])
  );
  assertEquals(offsets, [20, 20, "poison", 20, "poison"]);
});

Deno.test("relocate() multiplies the first index by the target's size", () => {
  assertEquals(answer(Kind.BPF_CORE_FIELD_BYTE_OFFSET, LOCAL, "2:0", [KERNEL]), 2 * 32 + 8);
});

Deno.test("relocate() refuses a member whose type is of another sort, wherever else the name is", () => {
  const kernel = target([struct("task", 32, [member("pid", ptr(VOID), 64)])]);
  assertEquals(answer(Kind.BPF_CORE_FIELD_BYTE_OFFSET, LOCAL, "0:0", [kernel]), "poison");
});

Deno.test("relocate() goes through a union that was a struct", () => {
  const local = struct("s", 8, [member("in", struct("a", 4, [member("x", U32, 0)]), 0)]);
  const kernel = target([struct("s", 16, [member("in", union("b", 8, [member("x", U64, 0)]), 64)])]);
  assertEquals(answer(Kind.BPF_CORE_FIELD_BYTE_OFFSET, local, "0:0:0", [kernel]), 8);
});

Deno.test("relocate() wants candidates of the root's kind", () => {
  const kernel = target([
    func("task", proto(VOID)),
    fwd("task"),
    union("task", 4, [member("pid", U32, 0)]),
    typedef("task", struct("else", 4, [member("pid", U32, 0)])),
  ]);
  assertEquals(answer(Kind.BPF_CORE_FIELD_BYTE_OFFSET, LOCAL, "0:0", [kernel]), "poison");
  assertEquals(answer(Kind.BPF_CORE_TYPE_EXISTS, LOCAL, "0", [kernel]), 0);
  assertEquals(answer(Kind.BPF_CORE_TYPE_EXISTS, typedef("task", LOCAL), "0", [kernel]), 1);
  assertEquals(answer(Kind.BPF_CORE_TYPE_EXISTS, fwd("task"), "0", [kernel]), 1);
});

Deno.test("relocate() rejects a field of a forward declaration behind a typedef of the target", () => {
  const kernel = target([typedef("task_t", fwd("task"))]);
  const local = typedef("task_t", LOCAL);
  assertThrows(
    () => answer(Kind.BPF_CORE_FIELD_BYTE_OFFSET, local, "0:0", [kernel]),
    RelocationError,
    "struct task has no size",
  );
});

Deno.test("relocate() asks modules only for what the kernel lacks, and only for types of their own", () => {
  const vmlinux = target([struct("known", 8, [member("a", U32, 32)])]);
  const module = (name: string, offsetBits: number): CoreTarget => {
    const builder = new BtfBuilder();
    builder.add(struct("unknown", 16, [member("a", U32, offsetBits)]));
    builder.add(struct("known", 16, [member("b", U32, 64)]));
    return { btf: Btf.parse(builder.encode()), name };
  };
  const targets = [vmlinux, module("nf", 64), module("nf2", 64)];
  const known = struct("known", 8, [member("a", U32, 0), member("b", U32, 32)]);
  assertEquals(answer(Kind.BPF_CORE_FIELD_BYTE_OFFSET, known, "0:0", targets), 4);
  assertEquals(answer(Kind.BPF_CORE_FIELD_BYTE_OFFSET, known, "0:1", targets), "poison");
  const unknown = struct("unknown", 8, [member("a", U32, 0)]);
  const result = fixup(Kind.BPF_CORE_FIELD_BYTE_OFFSET, unknown, "0:0", targets);
  assertEquals([result.targetValue, result.chosen?.target.name], [8, "nf"]);
  const conflicting = [vmlinux, module("nf", 64), module("nf2", 96)];
  assertThrows(
    () => fixup(Kind.BPF_CORE_FIELD_BYTE_OFFSET, unknown, "0:0", conflicting),
    RelocationError,
    "ambiguous",
  );
});

const TWICE = target([
  struct("s", 16, [member("a", U32, 0), member("b", U32, 32), member("c", U32, 64)]),
  struct("s___2", 24, [member("a", U32, 0), member("x", U64, 64), member("b", U32, 128)]),
]);

Deno.test("relocate() takes candidates that agree, and rejects those that don't", () => {
  const local = struct("s", 16, [member("a", U32, 0), member("b", U32, 32)]);
  assertEquals(answer(Kind.BPF_CORE_FIELD_BYTE_OFFSET, local, "0:0", [TWICE]), 0);
  const error = assertThrows(
    () => answer(Kind.BPF_CORE_FIELD_BYTE_OFFSET, local, "0:1", [TWICE]),
    RelocationError,
    "field_byte_offset of struct s.b is ambiguous",
  );
  assert(error.message.includes("struct s___2"), error.message);
  assertThrows(() => answer(Kind.BPF_CORE_FIELD_EXISTS, local, "0:1", [TWICE]), RelocationError, "ambiguous");
  assertThrows(() => answer(Kind.BPF_CORE_TYPE_SIZE, local, "0", [TWICE]), RelocationError, "16");
  assertThrows(() => answer(Kind.BPF_CORE_TYPE_ID_TARGET, local, "0", [TWICE]), RelocationError, "ambiguous");
  assertEquals(answer(Kind.BPF_CORE_TYPE_EXISTS, local, "0", [TWICE]), 1);
});

Deno.test("relocate() compares sizes of candidates at one offset only when asked for the size", () => {
  const kernel = target([struct("s", 4, [member("a", U32, 0)]), struct("s___2", 8, [member("a", U64, 0)])]);
  const local = struct("s", 4, [member("a", U32, 0)]);
  assertEquals(answer(Kind.BPF_CORE_FIELD_BYTE_OFFSET, local, "0:0", [kernel]), 0);
  assertThrows(() => answer(Kind.BPF_CORE_FIELD_BYTE_SIZE, local, "0:0", [kernel]), RelocationError, "ambiguous");
});

Deno.test("relocate() narrows the candidates of a type in the object's order, whatever the order given", () => {
  const local = struct("s", 16, [member("c", U32, 0), member("b", U32, 32), member("nowhere", U32, 64)]);
  const ofObject = relocations([
    { kind: Kind.BPF_CORE_FIELD_EXISTS, type: local, accessor: "0:2" },
    { kind: Kind.BPF_CORE_FIELD_EXISTS, type: local, accessor: "0:0" },
    { kind: Kind.BPF_CORE_FIELD_BYTE_OFFSET, type: local, accessor: "0:1" },
    { kind: Kind.BPF_CORE_TYPE_SIZE, type: local, accessor: "0" },
  ]);
  const values = (fixups: readonly CoreFixup[]) => fixups.map((result) => result.targetValue);
  assertEquals(values(relocate(ofObject, [TWICE])), [0, 1, 4, 16]);
  assertEquals(values(relocate([...ofObject].reverse(), [TWICE])), [16, 4, 1, 0]);
});

Deno.test("relocate() keeps the candidates of each local type apart", () => {
  const settled = struct("s", 16, [member("c", U32, 0)]);
  const open = struct("s___mine", 16, [member("b", U32, 0)]);
  const list = relocations([
    { kind: Kind.BPF_CORE_FIELD_EXISTS, type: settled, accessor: "0:0" },
    { kind: Kind.BPF_CORE_FIELD_BYTE_OFFSET, type: open, accessor: "0:0" },
  ]);
  assertThrows(
    () => relocate(list, [TWICE]),
    RelocationError,
    'relocation 1 (field_byte_offset of struct s___mine, accessor "0:0"): field_byte_offset of struct s___mine.b',
  );
});

Deno.test("relocate() gives the same results twice, and against two kernels in turn", () => {
  const other = target([struct("task", 8, [member("pid", U32, 32)])]);
  const list = relocations(FIELD_KINDS.map((kind) => ({ kind, type: LOCAL, accessor: "0:0" })));
  const run = (kernel: CoreTarget) => relocate(list, [kernel]).map((result) => result.targetValue);
  assertEquals([run(KERNEL), run(other), run(KERNEL)], [[8, 4, 1, 0, 32, 32], [4, 4, 1, 0, 32, 32], [
    8,
    4,
    1,
    0,
    32,
    32,
  ]]);
});

Deno.test("relocate() works in big-endian BTF, and refuses mixed byte orders in one sentence", () => {
  const local = struct("s", 4, [member("a", U32, 0, 3)]);
  const big = target([struct("s", 8, [member("a", U32, 35, 7)])], "vmlinux", "big");
  const list = (order: "little" | "big") =>
    relocations([{ kind: Kind.BPF_CORE_FIELD_LSHIFT_U64, type: local, accessor: "0:0" }], order);
  assertEquals(relocate(list("big"), [big])[0]!.targetValue, 35);
  assertThrows(
    () => relocate(list("little"), [big]),
    RelocationError,
    'the object is little-endian and "vmlinux" is big-endian',
  );
});

Deno.test("relocate() says when the size of an access changes, and whether it may", () => {
  const width = (from: BtfType, to: BtfType) => {
    const local = struct("s", 16, [member("f", from, 0)]);
    const kernel = target([struct("s", 32, [member("f", to, 64)])]);
    const change = fixup(Kind.BPF_CORE_FIELD_BYTE_OFFSET, local, "0:0", [kernel]).width;
    return change === undefined ? undefined : [change.local, change.target, change.safe];
  };
  assertEquals(width(U32, U32), undefined);
  assertEquals(width(U32, S32), undefined);
  assertEquals(width(U32, U64), [4, 8, true]);
  assertEquals(width(U64, U8), [8, 1, true]);
  assertEquals(width(S32, S64), [4, 8, false]);
  assertEquals(width(U32, S64), [4, 8, false]);
  assertEquals(width(float("float", 4), float("double", 8)), [4, 8, false]);
  assertEquals(width(enumeration("e", {}), enumeration64("e", {})), [4, 8, false]);
  assertEquals(width(array(U16, 4), array(U32, 4)), [2, 4, false]);
  assertEquals(width(array(U16, 4), array(U16, 9)), undefined);
  // libbpf compares the whole encoding with "signed".
  assertEquals(width(int("char", 1, { signed: true, char: true }), U16), [1, 2, true]);
});

Deno.test("relocate() takes pointers of another size for pointers that change their size", () => {
  const local = struct("s", 8, [member("p", ptr(U32), 0), member("q", ptr(U32), 64)]);
  const kernel = target([struct("s", 8, [member("p", ptr(VOID), 0), member("q", array(ptr(VOID), 2), 64)])]);
  assertEquals(fixup(Kind.BPF_CORE_FIELD_BYTE_OFFSET, local, "0:0", [kernel]).width, undefined);
  assertEquals(answer(Kind.BPF_CORE_FIELD_BYTE_OFFSET, local, "0:1", [kernel]), "poison");
});

Deno.test("relocate() marks a field that became a bitfield, or was one", () => {
  const plain = struct("s", 4, [member("f", U32, 0)]);
  const bits = struct("s", 4, [member("f", U32, 32, 9)]);
  assertEquals(fixup(Kind.BPF_CORE_FIELD_BYTE_OFFSET, plain, "0:0", [target([bits])]).width, {
    local: 4,
    target: 0,
    safe: false,
  });
  const back = fixup(Kind.BPF_CORE_FIELD_BYTE_OFFSET, bits, "0:0", [target([plain])]);
  assertEquals([back.width, back.checked], [{ local: 0, target: 4, safe: false }, false]);
});

Deno.test("relocate() rejects broken relocations with a sentence that names them", () => {
  const reject = (kind: Kind, type: BtfType, accessor: string, text: string) =>
    assertThrows(() => fixup(kind, type, accessor, [KERNEL]), RelocationError, text);
  reject(Kind.BPF_CORE_FIELD_EXISTS, LOCAL, "0:9", 'accessor "0:9"): struct task: the accessor asks for member 9');
  reject(Kind.BPF_CORE_FIELD_EXISTS, LOCAL, "nonsense", 'accessor "nonsense"');
  reject(Kind.BPF_CORE_TYPE_EXISTS, LOCAL, "0:0", 'accessor "0:0" of type_exists should be "0"');
  reject(Kind.BPF_CORE_ENUMVAL_VALUE, LOCAL, "0", "struct task is not an enum");
  reject(Kind.BPF_CORE_ENUMVAL_VALUE, enumeration("e", { A: 1 }), "1", "enum e, which has 1");
  reject(Kind.BPF_CORE_ENUMVAL_VALUE, enumeration("e", { A: 1 }), "0:0", "enum e");
  reject(13 as Kind, LOCAL, "0", "kind 13 is unknown");
  reject(Kind.BPF_CORE_TYPE_EXISTS, struct("", 4, []), "0", "anonymous");
  reject(Kind.BPF_CORE_TYPE_SIZE, fwd("task"), "0", "struct task has no size");
  const nested = struct("task", 4, [member("pid", array(U32, 2), 0)]);
  reject(Kind.BPF_CORE_FIELD_SIGNED, nested, "0:0:1", "array element");
});
