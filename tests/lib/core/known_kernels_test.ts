/**
 * The object core_known.bpf.c against the made-up kernels of testdata/targets, whose layouts are known: what clang really
 * emits, for both byte orders.
 */
import { assertEquals, assertThrows } from "@std/assert";
import { format, type Instruction } from "../../../lib/asm/mod.ts";
import { Btf } from "../../../lib/btf/mod.ts";
import { applyAllRelocations, CORE_FIXUP, type CoreTarget, poisonedBy } from "../../../lib/core/mod.ts";
import { RelocationError } from "../../../lib/errors.ts";
import { type CollectionSpec, readCollectionSpec } from "../../../lib/spec/mod.ts";
import { testdata } from "../../support/mod.ts";

const COMPILERS = ["clang14", "clang19"];

function objectOf(compiler: string, suffix: "" | ".eb"): CollectionSpec {
  return readCollectionSpec(testdata(`${compiler}/core_known${suffix}.bpf.o`));
}

function kernel(name: string, suffix: "" | ".eb"): CoreTarget {
  return { btf: Btf.parse(testdata(`targets/${name}${suffix}.btf`)), name };
}

/** The programs `known` and `access`, relocated. */
function relocated(spec: CollectionSpec, target: CoreTarget): { known: Instruction[]; access: Instruction[] } {
  const programs = ["known", "access"].map((name) => spec.programs.get(name)!.instructions);
  const [known, access] = applyAllRelocations(programs, [target]);
  return { known: known!, access: access! };
}

/** What was asked, and the immediate that the instruction got. */
function answers(insns: readonly Instruction[]): Record<string, string> {
  const rows = insns.flatMap((insn): [string, string][] => {
    const fixup = insn.get(CORE_FIXUP);
    if (fixup === undefined) return [];
    const value = insn.slots === 2 ? BigInt.asIntN(64, BigInt(insn.constant)) : insn.constant;
    const { kind, subject } = fixup.explanation;
    return [[`${kind} ${subject}`, poisonedBy(insn) ? "poison" : String(value)]];
  });
  return Object.fromEntries(rows);
}

/** The answers of known_old and known_new; the left shifts are those of little-endian kernels, then of big-endian ones. */
const ANSWERS: [string, [bigint | number, bigint | number | "poison"], [number, number]?][] = [
  ["field_byte_offset struct widget.id", [0, 160]],
  ["field_byte_offset struct widget.name[3]", [7, 3]],
  ["field_byte_size struct widget.flags", [4, 1]],
  ["field_lshift_u64 struct widget.flags", [60, 61], [33, 56]],
  ["field_rshift_u64 struct widget.flags", [61, 61]],
  ["field_signed struct widget.mode", [1, 1]],
  ["field_lshift_u64 struct widget.mode", [55, 56], [36, 59]],
  ["field_byte_offset struct widget.small", [16, 40]],
  ["field_byte_offset struct widget.parts[1].weight", [36, 96]],
  ["field_exists struct widget.parts[1]", [1, 1]],
  ["field_exists struct widget.parts[3]", [0, 1]],
  ["field_byte_offset struct widget.tail[5]", [77, 173]],
  ["field_exists struct widget.color", [0, 1]],
  ["enumval_value enum grade: LARGE", [5n, 0x1122334455667788n]],
  ["enumval_value enum grade: NEGATIVE", [-7n, -8n]],
  ["type_size struct widget", [72, 168]],
  ["field_byte_offset (struct widget)[2].id", [144, 496]],
  ["field_exists struct widget.matrix[1][2]", [1, 1]],
  ["field_byte_offset struct widget.matrix[1][2]", [66, 62]],
  ["field_exists struct widget.ratio", [1, 1]],
  ["field_exists struct widget.owner", [1, 0]],
  ["field_byte_offset struct widget.owner", [40, "poison"]],
  ["field_byte_size struct widget.mode", [4, 1]],
  ["field_exists struct widget.gone", [1, 0]],
  ["type_exists level_t", [1, 1]],
  ["enumval_exists enum grade: LARGE", [1, 1]],
];

/** What `access` does with fields, registers left out. */
const ACCESSES: Record<string, string[]> = {
  known_old: [
    "*(u32 *)(r +0) = r",
    "*(u64 *)(r +16) = r",
    "r = *(u16 *)(r +36)",
    "r = *(u32 *)(r +16)",
    "r = *(u8 *)(r +6)",
    "r = 56",
  ],
  known_new: [
    "*(u8 *)(r +40) = r",
    "call unknown#195896080",
    "r = *(u16 *)(r +96)",
    "r = *(u64 *)(r +40)",
    "r = *(u8 *)(r +2)",
    "r = 48",
  ],
};

for (const compiler of COMPILERS) {
  for (const suffix of ["", ".eb"] as const) {
    Deno.test(`applyAllRelocations() of ${compiler}'s core_known${suffix} against two known kernels in turn`, () => {
      const spec = objectOf(compiler, suffix);
      for (const [column, name] of [[0, "known_old"], [1, "known_new"], [0, "known_old"]] as const) {
        const expected = ANSWERS.map(([question, little, big]) => {
          const value = (suffix === ".eb" && big ? big : little)[column];
          return [question, String(value)] as const;
        });
        const found = answers(relocated(spec, kernel(name, suffix)).known);
        assertEquals(found, Object.fromEntries(expected));
      }
    });

    Deno.test(`applyAllRelocations() changes offsets and widths of ${compiler}'s core_known${suffix}`, () => {
      const spec = objectOf(compiler, suffix);
      for (const [name, expected] of Object.entries(ACCESSES)) {
        const patched = relocated(spec, kernel(name, suffix)).access.filter((insn) => insn.get(CORE_FIXUP));
        const texts = patched.map((insn) => format(insn).replace(/^\(..\) /, "").replace(/\br\d+/g, "r"));
        assertEquals(texts.sort(), expected);
      }
    });
  }
}

Deno.test("applyAllRelocations() refuses a kernel of the other byte order, in one sentence", () => {
  const error = assertThrows(() => relocated(objectOf("clang19", ".eb"), kernel("known_old", "")), RelocationError);
  assertEquals(
    error.message.split("\n")[1],
    '  the object is big-endian and "known_old" is little-endian: give BTF of a kernel with the object\'s byte order',
  );
});
