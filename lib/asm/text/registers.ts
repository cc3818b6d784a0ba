/**
 * Registers in assembly.
 *
 * @module
 */
import { BPF_REG_10 } from "../opcode.ts";
import type { Line } from "./tokens.ts";

/** A register, or the low half of one. */
export interface Register {
  /** 0 to 10. */
  readonly number: number;
  /** All 64 bits (`r1`), or the low 32 (`w1`). */
  readonly wide: boolean;
}

/** Takes a register; `what` is what errors say is expected here. */
export function parseRegister(line: Line, what: string): Register {
  const match = line.next.kind === "name" ? /^([rw])(\d+)$/.exec(line.next.text) : null;
  if (match === null) throw line.expected(what);
  const number = Number(match[2]);
  if (number > BPF_REG_10) throw line.error(`register ${line.next.text} does not exist`);
  line.take();
  return { number, wide: match[1] === "r" };
}

/** Takes a whole register; gives its number. */
export function register64(line: Line): number {
  const { next } = line;
  const { number, wide } = parseRegister(line, "a register");
  if (!wide) throw line.error(`expected the whole register r${number}, not "${next.text}"`, next);
  return number;
}
