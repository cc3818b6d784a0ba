/**
 * How an instruction that CO-RE could not relocate is marked, and recognised: needs nothing of how it was relocated.
 *
 * @module
 */
import { type Instruction, MetadataKey, OPCODE } from "../../asm/mod.ts";
import type { CoreFixup } from "../fixup.ts";

/**
 * The immediate of the call that replaces a poisoned instruction, 0xbad2310 ("bad relo"): no helper has this number, and
 * libbpf's users know it from the verifier's `invalid func unknown#195896080`.
 */
export const BAD_RELOCATION = 195896080;

/** The fixup that was applied to an instruction. */
export const CORE_FIXUP: MetadataKey<CoreFixup> = new MetadataKey("CO-RE fixup");

/**
 * The fixup that poisoned an instruction; `undefined` for any other. It need not be a poisoned one: the offset of a field
 * has an answer, but a load of it is poisoned if its size may not change.
 */
export function poisonedBy(insn: Instruction): CoreFixup | undefined {
  return insn.opcode === OPCODE.CALL && insn.imm === BAD_RELOCATION ? insn.get(CORE_FIXUP) : undefined;
}
