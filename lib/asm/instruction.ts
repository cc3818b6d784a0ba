/**
 * One eBPF instruction: the fields of `struct bpf_insn` (linux/bpf.h) and its metadata. A 64-bit immediate load takes
 * two slots of the instruction stream and is one instruction here.
 *
 * @module
 */
import { Metadata, type MetadataKey } from "./metadata.ts";

/** `BPF_LD | BPF_IMM | BPF_DW`: the only instruction of two slots. */
const LD_IMM64 = 0x18;

/** The fields of an instruction; those left out are 0. */
export interface InstructionFields {
  /** Class, operation and source bit, or class, size and mode: the `code` byte. */
  opcode: number;
  /** Destination register, 0 to 10. */
  dst?: number;
  /** Source register, 0 to 10, or the pseudo kind of a call or 64-bit load (`BPF_PSEUDO_*`). */
  src?: number;
  /** Signed 16-bit offset: bytes for memory, slots for jumps. */
  offset?: number;
  /** Signed 32-bit immediate; the low half of a 64-bit one. */
  imm?: number;
  /** Signed 32-bit high half of a 64-bit immediate (the second slot's `imm`); 0 in all other instructions. */
  immHigh?: number;
}

/** An immutable instruction. Changing one makes a new one that shares whatever did not change. */
export class Instruction {
  /** The `code` byte. */
  readonly opcode: number;
  /** Destination register. */
  readonly dst: number;
  /** Source register or pseudo kind. */
  readonly src: number;
  /** Signed 16-bit offset. */
  readonly offset: number;
  /** Signed 32-bit immediate, or the low half of a 64-bit one. */
  readonly imm: number;
  /** High half of a 64-bit immediate. */
  readonly immHigh: number;
  /** What else is known about this instruction. */
  readonly metadata: Metadata;

  /** Positional for the decoder's sake; {@linkcode Instruction.of} takes names. */
  constructor(
    opcode: number,
    dst: number,
    src: number,
    offset: number,
    imm: number,
    immHigh: number = 0,
    metadata: Metadata = Metadata.EMPTY,
  ) {
    this.opcode = opcode;
    this.dst = dst;
    this.src = src;
    this.offset = offset;
    this.imm = imm;
    this.immHigh = immHigh;
    this.metadata = metadata;
  }

  /** An instruction of the named fields, without metadata. */
  static of(fields: InstructionFields): Instruction {
    return new Instruction(
      fields.opcode,
      fields.dst ?? 0,
      fields.src ?? 0,
      fields.offset ?? 0,
      fields.imm ?? 0,
      fields.immHigh ?? 0,
    );
  }

  /** Number of 8-byte slots: 2 for a 64-bit immediate load, else 1. Jumps and ext_infos count in slots. */
  get slots(): 1 | 2 {
    return this.opcode === LD_IMM64 ? 2 : 1;
  }

  /** The immediate as one value: exact 64 bits (unsigned) for a 64-bit load, else the signed 32-bit immediate. */
  get constant(): bigint | number {
    return this.opcode === LD_IMM64 ? BigInt(this.immHigh >>> 0) << 32n | BigInt(this.imm >>> 0) : this.imm;
  }

  /** The metadata value of `key`, or `undefined`. */
  get<T>(key: MetadataKey<T>): T | undefined {
    return this.metadata.get(key);
  }

  /** This instruction with the metadata `key` set to `value` (`undefined` removes it). */
  with<T>(key: MetadataKey<T>, value: T | undefined): Instruction {
    return this.withMetadata(this.metadata.with(key, value));
  }

  /** This instruction with other metadata and the same fields. */
  withMetadata(metadata: Metadata): Instruction {
    if (metadata === this.metadata) return this;
    return new Instruction(this.opcode, this.dst, this.src, this.offset, this.imm, this.immHigh, metadata);
  }

  /** This instruction with other fields and the same metadata. */
  edit(fields: Partial<InstructionFields>): Instruction {
    return new Instruction(
      fields.opcode ?? this.opcode,
      fields.dst ?? this.dst,
      fields.src ?? this.src,
      fields.offset ?? this.offset,
      fields.imm ?? this.imm,
      fields.immHigh ?? this.immHigh,
      this.metadata,
    );
  }
}

/** Number of 8-byte slots that `insns` take. */
export function slotCount(insns: readonly Instruction[]): number {
  let slots = 0;
  for (const insn of insns) slots += insn.slots;
  return slots;
}
