/**
 * What a `VerifierError` says: program, instruction, C line, complaint; and for an instruction that CO-RE poisoned, why.
 *
 * @module
 */
import { type Instruction, SOURCE, type SourceLine } from "../../lib/asm/mod.ts";
import { poisonedBy } from "../../lib/core/poison/mod.ts";
import { MISSING_MAP, missingKfunc } from "../../lib/linker/markers/mod.ts";
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

/**
 * libbpf's markers of instructions that cannot be meant to run, calls of helpers that do not exist: a CO-RE relocation
 * failed (0xbad2310), a map is not created (2001000000 and its number), a weak kernel function is missing (2002000000 and its).
 */
const POISON_CALL = /unknown#(195896080|200[12]\d{6})/;

/** Why an instruction was poisoned, if it was. */
function whyPoisoned(insn: Instruction): string | undefined {
  const map = insn.get(MISSING_MAP);
  if (map !== undefined) return `the program reaches a reference to map "${map}", which was not created`;
  const kfunc = missingKfunc(insn);
  if (kfunc !== undefined) {
    return `the program reaches a call of "${kfunc.name}", a function that this kernel does not have: ask ` +
      `bpf_ksym_exists(${kfunc.name}) before`;
  }
  return poisonedBy(insn)?.explanation.text;
}

/** Where the verifier stopped and why that instruction was poisoned, if it was. */
function poisonReason(insns: readonly Instruction[], complaint: VerifierComplaint): string | undefined {
  if (!POISON_CALL.test(complaint.reason)) return undefined;
  let slot = 0;
  let line: SourceLine | undefined;
  for (const insn of insns) {
    line = insn.get(SOURCE) ?? line;
    const reason = slot === complaint.insnIndex ? whyPoisoned(insn) : undefined;
    if (reason !== undefined) {
      const place = line === undefined ? `instruction ${slot}` : `instruction ${slot}, ${line.file}:${line.line}`;
      return `${place}:\n  ${reason.replaceAll("\n", "\n  ")}`;
    }
    slot += insn.slots;
  }
  return undefined;
}
