import { assert, assertEquals, assertThrows } from "@std/assert";
import { Btf, type BtfType, CORE_RELOCATION, type CoreRelocation } from "../../../lib/btf/mod.ts";
import { type CoreTarget, minimalBtf, relocate } from "../../../lib/core/mod.ts";
import { RelocationError } from "../../../lib/errors.ts";
import { readCollectionSpec } from "../../../lib/spec/mod.ts";
import { BpfCoreReloKind as Kind, BtfKind } from "../../../lib/uapi/mod.ts";
import { testdata } from "../../support/mod.ts";
import {
  array,
  constant,
  enumeration,
  member,
  proto,
  ptr,
  relocations,
  S32,
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

type Question = [Kind, BtfType, string];

function questions(list: readonly Question[]): CoreRelocation[] {
  return relocations(list.map(([kind, type, accessor]) => ({ kind, type, accessor })));
}

function minimal(list: readonly Question[], kernel: CoreTarget): Btf {
  return Btf.parse(minimalBtf([questions(list)], [kernel]));
}

/** Kind and name of each type, and the names of its members or values. */
function contents(btf: Btf): unknown[] {
  return [...btf.types()].map((type) => {
    if ("members" in type) return [type.kind, type.name, type.members.map(({ name }) => name)];
    return "values" in type ? [type.kind, type.name, type.values.map(({ name }) => name)] : [type.kind, type.name];
  });
}

const INNER = struct("", 8, [member("deep", U32, 0), member("unused", U32, 32)]);
const KERNEL = target([
  typedef("size_alias", constant(U32)),
  struct("task", 64, [
    member("unused", U64, 0),
    member("", union("", 8, [member("", INNER, 0), member("other", U64, 0)]), 64),
    member("parts", array(struct("part", 8, [member("a", U16, 0), member("b", typedef("t", U32), 32)]), 4), 128),
    member("next", ptr(struct("task", 64, [])), 384),
    member("bits", S32, 448, 5),
  ]),
  enumeration("color", { RED: 1, GREEN: 2, BLUE: 3 }),
  enumeration("mood", { GOOD: 1 }),
]);

Deno.test("minimalBtf() keeps the members on the way, their types, and nothing else", () => {
  const local = struct("task", 8, [member("deep", U32, 0)]);
  const btf = minimal([[Kind.BPF_CORE_FIELD_BYTE_OFFSET, local, "0:0"]], KERNEL);
  assertEquals(contents(btf), [
    [BtfKind.Struct, "task", [""]],
    [BtfKind.Union, "", [""]],
    [BtfKind.Struct, "", ["deep"]],
    [BtfKind.Int, "unsigned int"],
  ]);
  const [task] = btf.types();
  assert(task?.kind === BtfKind.Struct);
  assertEquals([task.size, task.members[0]!.offsetBits], [64, 64]);
});

Deno.test("minimalBtf() goes through arrays, drops typedefs, cuts pointers, keeps bitfields", () => {
  const part = struct("part", 8, [member("b", U32, 0)]);
  const local = struct("task", 64, [
    member("parts", array(part, 2), 0),
    member("next", ptr(VOID), 128),
    member("bits", S32, 192, 3),
  ]);
  const btf = minimal([
    [Kind.BPF_CORE_FIELD_BYTE_OFFSET, local, "0:0:1:0"],
    [Kind.BPF_CORE_FIELD_EXISTS, local, "0:1"],
    [Kind.BPF_CORE_FIELD_LSHIFT_U64, local, "0:2"],
  ], KERNEL);
  assertEquals(contents(btf), [
    [BtfKind.Struct, "task", ["parts", "next", "bits"]],
    [BtfKind.Array, ""],
    [BtfKind.Ptr, ""],
    [BtfKind.Int, "int"],
    [BtfKind.Struct, "part", ["b"]],
    [BtfKind.Int, "unsigned int"],
  ]);
  const [task, , pointer] = btf.types();
  assert(task?.kind === BtfKind.Struct && pointer?.kind === BtfKind.Ptr);
  assertEquals(task.members[2]!.bitfieldBits, 5);
  assertEquals(pointer.target.kind, BtfKind.Unknown);
});

Deno.test("minimalBtf() keeps the values of enums that are asked for", () => {
  const color = enumeration("color", { GREEN: 9, PINK: 8 });
  const btf = minimal([[Kind.BPF_CORE_ENUMVAL_VALUE, color, "0"], [Kind.BPF_CORE_ENUMVAL_EXISTS, color, "1"]], KERNEL);
  assertEquals(contents(btf), [[BtfKind.Enum, "color", ["GREEN"]]]);
});

Deno.test("minimalBtf() is empty where nothing that is asked for is there", () => {
  const local = struct("missing", 8, [member("a", U32, 0)]);
  assertEquals(contents(minimal([[Kind.BPF_CORE_FIELD_EXISTS, local, "0:0"]], KERNEL)), []);
  assertEquals(contents(minimal([[Kind.BPF_CORE_TYPE_ID_LOCAL, local, "0"]], KERNEL)), []);
  assertEquals(contents(Btf.parse(minimalBtf([], [KERNEL]))), []);
});

Deno.test("minimalBtf() keeps what makes a type differ, if it is kept for another's sake", () => {
  const kernel = target([typedef("handler", ptr(proto(S32, U32)))]);
  const same = typedef("handler", ptr(VOID));
  const differs = typedef("handler", ptr(proto(VOID)));
  const list: Question[] = [[Kind.BPF_CORE_TYPE_EXISTS, same, "0"], [Kind.BPF_CORE_TYPE_EXISTS, differs, "0"]];
  const answers = (against: CoreTarget) => relocate(questions(list), [against]).map((fixup) => fixup.targetValue);
  const sized: Question[] = [...list, [Kind.BPF_CORE_TYPE_SIZE, typedef("handler", ptr(proto(S32, U32))), "0"]];
  const btf = Btf.parse(minimalBtf([questions(sized)], [kernel]));
  assertEquals(answers(kernel), [0, 0]);
  assertEquals(answers({ btf, name: "minimal" }), [0, 0]);
});

Deno.test("minimalBtf() keeps whole types for type_matches", () => {
  const local = struct("task", 64, [member("bits", S32, 0)]);
  const kernel = target([
    struct("task", 64, [member("bits", S32, 448), member("next", ptr(struct("peer", 4, [])), 0)]),
  ]);
  const btf = minimal([[Kind.BPF_CORE_TYPE_MATCHES, local, "0"]], kernel);
  assertEquals(contents(btf).slice(0, 1), [[BtfKind.Struct, "task", ["bits", "next"]]]);
});

Deno.test("minimalBtf() keeps all candidates, so that what is ambiguous stays so, and what was settled is settled", () => {
  const local = struct("s", 8, [member("only", U32, 0), member("b", U32, 32)]);
  const kernel = target([
    struct("s", 16, [member("b", U32, 64), member("x", U8, 0)]),
    struct("s___2", 16, [member("b", U32, 96), member("only", U32, 0)]),
  ]);
  const settled: Question[] = [[Kind.BPF_CORE_FIELD_EXISTS, local, "0:0"], [
    Kind.BPF_CORE_FIELD_BYTE_OFFSET,
    local,
    "0:1",
  ]];
  assertEquals(contents(minimal(settled, kernel))[0], [BtfKind.Struct, "s___2", ["b", "only"]]);
  const open = questions(settled.slice(1));
  const btf = Btf.parse(minimalBtf([open], [kernel]));
  assertThrows(() => relocate(open, [{ btf, name: "minimal" }]), RelocationError, "is ambiguous");
});

Deno.test("minimalBtf() keeps the size of a pointer where it is not 8", () => {
  const long = { ...U32, name: "long unsigned int" };
  const kernel = target([long, struct("s", 8, [member("p", ptr(VOID), 32)])]);
  const btf = minimal([[Kind.BPF_CORE_FIELD_BYTE_SIZE, struct("s", 8, [member("p", ptr(VOID), 0)]), "0:0"]], kernel);
  assertEquals(btf.pointerSize, 4);
});

Deno.test("minimalBtf() needs a kernel of the objects' byte order", () => {
  assertThrows(() => minimalBtf([], []), RelocationError, "needs the BTF of a kernel");
  const big = target([struct("s", 4, [])], "big", "big");
  const list = questions([[Kind.BPF_CORE_TYPE_EXISTS, struct("s", 4, []), "0"]]);
  assertThrows(() => minimalBtf([list], [big]), RelocationError, "big-endian");
});

for (const suffix of ["", ".eb"]) {
  Deno.test(`minimalBtf() of known kernels: testdata relocates against it as against all${suffix}`, () => {
    for (const name of ["core_known", "core_missing", "core_fields", "core_ambiguous"]) {
      if (suffix !== "" && name === "core_ambiguous") continue;
      const spec = readCollectionSpec(testdata(`clang19/${name}${suffix}.bpf.o`), { name });
      const list = [...spec.programs.values()].flatMap(({ instructions }) =>
        instructions.flatMap((insn) => insn.get(CORE_RELOCATION) ?? [])
      );
      for (const kernel of ["known_old", "known_new"]) {
        const whole = testdata(`targets/${kernel}${suffix}.btf`);
        const [before, after] = [whole, minimalBtf([list], [{ btf: Btf.parse(whole), name: kernel }])].map((bytes) =>
          relocate(list, [{ btf: Btf.parse(bytes), name: kernel }]).map((fixup) => [
            fixup.poison,
            fixup.kind === Kind.BPF_CORE_TYPE_ID_TARGET ? fixup.chosen?.type.name : fixup.targetValue,
            fixup.width,
          ])
        );
        assertEquals(before, after);
      }
    }
  });
}
