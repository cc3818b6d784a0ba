/** struct_ops in objects: what clang emits, and what no compiler does. */
import { assertEquals, assertThrows } from "@std/assert";
import { STT } from "../../../lib/elf/mod.ts";
import { FormatError, LinkError } from "../../../lib/errors.ts";
import { type CollectionSpec, readCollectionSpec } from "../../../lib/spec/mod.ts";
import { BpfMapFlag, BpfMapType } from "../../../lib/uapi/mod.ts";
import { inRepository } from "../../support/mod.ts";
import { Instruction, OPCODE } from "../../../lib/asm/mod.ts";
import { array, member, proto, ptr, S32, struct, U32 } from "../core/types.ts";
import { btfBytes, CHAR, datasec, variable } from "./btf_object.ts";
import { buildObject, code, func } from "./object_builder.ts";

function testdata(compiler: string): CollectionSpec {
  return readCollectionSpec(Deno.readFileSync(inRepository(`testdata/${compiler}/struct_ops.bpf.o`)));
}

for (const compiler of ["clang14", "clang19"]) {
  Deno.test(`readCollectionSpec(): ${compiler}/struct_ops: maps come last, with the sizes of the object's struct`, () => {
    const { maps } = testdata(compiler);
    const [data, ...others] = maps.values();
    assertEquals(data?.structOps, undefined);
    assertEquals(
      others.map(({ name, type, keySize, valueSize, maxEntries, flags, autocreate, section }) => ({
        name,
        type,
        keySize,
        valueSize,
        maxEntries,
        flags,
        autocreate,
        section,
      })),
      [
        { name: "debpf_reno", flags: 0, autocreate: undefined, section: ".struct_ops" },
        { name: "linked", flags: BpfMapFlag.BPF_F_LINK, autocreate: undefined, section: ".struct_ops.link" },
        { name: "other", flags: BpfMapFlag.BPF_F_LINK, autocreate: false, section: ".struct_ops.link" },
      ].map((map) => ({
        type: BpfMapType.BPF_MAP_TYPE_STRUCT_OPS,
        keySize: 4,
        valueSize: 88,
        maxEntries: 1,
        ...map,
      })),
    );
  });

  Deno.test(`readCollectionSpec(): ${compiler}/struct_ops: the value is a plain object of programs and data`, () => {
    const { structOps } = testdata(compiler).maps.get("debpf_reno")!;
    assertEquals(structOps?.type.name, "tcp_congestion_ops___debpf");
    assertEquals(structOps?.value, {
      cong_avoid: "cong_avoid",
      ssthresh: "ssthresh",
      undo_cwnd: "undo_cwnd",
      init: "init_reno",
      release: "release",
      not_in_the_kernel: null,
      flags: 1,
      not_that_either: 0n,
      name: "debpf_reno",
      owner: null,
    });
    assertEquals(structOps?.programs.toSorted(), ["cong_avoid", "init_reno", "release", "ssthresh", "undo_cwnd"]);
  });
}

const OPS = struct("ops", 24, [
  member("run", ptr(proto(S32, ptr(S32))), 0),
  member("data", ptr(S32), 64),
  member("name", array(CHAR, 8), 128),
]);
const EXIT = Instruction.of({ opcode: OPCODE.EXIT });

/** One variable of type `type` in `.struct_ops`, and relocations of it. */
function object(
  type: typeof OPS,
  relocations: readonly { offset: number; symbol: string }[],
  size = 24,
  types = [datasec(".struct_ops", { type: variable("mine", type), size })],
): Uint8Array {
  return buildObject(
    [
      code("struct_ops/run", [EXIT]),
      code("xdp", [EXIT]),
      code(".text", [EXIT]),
      { name: ".struct_ops", bytes: new Uint8Array(size) },
      { name: ".BTF", bytes: btfBytes(types), flags: 0 },
    ],
    [
      { name: "mine", type: STT.OBJECT, section: ".struct_ops", value: 0, size },
      func("run", "struct_ops/run", 0, 1),
      func("packet", "xdp", 0, 1),
      func("helper", ".text", 0, 1),
    ],
    relocations.map((relocation) => ({ section: ".struct_ops", type: 2, ...relocation })),
  );
}

Deno.test("readCollectionSpec() reads a struct_ops made by hand", () => {
  const { structOps } = readCollectionSpec(object(OPS, [{ offset: 0, symbol: "run" }])).maps.get("mine")!;
  assertEquals(structOps?.value, { run: "run", data: null, name: "" });
});

Deno.test("readCollectionSpec() rejects struct_ops that refer to what is no struct_ops program", () => {
  const read = (relocation: { offset: number; symbol: string }) => () => readCollectionSpec(object(OPS, [relocation]));
  const place = 'struct_ops "mine": ';
  assertThrows(
    read({ offset: 0, symbol: "packet" }),
    LinkError,
    `${place}member "run" refers to "packet", which is a program of section "xdp"`,
  );
  assertThrows(
    read({ offset: 0, symbol: "helper" }),
    LinkError,
    `${place}member "run" refers to "helper", which is not a program of this object`,
  );
  assertThrows(
    read({ offset: 8, symbol: "run" }),
    LinkError,
    `${place}member "data" is initialized with "run", but is no pointer to a function`,
  );
  assertThrows(
    read({ offset: 4, symbol: "run" }),
    LinkError,
    `${place}offset 4 is initialized with "run", but is no pointer to a function`,
  );
});

Deno.test("readCollectionSpec() rejects struct_ops that no struct with a name describes", () => {
  assertThrows(
    () => readCollectionSpec(object({ ...OPS, name: "" }, [])),
    LinkError,
    'struct_ops "mine" is no variable of a struct with a name',
  );
  assertThrows(
    () => readCollectionSpec(object({ ...OPS, size: 32 }, [])),
    FormatError,
    'struct_ops "mine": its struct of 32 bytes at offset 0 lies outside',
  );
  const other = [datasec(".other", { type: variable("mine", U32), size: 4 })];
  assertThrows(
    () => readCollectionSpec(object(OPS, [], 24, other)),
    FormatError,
    "holds struct_ops, but no BTF describes them",
  );
});

Deno.test("readCollectionSpec() rejects a relocation outside of every struct_ops variable", () => {
  const types = [datasec(".struct_ops", { type: variable("mine", OPS), size: 24 })];
  assertThrows(
    () => readCollectionSpec(object(OPS, [{ offset: 32, symbol: "run" }], 40, types)),
    LinkError,
    'relocation at offset 32 (symbol "run") is inside of no struct_ops variable',
  );
});
