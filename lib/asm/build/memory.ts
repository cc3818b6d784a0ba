/**
 * Builders of loads, stores and atomic operations.
 *
 * @module
 */
import { Instruction } from "../instruction.ts";
import { BPF_ATOMIC_OP, BPF_CLASS, BPF_MODE } from "../opcode.ts";
import {
  type AnyRegister,
  imm32,
  type Operand,
  type Place,
  Register,
  type SignedSize,
  type Size,
  SIZE_BITS,
  type WritableRegister,
} from "./operands.ts";

/** `dst = *(SIZE *)(from)`; a signed size extends the sign to 64 bits (v4, Linux 6.6). */
export function load(size: Size | SignedSize, dst: WritableRegister, from: Place): Instruction {
  const mode = size.startsWith("s") ? BPF_MODE.MEMSX : BPF_MODE.MEM;
  return Instruction.of({
    opcode: BPF_CLASS.LDX | mode | SIZE_BITS[size],
    dst: dst.number,
    src: from.base.number,
    offset: from.offset,
  });
}

/** `*(SIZE *)(to) = value`. @throws {RangeError} if a number does not fit 32 bits. */
export function store(size: Size, to: Place, value: Operand): Instruction {
  const fields = { dst: to.base.number, offset: to.offset };
  const opcode = BPF_MODE.MEM | SIZE_BITS[size];
  return value instanceof Register
    ? Instruction.of({ ...fields, opcode: BPF_CLASS.STX | opcode, src: value.number })
    : Instruction.of({ ...fields, opcode: BPF_CLASS.ST | opcode, imm: imm32(value, "store") });
}

/** `r0 = *(SIZE *)skb[offset]`: from the packet, in the machine's order; R6 holds the context. @throws {RangeError} */
export function loadPacket(size: "u8" | "u16" | "u32", offset: number): Instruction {
  return Instruction.of({ opcode: BPF_CLASS.LD | BPF_MODE.ABS | SIZE_BITS[size], imm: imm32(offset, "loadPacket") });
}

/** `r0 = *(SIZE *)skb[base + offset]`: as {@linkcode loadPacket}, from a place that is computed. @throws {RangeError} */
export function loadPacketAt(size: "u8" | "u16" | "u32", base: AnyRegister, offset: number): Instruction {
  return Instruction.of({
    opcode: BPF_CLASS.LD | BPF_MODE.IND | SIZE_BITS[size],
    src: base.number,
    imm: imm32(offset, "loadPacketAt"),
  });
}

/** Width of an atomic operation. */
export type AtomicSize = "u32" | "u64";

/** Builds an atomic operation of a register on a place in memory. */
export type AtomicBuilder = (size: AtomicSize, place: Place, operand: AnyRegister) => Instruction;

/** Builds an atomic operation that writes the old value to a register. */
export type FetchBuilder = (size: AtomicSize, place: Place, operand: WritableRegister) => Instruction;

function atomic(imm: number): AtomicBuilder {
  return (size, place, operand) =>
    Instruction.of({
      opcode: BPF_CLASS.STX | BPF_MODE.ATOMIC | SIZE_BITS[size],
      dst: place.base.number,
      src: operand.number,
      offset: place.offset,
      imm,
    });
}

/** `lock *place += operand`. */
export const atomicAdd: AtomicBuilder = atomic(BPF_ATOMIC_OP.ADD);
/** `lock *place |= operand` (Linux 5.12). */
export const atomicOr: AtomicBuilder = atomic(BPF_ATOMIC_OP.OR);
/** `lock *place &= operand` (Linux 5.12). */
export const atomicAnd: AtomicBuilder = atomic(BPF_ATOMIC_OP.AND);
/** `lock *place ^= operand` (Linux 5.12). */
export const atomicXor: AtomicBuilder = atomic(BPF_ATOMIC_OP.XOR);
/** `operand = atomic_fetch_add(place, operand)` (Linux 5.12). */
export const atomicFetchAdd: FetchBuilder = atomic(BPF_ATOMIC_OP.ADD | BPF_ATOMIC_OP.FETCH);
/** `operand = atomic_fetch_or(place, operand)` (Linux 5.12). */
export const atomicFetchOr: FetchBuilder = atomic(BPF_ATOMIC_OP.OR | BPF_ATOMIC_OP.FETCH);
/** `operand = atomic_fetch_and(place, operand)` (Linux 5.12). */
export const atomicFetchAnd: FetchBuilder = atomic(BPF_ATOMIC_OP.AND | BPF_ATOMIC_OP.FETCH);
/** `operand = atomic_fetch_xor(place, operand)` (Linux 5.12). */
export const atomicFetchXor: FetchBuilder = atomic(BPF_ATOMIC_OP.XOR | BPF_ATOMIC_OP.FETCH);
/** `operand = atomic_xchg(place, operand)` (Linux 5.12). */
export const atomicXchg: FetchBuilder = atomic(BPF_ATOMIC_OP.XCHG);
/** `r0 = atomic_cmpxchg(place, r0, operand)`: written if R0 is what is there (Linux 5.12). */
export const atomicCmpxchg: AtomicBuilder = atomic(BPF_ATOMIC_OP.CMPXCHG);

/** `dst = load_acquire((SIZE *)(from))` (Linux 6.15). */
export function loadAcquire(size: Size, dst: WritableRegister, from: Place): Instruction {
  return Instruction.of({
    opcode: BPF_CLASS.STX | BPF_MODE.ATOMIC | SIZE_BITS[size],
    dst: dst.number,
    src: from.base.number,
    offset: from.offset,
    imm: BPF_ATOMIC_OP.LOAD_ACQ,
  });
}

/** `store_release((SIZE *)(to), value)` (Linux 6.15). */
export function storeRelease(size: Size, to: Place, value: AnyRegister): Instruction {
  return Instruction.of({
    opcode: BPF_CLASS.STX | BPF_MODE.ATOMIC | SIZE_BITS[size],
    dst: to.base.number,
    src: value.number,
    offset: to.offset,
    imm: BPF_ATOMIC_OP.STORE_REL,
  });
}
