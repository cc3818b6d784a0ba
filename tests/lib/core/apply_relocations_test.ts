import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { encode, Instruction, LABEL, Label, slotCount, SOURCE } from "../../../lib/asm/mod.ts";
import { CORE_RELOCATION, type CoreRelocation } from "../../../lib/btf/mod.ts";
import { RelocationError } from "../../../lib/errors.ts";
import { BpfCoreReloKind as Kind } from "../../../lib/uapi/mod.ts";
import { applyAllRelocations, applyRelocations, CORE_FIXUP, poisonedBy } from "../../../lib/core/mod.ts";
import { member, relocations, S32, struct, target, U32, U64 } from "./types.ts";

const LOCAL = struct("s", 16, [member("a", U32, 0), member("gone", U64, 64), member("b", S32, 32)]);
const KERNEL = target([struct("s", 32, [member("a", U32, 128), member("b", U64, 64)])]);

const LOAD_A = Instruction.of({ opcode: 0x61, dst: 1, src: 2 });
const LOAD_B = Instruction.of({ opcode: 0x61, dst: 1, src: 2, offset: 4 });
const WIDE_GONE = Instruction.of({ opcode: 0x18, dst: 3, imm: 8 });
const EXIT = Instruction.of({ opcode: 0x95 });
const RETURN_1 = Instruction.of({ opcode: 0xb7, imm: 1 });

const [OF_A, OF_GONE, BROKEN, OF_B] = relocations([
  { kind: Kind.BPF_CORE_FIELD_BYTE_OFFSET, type: LOCAL, accessor: "0:0" },
  { kind: Kind.BPF_CORE_FIELD_BYTE_OFFSET, type: LOCAL, accessor: "0:1" },
  { kind: Kind.BPF_CORE_FIELD_BYTE_OFFSET, type: LOCAL, accessor: "0:9" },
  { kind: Kind.BPF_CORE_FIELD_BYTE_OFFSET, type: LOCAL, accessor: "0:2" },
]) as [CoreRelocation, CoreRelocation, CoreRelocation, CoreRelocation];

Deno.test("applyRelocations() patches what carries a relocation, keeps the rest and all slots", () => {
  const label = new Label("f");
  const program = [
    LOAD_A.with(CORE_RELOCATION, OF_A).with(LABEL, label),
    WIDE_GONE.with(CORE_RELOCATION, OF_GONE),
    EXIT,
  ];
  const bytes = encode(program, "little");
  const result = applyRelocations(program, [KERNEL]);
  assertEquals(result.map((insn) => [insn.opcode, insn.offset, insn.imm]), [
    [0x61, 16, 0],
    [0x85, 0, 195896080],
    [0x85, 0, 195896080],
    [0x95, 0, 0],
  ]);
  assertEquals(slotCount(result), slotCount(program));
  assertStrictEquals(result[0]!.get(LABEL), label);
  assertStrictEquals(result[0]!.get(CORE_RELOCATION), OF_A);
  assertEquals(result[0]!.get(CORE_FIXUP)?.targetValue, 16);
  assertStrictEquals(result[3], EXIT);
  assertEquals(encode(program, "little"), bytes);
});

Deno.test("applyRelocations() poisons several 64-bit loads in one program", () => {
  const wide = WIDE_GONE.with(CORE_RELOCATION, OF_GONE);
  const result = applyRelocations([wide, RETURN_1, wide, wide, EXIT], [KERNEL]);
  assertEquals(result.map((insn) => insn.opcode), [0x85, 0x85, 0xb7, 0x85, 0x85, 0x85, 0x85, 0x95]);
});

Deno.test("poisonedBy() gives the fixup of what was poisoned, for its target or for its width", () => {
  const program = [
    LOAD_A.with(CORE_RELOCATION, OF_A),
    WIDE_GONE.with(CORE_RELOCATION, OF_GONE),
    LOAD_B.with(CORE_RELOCATION, OF_B),
  ];
  const result = applyRelocations(program, [KERNEL]);
  assertEquals(result.map((insn) => poisonedBy(insn)?.poison), [undefined, true, undefined, false]);
});

Deno.test("applyRelocations() without relocations needs no target", () => {
  const program = [RETURN_1, EXIT];
  assertEquals(applyRelocations(program, []), program);
});

Deno.test("applyRelocations() names function, slot, line and relocation of what fails", () => {
  const line = { file: "s.bpf.c", line: 31, column: 4, text: "return s->x;" };
  const program = [
    RETURN_1.with(LABEL, new Label("first")),
    EXIT,
    WIDE_GONE.with(LABEL, new Label("second")),
    RETURN_1.with(SOURCE, line),
    LOAD_A.with(CORE_RELOCATION, BROKEN),
    EXIT,
  ];
  const error = assertThrows(() => applyRelocations(program, [KERNEL]), RelocationError);
  const relocation = 'relocation 2 (field_byte_offset of struct s, accessor "0:9"):\n  struct s: ';
  assert(error.message.startsWith(`function "second", instruction 3, s.bpf.c:31, ${relocation}`), error.message);
  const bare = assertThrows(
    () => applyRelocations([EXIT, LOAD_A.with(CORE_RELOCATION, BROKEN)], [KERNEL]),
    RelocationError,
  );
  assert(bare.message.startsWith(`instruction 1, ${relocation}`), bare.message);
});

Deno.test("applyRelocations() names what is wrong with an instruction", () => {
  const wrong = LOAD_A.edit({ offset: 2 }).with(CORE_RELOCATION, OF_A);
  const error = assertThrows(() => applyRelocations([wrong], [KERNEL]), RelocationError);
  assert(error.message.includes("field_byte_offset of struct s.a is 0 by the object's BTF"), error.message);
});

Deno.test("applyAllRelocations() narrows candidates across functions, in the object's order", () => {
  const local = struct("t", 8, [member("only", U32, 0), member("b", U32, 32)]);
  const kernel = target([
    struct("t", 16, [member("b", U32, 64), member("only", U32, 0)]),
    struct("t___2", 16, [member("b", U32, 96)]),
  ]);
  const [settles, follows] = relocations([
    { kind: Kind.BPF_CORE_FIELD_BYTE_OFFSET, type: local, accessor: "0:0" },
    { kind: Kind.BPF_CORE_FIELD_BYTE_OFFSET, type: local, accessor: "0:1" },
  ]) as [CoreRelocation, CoreRelocation];
  const one = [LOAD_A.with(CORE_RELOCATION, settles)];
  const two = [LOAD_A.edit({ offset: 4 }).with(CORE_RELOCATION, follows)];
  const offsets = (streams: Instruction[][]) => streams.map((insns) => insns[0]!.offset);
  assertEquals(offsets(applyAllRelocations([one, two], [kernel])), [0, 8]);
  assertEquals(offsets(applyAllRelocations([two, one], [kernel])), [8, 0]);
  assertThrows(() => applyRelocations(two, [kernel]), RelocationError, "ambiguous");
});
