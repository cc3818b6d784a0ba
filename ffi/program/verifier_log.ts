/**
 * What a person needs of a verifier log: the complaint, the instruction and the C line that it is about.
 *
 * The verifier (kernel/bpf/verifier.c) writes states, `index: (opcode) text` for instructions, `; text @ file:line` for source
 * lines, then the complaint, then `processed N insns ...`. Which of the lines is the complaint is told by elimination.
 * Linux 7.3 writes a report of many paragraphs after the complaint, or between two lines of it.
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
  /** What the kernel's report suggests (7.3). */
  readonly suggestion: string | undefined;
}

const INSTRUCTION = /^(\d+): \([0-9a-f]{2}\) (.*)$/;
const SOURCE_LINE = /^; (.*)$/;
/** A heading in a report: `Causal path:`. */
const HEADING = /^[A-Z][A-Za-z ]*:$/;
/** Statistics at the end, and the states and back-tracking notes between instructions. */
const NOISE =
  /^(processed \d+ insns|verification time|stack depth|max_states|total_states|\d+: (R\d|\(|safe)|from \d+ to|mark_precise|regs=|last_idx|parent |propagating|func#\d+ @|Validating|Live regs|fp-|R\d+=|caller:|callee:|returning from callee|to caller at|frame\d|arg#\d+ reference type|$)/;

/** Finds the complaint in a verifier log; `undefined` in a log without one. */
export function findComplaint(log: string): VerifierComplaint | undefined {
  const { lines, report } = apart(log.replace(/\0+$/, "").trimEnd().split("\n"));
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
  return {
    reason: lines.slice(start, end).join("\n"),
    ...contextBefore(lines, start),
    suggestion: suggestionOf(report),
  };
}

/** The log without the report, and the report: headings at the margin, everything else indented. */
function apart(log: readonly string[]): { lines: readonly string[]; report: readonly string[] } {
  const start = log.findIndex((line) => line.startsWith("Verification failed:"));
  if (start < 0) return { lines: log, report: [] };
  const length = log.slice(start + 1).findIndex((line) => /^\S/.test(line) && !HEADING.test(line));
  const end = length < 0 ? log.length : start + 1 + length;
  const before = log[start - 1] === "" ? start - 1 : start;
  return { lines: [...log.slice(0, before), ...log.slice(end)], report: log.slice(start, end) };
}

function suggestionOf(report: readonly string[]): string | undefined {
  const start = report.indexOf("Suggestion:") + 1;
  if (start === 0) return undefined;
  const length = report.slice(start).findIndex((line) => !line.startsWith("  "));
  return report.slice(start, length < 0 ? undefined : start + length).map((line) => line.trim()).join(" ");
}

function isComplaint(line: string): boolean {
  return !NOISE.test(line) && !INSTRUCTION.test(line) && !SOURCE_LINE.test(line);
}

function contextBefore(
  lines: readonly string[],
  from: number,
): Pick<VerifierComplaint, "insnIndex" | "instruction" | "source"> {
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
