/**
 * Builders of 64-bit loads: numbers, maps, functions, kernel variables. They take two slots.
 *
 * @module
 */
import { Instruction } from "../instruction.ts";
import { Label, MAP, REFERENCE } from "../keys.ts";
import { BPF_PSEUDO, OPCODE } from "../opcode.ts";
import { imm32, type Target, unsigned, type WritableRegister } from "./operands.ts";

function load64(dst: WritableRegister, src: number, imm: number, immHigh = 0): Instruction {
  return Instruction.of({ opcode: OPCODE.LD_IMM64, dst: dst.number, src, imm, immHigh });
}

/** `dst = value`, 64 bits with a sign or without. @throws {RangeError} if it does not fit. */
export function loadImm64(dst: WritableRegister, value: bigint): Instruction {
  if (value < -(1n << 63n) || value >= 1n << 64n) throw new RangeError(`loadImm64: ${value} does not fit 64 bits`);
  return load64(dst, 0, Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)));
}

/** A map of the collection by its name, or of this process by its fd, or of the load command by its index in `fd_array`. */
export type MapReference = string | { readonly fd: number } | { readonly index: number };

/** `dst = map`: what helpers take. @throws {RangeError} if an fd or index is negative or too large. */
export function loadMap(dst: WritableRegister, map: MapReference): Instruction {
  if (typeof map === "string") return load64(dst, BPF_PSEUDO.MAP_FD, 0).with(MAP, map);
  return "fd" in map
    ? load64(dst, BPF_PSEUDO.MAP_FD, unsigned(map.fd, 31, "fd of loadMap"))
    : load64(dst, BPF_PSEUDO.MAP_IDX, unsigned(map.index, 31, "index of loadMap"));
}

/**
 * `dst = map[0] + offset`: the address of a place in the only value of an array (Linux 5.2).
 *
 * @throws {RangeError} if an fd, an index or `offset` is negative or too large.
 */
export function loadMapValue(dst: WritableRegister, map: MapReference, offset: number = 0): Instruction {
  const high = unsigned(offset, 31, "offset of loadMapValue");
  if (typeof map === "string") return load64(dst, BPF_PSEUDO.MAP_VALUE, 0, high).with(MAP, map);
  return "fd" in map
    ? load64(dst, BPF_PSEUDO.MAP_VALUE, unsigned(map.fd, 31, "fd of loadMapValue"), high)
    : load64(dst, BPF_PSEUDO.MAP_IDX_VALUE, unsigned(map.index, 31, "index of loadMapValue"), high);
}

/**
 * `dst = function`: the address of a function of the program, a callback (Linux 5.13).
 *
 * @param target Its label, or its distance in slots from the next one.
 * @throws {RangeError} if a distance does not fit.
 */
export function loadFunction(dst: WritableRegister, target: Target): Instruction {
  if (target instanceof Label) return load64(dst, BPF_PSEUDO.FUNC, 0).with(REFERENCE, target);
  return load64(dst, BPF_PSEUDO.FUNC, imm32(target, "distance of loadFunction"));
}

/**
 * `dst = &variable`: the address of a kernel variable (Linux 5.10).
 *
 * @param btfId Its id in the BTF of the kernel or of a module.
 * @param moduleFd Of a module's: the fd of its BTF; 0 for the kernel's own.
 * @throws {RangeError} if one is negative or too large.
 */
export function loadKernelVariable(dst: WritableRegister, btfId: number, moduleFd: number = 0): Instruction {
  return load64(
    dst,
    BPF_PSEUDO.BTF_ID,
    unsigned(btfId, 31, "BTF id of loadKernelVariable"),
    unsigned(moduleFd, 31, "fd of loadKernelVariable"),
  );
}
