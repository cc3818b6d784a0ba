/**
 * How instructions are marked that refer to what a kernel lacks, and recognised in a verifier's complaint: needs nothing of
 * how they came about.
 *
 * @module
 */
import { type Instruction, MetadataKey, OPCODE } from "../../asm/mod.ts";
import { EXTERN } from "../../spec/keys/mod.ts";
import type { ExternSpec } from "../../spec/mod.ts";

/**
 * Added to the number of a weak kernel function that is missing, and called all the same: no helper has such a number, so
 * the verifier complains if the call is reached; libbpf's users know the number from its message.
 */
export const MISSING_KFUNC = 2002000000;

/**
 * Added to the number of a map that is not created: no helper has such a number, so the verifier complains if the place is
 * reached; libbpf's users know the number from its message.
 */
export const UNCREATED_MAP = 2001000000;

/** The map (by its name in the collection) that an instruction would refer to if it were created. */
export const MISSING_MAP: MetadataKey<string> = new MetadataKey("missing map");

/** The kernel function that `insn` would call if the kernel had it; `undefined` for other instructions. */
export function missingKfunc(insn: Instruction): ExternSpec | undefined {
  const isMarker = insn.opcode === OPCODE.CALL && insn.src === 0 && insn.imm >= MISSING_KFUNC;
  return isMarker ? insn.get(EXTERN) : undefined;
}
