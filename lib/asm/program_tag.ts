/**
 * The tag of a program: 8 bytes that say whether two programs have the same instructions.
 *
 * Facts: `bpf_prog_calc_tag()` of the kernel: the first 8 bytes of the hash of all instructions, in the machine's byte order,
 * with the immediates of map loads zeroed, since fds differ from load to load. The hash is SHA-256 since Linux 6.18, SHA-1
 * before. Calls of functions count with their distance, those of kfuncs with their BTF id.
 *
 * @module
 */
import type { ByteOrder } from "../bytes.ts";
import { encode } from "./encode.ts";
import type { Instruction } from "./instruction.ts";
import { BPF_PSEUDO } from "./opcode.ts";
import { isLoadImm64 } from "./predicates.ts";

/** The hash that tags are made of: `SHA-256` since Linux 6.18, `SHA-1` before. */
export type TagHash = "SHA-256" | "SHA-1";

/**
 * The tag that the kernel gives to a program of these instructions: what `prog show` of bpftool prints.
 *
 * @param insns What is handed to `BPF_PROG_LOAD`: linked and relocated; whether fds of maps are in it does not matter.
 * @param order Byte order of the machine.
 * @param hash Which hash the kernel uses.
 * @returns 8 bytes.
 */
export async function programTag(
  insns: readonly Instruction[],
  order: ByteOrder,
  hash: TagHash = "SHA-256",
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = encode(insns.map(withoutMap), order);
  return new Uint8Array(await crypto.subtle.digest(hash, bytes)).slice(0, 8);
}

/** Loads by fd and by value only: the verifier has not yet resolved indices in `fd_array` when the tag is made. */
function withoutMap(insn: Instruction): Instruction {
  if (!isLoadImm64(insn) || (insn.src !== BPF_PSEUDO.MAP_FD && insn.src !== BPF_PSEUDO.MAP_VALUE)) return insn;
  return insn.edit({ imm: 0, immHigh: 0 });
}
