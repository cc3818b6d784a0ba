import { assertEquals, assertThrows } from "@std/assert";
import * as asm from "../../../../lib/asm/build/mod.ts";
import { assemble } from "../../../../lib/asm/text/mod.ts";
import { type Instruction, Label, MAP, REFERENCE } from "../../../../lib/asm/mod.ts";
import { whyInvalid } from "../../../../lib/asm/validate.ts";
import { BpfFuncId } from "../../../../lib/uapi/mod.ts";

const { at, R0, R1, R2, R3, R6, R9, R10 } = asm;

/** An instruction of each form, and its text. */
const FORMS: readonly (readonly [Instruction, string])[] = [
  [asm.mov64(R1, 5), "r1 = 5"],
  [asm.mov64(R1, -5), "r1 = -5"],
  [asm.mov64(R9, R10), "r9 = r10"],
  [asm.mov32(R1, 5), "w1 = 5"],
  [asm.mov32(R1, R2), "w1 = w2"],
  [asm.add64(R1, 5), "r1 += 5"],
  [asm.add64(R1, R2), "r1 += r2"],
  [asm.add32(R1, 5), "w1 += 5"],
  [asm.sub64(R1, 5), "r1 -= 5"],
  [asm.sub32(R1, R2), "w1 -= w2"],
  [asm.mul64(R1, 5), "r1 *= 5"],
  [asm.mul32(R1, R2), "w1 *= w2"],
  [asm.div64(R1, 5), "r1 /= 5"],
  [asm.div32(R1, R2), "w1 /= w2"],
  [asm.sdiv64(R1, 5), "r1 s/= 5"],
  [asm.sdiv32(R1, R2), "w1 s/= w2"],
  [asm.mod64(R1, 5), "r1 %= 5"],
  [asm.mod32(R1, R2), "w1 %= w2"],
  [asm.smod64(R1, 5), "r1 s%= 5"],
  [asm.smod32(R1, R2), "w1 s%= w2"],
  [asm.or64(R1, 5), "r1 |= 5"],
  [asm.or32(R1, R2), "w1 |= w2"],
  [asm.and64(R1, 5), "r1 &= 5"],
  [asm.and32(R1, R2), "w1 &= w2"],
  [asm.xor64(R1, 5), "r1 ^= 5"],
  [asm.xor32(R1, R2), "w1 ^= w2"],
  [asm.lsh64(R1, 5), "r1 <<= 5"],
  [asm.lsh32(R1, R2), "w1 <<= w2"],
  [asm.rsh64(R1, 5), "r1 >>= 5"],
  [asm.rsh32(R1, R2), "w1 >>= w2"],
  [asm.arsh64(R1, 5), "r1 s>>= 5"],
  [asm.arsh32(R1, R2), "w1 s>>= w2"],
  [asm.neg64(R1), "r1 = -r1"],
  [asm.neg32(R1), "w1 = -w1"],
  [asm.movsx64(R1, R2, 8), "r1 = (s8)r2"],
  [asm.movsx64(R1, R2, 32), "r1 = (s32)r2"],
  [asm.movsx32(R1, R2, 16), "w1 = (s16)w2"],
  [asm.toLittleEndian(R1, 16), "r1 = le16 r1"],
  [asm.toBigEndian(R1, 32), "r1 = be32 r1"],
  [asm.bswap(R1, 64), "r1 = bswap64 r1"],
  [asm.addrSpaceCast(R1, R2, 0, 1), "r1 = addr_space_cast(r2, 0, 1)"],
  [asm.jeq64(R1, 0, 3), "if r1 == 0x0 goto pc+3"],
  [asm.jeq32(R1, R2, -3), "if w1 == w2 goto pc-3"],
  [asm.jne64(R10, R2, 3), "if r10 != r2 goto pc+3"],
  [asm.jne32(R1, -1, 3), "if w1 != 0xffffffff goto pc+3"],
  [asm.jgt64(R1, 0, 3), "if r1 > 0x0 goto pc+3"],
  [asm.jgt32(R1, 0, 3), "if w1 > 0x0 goto pc+3"],
  [asm.jge64(R1, 0, 3), "if r1 >= 0x0 goto pc+3"],
  [asm.jge32(R1, 0, 3), "if w1 >= 0x0 goto pc+3"],
  [asm.jlt64(R1, 0, 3), "if r1 < 0x0 goto pc+3"],
  [asm.jlt32(R1, 0, 3), "if w1 < 0x0 goto pc+3"],
  [asm.jle64(R1, 0, 3), "if r1 <= 0x0 goto pc+3"],
  [asm.jle32(R1, 0, 3), "if w1 <= 0x0 goto pc+3"],
  [asm.jsgt64(R1, 0, 3), "if r1 s> 0x0 goto pc+3"],
  [asm.jsgt32(R1, 0, 3), "if w1 s> 0x0 goto pc+3"],
  [asm.jsge64(R1, 0, 3), "if r1 s>= 0x0 goto pc+3"],
  [asm.jsge32(R1, 0, 3), "if w1 s>= 0x0 goto pc+3"],
  [asm.jslt64(R1, 0, 3), "if r1 s< 0x0 goto pc+3"],
  [asm.jslt32(R1, 0, 3), "if w1 s< 0x0 goto pc+3"],
  [asm.jsle64(R1, 0, 3), "if r1 s<= 0x0 goto pc+3"],
  [asm.jsle32(R1, 0, 3), "if w1 s<= 0x0 goto pc+3"],
  [asm.jset64(R1, 1, 3), "if r1 & 0x1 goto pc+3"],
  [asm.jset32(R1, R2, 3), "if w1 & w2 goto pc+3"],
  [asm.goto(-1), "goto pc-1"],
  [asm.gotol(70_000), "gotol pc+70000"],
  [asm.gotox(R1), "gotox r1"],
  [asm.mayGoto(2), "may_goto pc+2"],
  [asm.callHelper(BpfFuncId.BPF_FUNC_map_lookup_elem), "call bpf_map_lookup_elem#1"],
  [asm.callFunction(7), "call pc+7"],
  [asm.callKfunc(5000), "call kernel-function#5000"],
  [asm.callKfunc(5000, 2), "call kernel-function#5000 fd_array[2]"],
  [asm.callx(R1), "callx r1"],
  [asm.exit(), "exit"],
  [asm.load("u8", R1, at(R2)), "r1 = *(u8 *)(r2 +0)"],
  [asm.load("u16", R1, at(R2, 4)), "r1 = *(u16 *)(r2 +4)"],
  [asm.load("u32", R1, at(R2, -4)), "r1 = *(u32 *)(r2 -4)"],
  [asm.load("u64", R1, at(R10, -8)), "r1 = *(u64 *)(r10 -8)"],
  [asm.load("s8", R1, at(R2)), "r1 = *(s8 *)(r2 +0)"],
  [asm.load("s16", R1, at(R2)), "r1 = *(s16 *)(r2 +0)"],
  [asm.load("s32", R1, at(R2)), "r1 = *(s32 *)(r2 +0)"],
  [asm.store("u64", at(R10, -8), R1), "*(u64 *)(r10 -8) = r1"],
  [asm.store("u8", at(R1), 255), "*(u8 *)(r1 +0) = 255"],
  [asm.loadPacket("u16", 12), "r0 = *(u16 *)skb[12]"],
  [asm.loadPacketAt("u8", R3, -1), "r0 = *(u8 *)skb[r3 + -1]"],
  [asm.atomicAdd("u64", at(R1), R2), "lock *(u64 *)(r1 +0) += r2"],
  [asm.atomicOr("u32", at(R1), R2), "lock *(u32 *)(r1 +0) |= r2"],
  [asm.atomicAnd("u32", at(R1), R2), "lock *(u32 *)(r1 +0) &= r2"],
  [asm.atomicXor("u32", at(R1), R2), "lock *(u32 *)(r1 +0) ^= r2"],
  [asm.atomicFetchAdd("u64", at(R1), R2), "r2 = atomic64_fetch_add((u64 *)(r1 +0), r2)"],
  [asm.atomicFetchOr("u32", at(R1), R2), "r2 = atomic_fetch_or((u32 *)(r1 +0), r2)"],
  [asm.atomicFetchAnd("u32", at(R1), R2), "r2 = atomic_fetch_and((u32 *)(r1 +0), r2)"],
  [asm.atomicFetchXor("u32", at(R1), R2), "r2 = atomic_fetch_xor((u32 *)(r1 +0), r2)"],
  [asm.atomicXchg("u64", at(R1), R2), "r2 = atomic64_xchg((u64 *)(r1 +0), r2)"],
  [asm.atomicCmpxchg("u64", at(R1), R2), "r0 = atomic64_cmpxchg((u64 *)(r1 +0), r0, r2)"],
  [asm.loadAcquire("u8", R1, at(R2)), "r1 = load_acquire((u8 *)(r2 +0))"],
  [asm.storeRelease("u64", at(R1, 8), R2), "store_release((u64 *)(r1 +8), r2)"],
  [asm.loadImm64(R1, 0x1122334455667788n), "r1 = 0x1122334455667788"],
  [asm.loadImm64(R1, -1n), "r1 = 0xffffffffffffffff"],
  [asm.loadMap(R1, "events"), "r1 = map[events]"],
  [asm.loadMap(R1, { fd: 3 }), "r1 = map[fd:3]"],
  [asm.loadMap(R1, { index: 3 }), "r1 = map[idx:3]"],
  [asm.loadMapValue(R1, "a.bss", 8), "r1 = map[a.bss][0]+8"],
  [asm.loadMapValue(R1, { fd: 3 }), "r1 = map[fd:3][0]+0"],
  [asm.loadMapValue(R1, { index: 3 }, 4), "r1 = map[idx:3][0]+4"],
  [asm.loadFunction(R1, 5), "r1 = subprog[+5]"],
  [asm.loadKernelVariable(R1, 77), "r1 = btf_id[77]"],
  [asm.loadKernelVariable(R1, 77, 5), "r1 = btf_id[77 fd:5]"],
];

Deno.test("builders make the instruction that the text of their form says", () => {
  for (const [insn, text] of FORMS) assertEquals([insn], assemble(text), text);
});

Deno.test("builders make every opcode that there is", () => {
  const special = new Set([0x0d, 0x8d, 0xdc]);
  // Of one form: all sizes of a memory access, a register or a number as second operand.
  const form = (opcode: number) => {
    if ((opcode & 0x07) < 4) return opcode & ~0x18;
    return special.has(opcode) ? opcode : opcode & ~0x08;
  };
  const built = new Set(FORMS.map(([{ opcode }]) => form(opcode)));
  const missing: string[] = [];
  for (let opcode = 0; opcode < 256; opcode++) {
    if (whyInvalid(opcode, 0, 0, 0, 0)?.startsWith("unknown opcode")) continue;
    if (!built.has(form(opcode))) missing.push(opcode.toString(16));
  }
  assertEquals(missing, []);
});

Deno.test("builders take labels, which resolveReferences() finds", () => {
  const out = new Label("out");
  const built = [
    asm.goto(out),
    asm.gotol(out),
    asm.mayGoto(out),
    asm.jeq64(R0, 0, out),
    asm.callFunction(out),
    asm.loadFunction(R1, out),
  ];
  assertEquals(built.map((insn) => insn.get(REFERENCE)), built.map(() => out));
  assertEquals(built.map(({ offset, imm }) => offset || imm), [0, 0, 0, 0, -1, 0]);
  assertEquals(asm.loadMap(R6, "events").get(MAP), "events");
});

Deno.test("builders say which field a number does not fit", () => {
  const said = (build: () => unknown) => assertThrows(build, RangeError).message;
  assertEquals(said(() => asm.mov64(R1, 2 ** 31)), "mov64: 2147483648 does not fit imm32: -2147483648 to 2147483647");
  assertEquals(said(() => asm.mov64(R1, 1.5)), "mov64: 1.5 does not fit imm32: -2147483648 to 2147483647");
  assertEquals(said(() => at(R1, 32_768)), "offset from r1: 32768 does not fit off16: -32768 to 32767");
  assertEquals(said(() => asm.goto(-32_769)), "distance of goto: -32769 does not fit off16: -32768 to 32767");
  assertEquals(
    said(() => asm.jeq64(R1, 2 ** 32, 0)),
    "jeq64: 4294967296 does not fit imm32: -2147483648 to 2147483647",
  );
  assertEquals(said(() => asm.jeq64(R1, 0, 40_000)), "distance of jeq64: 40000 does not fit off16: -32768 to 32767");
  assertEquals(
    said(() => asm.addrSpaceCast(R1, R2, 65_536, 0)),
    "addrSpaceCast to: 65536 does not fit 16 bits without a sign: 0 to 65535",
  );
  assertEquals(said(() => asm.loadImm64(R1, 1n << 64n)), "loadImm64: 18446744073709551616 does not fit 64 bits");
  assertEquals(
    said(() => asm.loadMap(R1, { fd: -1 })),
    "fd of loadMap: -1 does not fit 31 bits without a sign: 0 to 2147483647",
  );
});

/** Whether a builder takes these arguments: what it says is checked when the test is compiled. */
type Takes<Builder extends (...args: never[]) => Instruction, Args extends readonly unknown[]> = Args extends
  Parameters<Builder> ? true : false;

Deno.test("what does not exist does not compile", () => {
  type Register = typeof R1;
  type FramePointer = typeof R10;
  const takes: [
    Takes<typeof asm.mov64, [Register, FramePointer]>,
    Takes<typeof asm.mov64, [Register, number]>,
    Takes<typeof asm.mov64, [FramePointer, number]>,
    Takes<typeof asm.mov64, [number, Register]>,
    Takes<typeof asm.mov64, [Register, bigint]>,
    Takes<typeof asm.mov64, [Register, string]>,
    Takes<typeof asm.add32, [FramePointer, number]>,
    Takes<typeof asm.neg64, [FramePointer]>,
    Takes<typeof asm.movsx64, [Register, Register, 32]>,
    Takes<typeof asm.movsx32, [Register, Register, 32]>,
    Takes<typeof asm.movsx64, [Register, Register, 64]>,
    Takes<typeof asm.toBigEndian, [Register, 8]>,
    Takes<typeof asm.load, ["u64", Register, asm.Place]>,
    Takes<typeof asm.load, ["s64", Register, asm.Place]>,
    Takes<typeof asm.load, ["u64", FramePointer, asm.Place]>,
    Takes<typeof asm.load, ["u64", Register, Register]>,
    Takes<typeof asm.store, ["s32", asm.Place, Register]>,
    Takes<typeof asm.atomicAdd, ["u64", asm.Place, Register]>,
    Takes<typeof asm.atomicAdd, ["u16", asm.Place, Register]>,
    Takes<typeof asm.atomicAdd, ["u64", asm.Place, number]>,
    Takes<typeof asm.atomicXchg, ["u64", asm.Place, FramePointer]>,
    Takes<typeof asm.loadAcquire, ["u8", Register, asm.Place]>,
    Takes<typeof asm.loadPacket, ["u64", number]>,
    Takes<typeof asm.jeq64, [FramePointer, Register, Label]>,
    Takes<typeof asm.jeq64, [Register, Register, string]>,
    Takes<typeof asm.goto, [Register]>,
    Takes<typeof asm.callHelper, [typeof BpfFuncId.BPF_FUNC_tail_call]>,
    Takes<typeof asm.callHelper, [string]>,
    Takes<typeof asm.loadImm64, [Register, number]>,
    Takes<typeof asm.loadMap, [FramePointer, string]>,
  ] = [
    true,
    true,
    false,
    false,
    false,
    false,
    false,
    false,
    true,
    false,
    false,
    false,
    true,
    false,
    false,
    false,
    false,
    true,
    false,
    false,
    false,
    true,
    false,
    true,
    false,
    false,
    true,
    false,
    false,
    false,
  ];
  assertEquals(takes.filter((taken) => taken).length, 8);
});
