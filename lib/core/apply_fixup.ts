/**
 * A fixup, applied to its instruction. What can be patched: the immediate of arithmetic, the offset and width of a load or
 * store, a 64-bit immediate.
 *
 * @module
 */
import { BPF_CLASS, BPF_SIZE, BPF_SRC, Instruction, isLoadImm64, type Metadata, OPCODE } from "../asm/mod.ts";
import { RelocationError } from "../errors.ts";
import type { CoreFixup } from "./fixup.ts";
import { BAD_RELOCATION, CORE_FIXUP } from "./poison/mod.ts";
import { relocationKindName } from "./kinds.ts";
import { sameValue } from "./value.ts";

const CLASS_MASK = 0x07;
const SIZE_MASK = 0x18;

/** The highest offset that an instruction holds. */
const MAX_OFFSET = 0x7fff;

/** Size bits of the opcode, by bytes. */
const SIZE_BITS: ReadonlyMap<number, number> = new Map([[1, BPF_SIZE.B], [2, BPF_SIZE.H], [4, BPF_SIZE.W], [
  8,
  BPF_SIZE.DW,
]]);

/**
 * The instructions that take the place of `insn`, in as many slots: one, or two calls for a poisoned 64-bit load. The
 * first has `insn`'s metadata, and the fixup under {@linkcode CORE_FIXUP}.
 *
 * @throws {RelocationError} if such an instruction can't be patched, does not hold the expected value, or has no room for
 * the new one. The message says what is wrong, not where.
 */
export function applyFixup(insn: Instruction, fixup: CoreFixup): Instruction[] {
  const metadata = insn.metadata.with(CORE_FIXUP, fixup);
  if (fixup.poison) return poison(insn, metadata);
  const { opcode, dst, src, offset, imm } = insn;
  switch (opcode & CLASS_MASK) {
    case BPF_CLASS.ALU:
    case BPF_CLASS.ALU64:
      if ((opcode & BPF_SRC.X) !== 0) throw unpatchable(insn, fixup);
      expect(imm, fixup);
      return [new Instruction(opcode, dst, src, offset, low32(fixup.targetValue), 0, metadata)];
    case BPF_CLASS.LDX:
    case BPF_CLASS.ST:
    case BPF_CLASS.STX:
      return patchAccess(insn, metadata, fixup);
    case BPF_CLASS.LD:
      if (!isLoadImm64(insn) || src !== 0 || offset !== 0) throw unpatchable(insn, fixup);
      expect(insn.constant, fixup);
      return [
        new Instruction(opcode, dst, src, offset, low32(fixup.targetValue), high32(fixup.targetValue), metadata),
      ];
    default:
      throw unpatchable(insn, fixup);
  }
}

/**
 * Instructions that the verifier refuses if it can reach them, and drops as dead code if it can't. Both slots of a 64-bit
 * load are replaced: a lone second slot would be reported as an unknown opcode.
 */
function poison(insn: Instruction, metadata: Metadata): Instruction[] {
  const call = new Instruction(OPCODE.CALL, 0, 0, 0, BAD_RELOCATION, 0, metadata);
  return insn.slots === 1 ? [call] : [call, new Instruction(OPCODE.CALL, 0, 0, 0, BAD_RELOCATION)];
}

function patchAccess(insn: Instruction, metadata: Metadata, fixup: CoreFixup): Instruction[] {
  expect(insn.offset, fixup);
  const offset = fixup.targetValue;
  if (offset < 0 || offset > MAX_OFFSET) {
    throw new RelocationError(
      `${subjectOf(fixup)} is ${offset} in the target: an instruction's offset is at most ${MAX_OFFSET}`,
    );
  }
  const { width } = fixup;
  const patched = (opcode: number) => [
    new Instruction(opcode, insn.dst, insn.src, Number(offset), insn.imm, insn.immHigh, metadata),
  ];
  if (width === undefined) return patched(insn.opcode);
  // Reading a wider or narrower signed field would give a wrong value, so it is refused if it is reached.
  if (!width.safe) return poison(insn, metadata);
  if (SIZE_BITS.get(width.local) !== (insn.opcode & SIZE_MASK)) {
    throw new RelocationError(
      `${subjectOf(fixup)} has ${width.local} bytes in the object, but its instruction (opcode ${hex(insn.opcode)}) ` +
        `moves another number: it can't be made to move the target's ${width.target}`,
    );
  }
  const size = SIZE_BITS.get(width.target);
  if (size === undefined) {
    throw new RelocationError(
      `${subjectOf(fixup)} has ${width.target} bytes in the target, which no instruction moves`,
    );
  }
  return patched(insn.opcode & ~SIZE_MASK | size);
}

function expect(value: number | bigint, fixup: CoreFixup): void {
  if (!fixup.checked || sameValue(value, fixup.localValue)) return;
  throw new RelocationError(
    `${subjectOf(fixup)} is ${fixup.localValue} by the object's BTF, but the instruction holds ${value}: ` +
      `the relocation does not belong to it, or the object's BTF and code differ`,
  );
}

function unpatchable(insn: Instruction, fixup: CoreFixup): RelocationError {
  return new RelocationError(
    `${subjectOf(fixup)}: an instruction of opcode ${hex(insn.opcode)} (src ${insn.src}, offset ${insn.offset}) ` +
      `has no place for a relocated value`,
  );
}

function subjectOf(fixup: CoreFixup): string {
  return `${relocationKindName(fixup.kind)} of ${fixup.explanation.subject}`;
}

function hex(opcode: number): string {
  return `0x${opcode.toString(16).padStart(2, "0")}`;
}

function low32(value: number | bigint): number {
  return typeof value === "number" ? value | 0 : Number(BigInt.asIntN(32, value));
}

function high32(value: number | bigint): number {
  if (typeof value === "number" && value >= 0 && value <= 0xffffffff) return 0;
  return Number(BigInt.asIntN(32, BigInt(value) >> 32n));
}
