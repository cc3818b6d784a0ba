/**
 * What a `VerifierError` says: program, instruction, C line, complaint; and for an instruction that CO-RE poisoned, why.
 *
 * @module
 */
import { type Instruction, SOURCE, type SourceLine } from "../../lib/asm/mod.ts";
import { poisonedBy } from "../../lib/core/poison/mod.ts";
import type { BpfProgType } from "../../lib/uapi/mod.ts";
import type { SyscallError } from "../sys/mod.ts";
import { findComplaint, type VerifierComplaint } from "./verifier_log.ts";

/** What is needed of a program to word its failure. */
export interface RefusedProgram {
  /** Its name. */
  readonly name: string;
  /** Its type. */
  readonly type: BpfProgType;
  /** Its instructions, as loaded. */
  readonly insns: readonly Instruction[];
}

/** The message of a `VerifierError`; more than one line, the first with program and complaint. */
export function verifierMessage(program: RefusedProgram, log: string, error: SyscallError): string {
  const place = `program "${program.name}"`;
  const complaint = findComplaint(log);
  if (complaint === undefined) return `${place}: the verifier refused it (${error.code}) and did not say why`;
  const { insnIndex, instruction, source, suggestion } = complaint;
  const poisoned = poisonReason(program.insns, complaint);
  if (poisoned !== undefined) return `${place}, ${poisoned}`;
  const lines = [`${place}: the verifier refused it: ${complaint.reason.trim()}`];
  if (instruction !== undefined) lines.push(`  at instruction ${insnIndex}: ${instruction}`);
  if (source !== undefined) lines.push(`  in the line: ${source}`);
  if (suggestion !== undefined) lines.push(`  the kernel suggests: ${suggestion}`);
  return lines.join("\n");
}

/** libbpf's marker of an instruction whose CO-RE relocation failed: a call of helper 0xbad2310. */
const POISON_CALL = /unknown#195896080/;

/** Where the verifier stopped and what CO-RE said of that instruction, if it was poisoned. */
function poisonReason(insns: readonly Instruction[], complaint: VerifierComplaint): string | undefined {
  if (!POISON_CALL.test(complaint.reason)) return undefined;
  let slot = 0;
  let line: SourceLine | undefined;
  for (const insn of insns) {
    line = insn.get(SOURCE) ?? line;
    const fixup = slot === complaint.insnIndex ? poisonedBy(insn) : undefined;
    if (fixup !== undefined) {
      const place = line === undefined ? `instruction ${slot}` : `instruction ${slot}, ${line.file}:${line.line}`;
      return `${place}:\n  ${fixup.explanation.text.replaceAll("\n", "\n  ")}`;
    }
    slot += insn.slots;
  }
  return undefined;
}
