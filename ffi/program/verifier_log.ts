/**
 * What a person needs of a verifier log: the complaint, the instruction and the C line that it is about.
 *
 * The verifier (kernel/bpf/verifier.c) writes states, `index: (opcode) text` for instructions, `; text @ file:line` for source
 * lines, then the complaint, then `processed N insns ...`. Which of the lines is the complaint is told by elimination.
 *
 * @module
 */

/** The useful part of a verifier log. */
export interface VerifierComplaint {
  /** The complaint: the last lines that are neither states nor statistics. */
  readonly reason: string;
  /** Slot index of the instruction it is about, as the log counts. */
  readonly insnIndex: number | undefined;
  /** Text of that instruction. */
  readonly instruction: string | undefined;
  /** The C line, as the log has it: `len = x[i]; @ a.bpf.c:12`. */
  readonly source: string | undefined;
}

const INSTRUCTION = /^(\d+): \([0-9a-f]{2}\) (.*)$/;
const SOURCE_LINE = /^; (.*)$/;
/** Statistics at the end, and the states and back-tracking notes between instructions. */
const NOISE =
  /^(processed \d+ insns|verification time|stack depth|max_states|total_states|\d+: (R\d|\(|safe)|from \d+ to|mark_precise|regs=|last_idx|parent |propagating|func#\d+ @|Validating|Live regs|fp-|R\d+=|caller:|callee:|returning from callee|to caller at|frame\d|arg#\d+ reference type|$)/;

/** Finds the complaint in a verifier log; `undefined` in a log without one. */
export function findComplaint(log: string): VerifierComplaint | undefined {
  const lines = log.replace(/\0+$/, "").trimEnd().split("\n");
  let end = lines.length;
  while (
    end > 0 &&
    /^(processed \d+ insns|verification time|stack depth|max_states|total_states|insns processed|$)/.test(
      lines[end - 1] ?? "",
    )
  ) end--;
  let start = end;
  while (start > 0 && end - start < 4 && isComplaint(lines[start - 1] ?? "")) start--;
  if (start === end) return undefined;
  return { reason: lines.slice(start, end).join("\n"), ...contextBefore(lines, start) };
}

function isComplaint(line: string): boolean {
  return !NOISE.test(line) && !INSTRUCTION.test(line) && !SOURCE_LINE.test(line);
}

function contextBefore(lines: readonly string[], from: number): Omit<VerifierComplaint, "reason"> {
  let insnIndex: number | undefined;
  let instruction: string | undefined;
  let source: string | undefined;
  for (let at = from - 1; at >= 0 && source === undefined; at--) {
    const line = lines[at] ?? "";
    const insn = INSTRUCTION.exec(line);
    if (insn !== null && insnIndex === undefined) {
      insnIndex = Number(insn[1]);
      instruction = (insn[2] ?? "").split(/\s+;/)[0];
    }
    source = SOURCE_LINE.exec(line)?.[1];
  }
  return { insnIndex, instruction, source };
}
