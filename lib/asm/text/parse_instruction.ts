/**
 * One instruction of text: the verifier's words, read back.
 *
 * Facts: the words are those of {@linkcode format}. Beyond them are names of labels and maps, and words for what the
 * verifier leaves out: which kind of 64-bit load it is (`map[fd:3]`, `subprog[name]`, `btf_id[7]`), the `fd_array` index
 * of a module's kernel function, and `.8byte` for what has no words at all.
 *
 * @module
 */
import { Instruction, type InstructionFields } from "../instruction.ts";
import { BPF_ALU_OP, BPF_CLASS, BPF_MODE, BPF_SIZE, BPF_SRC, OPCODE } from "../opcode.ts";
import { ADDR_SPACE_CAST } from "../validate.ts";
import { ALU_TEXT, JUMP_TEXT, SIGNED_SIZE_TEXT, SIZE_TEXT } from "../words.ts";
import { isMemory, parseAtomicResult, parseLock, parseOrdered, parsePlace, sizeNamed } from "./parse_memory.ts";
import { parseCall, parseLoad64, parseRawSlots } from "./parse_reference.ts";
import { distance, imm32, unsigned } from "./numbers.ts";
import { parseRegister, type Register, register64 } from "./registers.ts";
import type { Line, Token } from "./tokens.ts";

/** What a line says. */
export interface Statement {
  /** The instruction; the field of a name that it refers to is 0, or -1 in calls. */
  readonly insn: Instruction;
  /** The label that it refers to by name. */
  readonly reference?: Token | undefined;
  /** Whether it is an instruction that only a kernel makes. */
  readonly kernel?: boolean | undefined;
}

/** An instruction of the named fields. */
function plain(fields: InstructionFields): Statement {
  return { insn: Instruction.of(fields) };
}

/**
 * Takes an instruction.
 *
 * @throws {FormatError} with line and column of what is wrong.
 */
export function parseInstruction(line: Line): Statement {
  const { next } = line;
  if (next.text === "*") return parseStore(line);
  if (next.kind !== "name") throw line.expected("an instruction");
  switch (next.text) {
    case "exit":
      line.take();
      return plain({ opcode: OPCODE.EXIT });
    case "nospec":
      line.take();
      return { insn: Instruction.of({ opcode: BPF_CLASS.ST | BPF_MODE.ATOMIC }), kernel: true };
    case "goto":
      line.take();
      return parseTarget(line, { opcode: OPCODE.JA });
    case "gotol":
      line.take();
      return parseTarget(line, { opcode: OPCODE.JA32 });
    case "gotox":
      line.take();
      return plain({ opcode: OPCODE.JA_X, dst: register64(line) });
    case "may_goto":
      line.take();
      return parseTarget(line, { opcode: OPCODE.JCOND });
    case "goto_or_nop":
      line.take();
      return { ...parseTarget(line, { opcode: OPCODE.JCOND, src: 1 }), kernel: true };
    case "if":
      line.take();
      return parseConditional(line);
    case "call":
      line.take();
      return parseCall(line);
    case "callx":
      line.take();
      return plain({ opcode: OPCODE.CALL_X, dst: register64(line) });
    case "lock":
      line.take();
      return parseLock(line);
    case "store_release":
      line.take();
      return parseOrdered(line, undefined);
    case ".8byte":
      line.take();
      return parseRawSlots(line);
  }
  return parseAssignment(line, parseRegister(line, "an instruction"));
}

/** Takes where a jump goes: `pc+1`, `+1`, or the name of a label. */
function parseTarget(line: Line, fields: InstructionFields): Statement {
  const isSign = (token: Token | undefined) => token?.text === "+" || token?.text === "-";
  if (line.next.text === "pc" && isSign(line.afterNext)) line.take();
  if (!isSign(line.next)) return { insn: Instruction.of(fields), reference: line.name("the target of a jump") };
  if (fields.opcode === OPCODE.JA32) return plain({ ...fields, imm: distance(line, 32) });
  return plain({ ...fields, offset: distance(line, 16) });
}

const COMPARISONS: ReadonlyMap<string, number> = new Map(
  Object.entries(JUMP_TEXT).map(([op, text]) => [text, Number(op)]),
);

function parseConditional(line: Line): Statement {
  const left = parseRegister(line, "a register");
  const op = line.takeSign(COMPARISONS, "a comparison such as ==");
  const opcode = (left.wide ? BPF_CLASS.JMP : BPF_CLASS.JMP32) | op;
  const right = line.next.kind === "name"
    ? { opcode: opcode | BPF_SRC.X, src: sameWidth(line, left) }
    : { opcode, imm: imm32(line) };
  line.expect("goto");
  return parseTarget(line, { ...right, dst: left.number });
}

/** Takes a register of the width of `left`. */
function sameWidth(line: Line, left: Register): number {
  const { next } = line;
  const right = parseRegister(line, "a register or a number");
  if (right.wide !== left.wide) {
    throw line.error(`${next.text} has not the width of ${left.wide ? "r" : "w"}${left.number}`, next);
  }
  return right.number;
}

/** Takes `*(u64 *)(r1 +0) = r2` or `... = 5`. */
function parseStore(line: Line): Statement {
  const { size, register, offset } = parsePlace(line, "*");
  line.expect("=");
  const fields = { dst: register, offset };
  if (line.next.kind === "name") {
    return plain({ ...fields, opcode: BPF_CLASS.STX | BPF_MODE.MEM | size, src: register64(line) });
  }
  return plain({ ...fields, opcode: BPF_CLASS.ST | BPF_MODE.MEM | size, imm: imm32(line) });
}

const ARITHMETIC: ReadonlyMap<string, { op: number; offset: number }> = new Map([
  ...Object.entries(ALU_TEXT).map(([op, text]): [string, { op: number; offset: number }] => [
    text,
    { op: Number(op), offset: 0 },
  ]),
  ["s/=", { op: BPF_ALU_OP.DIV, offset: 1 }],
  ["s%=", { op: BPF_ALU_OP.MOD, offset: 1 }],
]);

function parseAssignment(line: Line, dst: Register): Statement {
  const { op, offset } = line.takeSign(ARITHMETIC, "an operator such as =");
  if (op === BPF_ALU_OP.MOV) return parseMove(line, dst);
  const opcode = aluOpcode(dst, op);
  if (line.next.kind === "name") {
    return plain({ opcode: opcode | BPF_SRC.X, dst: dst.number, src: sameWidth(line, dst), offset });
  }
  return plain({ opcode, dst: dst.number, offset, imm: imm32(line) });
}

function aluOpcode(dst: Register, op: number): number {
  return (dst.wide ? BPF_CLASS.ALU64 : BPF_CLASS.ALU) | op;
}

/** Takes the right side of `=`. */
function parseMove(line: Line, dst: Register): Statement {
  const { next, afterNext } = line;
  if (next.text === "-" && afterNext?.kind === "name") {
    line.take();
    own(line, dst);
    return plain({ opcode: aluOpcode(dst, BPF_ALU_OP.NEG), dst: dst.number });
  }
  if (next.kind === "number" || next.text === "-" || next.text === "+") return parseNumber(line, dst);
  if (next.text === "(") return parseSignExtension(line, dst);
  if (next.kind === "name" && /^[rw]\d+$/.test(next.text)) {
    const src = sameWidth(line, dst);
    return plain({ opcode: aluOpcode(dst, BPF_ALU_OP.MOV) | BPF_SRC.X, dst: dst.number, src });
  }
  if (!dst.wide) throw line.expected("a register or a number");
  if (next.text === "&") return parsePerCpu(line, dst);
  if (next.text === "*") return parseLoad(line, dst);
  if (next.kind === "name") {
    const swap = /^(le|be|bswap)(16|32|64)$/.exec(next.text);
    if (swap !== null) return parseSwap(line, dst, swap[1]!, Number(swap[2]));
    if (next.text === "addr_space_cast") return parseAddrSpaceCast(line, dst);
    if (isMemory(next.text)) {
      return next.text === "load_acquire" ? (line.take(), parseOrdered(line, dst)) : parseAtomicResult(line, dst);
    }
    if (afterNext?.text === "[") return parseLoad64(line, dst);
  }
  throw line.expected("what can be assigned");
}

/**
 * Takes a number: the verifier prints 64-bit loads in hexadecimal and moves in decimal, so that tells them apart, unless an
 * opcode stands in front.
 */
function parseNumber(line: Line, dst: Register): Statement {
  const number = line.next.kind === "number" ? line.next : line.afterNext;
  const long = dst.wide && line.opcode !== OPCODE.MOV64_K &&
    (line.opcode === OPCODE.LD_IMM64 || /^0x/i.test(number?.text ?? ""));
  if (long) return parseLoad64(line, dst);
  return plain({ opcode: aluOpcode(dst, BPF_ALU_OP.MOV), dst: dst.number, imm: imm32(line) });
}

/** Takes `(s8)r1`. */
function parseSignExtension(line: Line, dst: Register): Statement {
  line.expect("(");
  const bits = /^s(8|16|32)$/.exec(line.next.text);
  if (bits === null) throw line.expected("s8, s16 or s32");
  line.take();
  line.expect(")");
  const opcode = aluOpcode(dst, BPF_ALU_OP.MOV) | BPF_SRC.X;
  return plain({ opcode, dst: dst.number, src: sameWidth(line, dst), offset: Number(bits[1]) });
}

/** Takes the register that is assigned to, again. */
function own(line: Line, dst: Register): void {
  line.expect(`${dst.wide ? "r" : "w"}${dst.number}`);
}

function parseSwap(line: Line, dst: Register, how: string, bits: number): Statement {
  line.take();
  own(line, dst);
  const opcode = how === "bswap"
    ? BPF_CLASS.ALU64 | BPF_ALU_OP.END
    : BPF_CLASS.ALU | BPF_ALU_OP.END | (how === "be" ? BPF_SRC.X : BPF_SRC.K);
  return plain({ opcode, dst: dst.number, imm: bits });
}

function parseAddrSpaceCast(line: Line, dst: Register): Statement {
  line.expect("addr_space_cast", "(");
  const src = register64(line);
  line.expect(",");
  const to = unsigned(line, "address space", 0xffff);
  line.expect(",");
  const from = unsigned(line, "address space", 0xffff);
  line.expect(")");
  return plain({ opcode: OPCODE.MOV64_X, dst: dst.number, src, offset: ADDR_SPACE_CAST, imm: to << 16 | from });
}

/** Takes `&(void __percpu *)(r1)`, which kernels make of addresses. */
function parsePerCpu(line: Line, dst: Register): Statement {
  line.expect("&", "(", "void", "__percpu", "*", ")", "(");
  const src = register64(line);
  line.expect(")");
  return { insn: Instruction.of({ opcode: OPCODE.MOV64_X, dst: dst.number, src, offset: -1 }), kernel: true };
}

/** Takes `*(u64 *)(r1 +0)`, `*(s8 *)(r1 +0)`, `*(u8 *)skb[4]` or `*(u8 *)skb[r1 + 4]`. */
function parseLoad(line: Line, dst: Register): Statement {
  line.expect("*", "(");
  const signed = sizeNamed(line, SIGNED_SIZE_TEXT);
  const size = signed ?? sizeNamed(line, SIZE_TEXT);
  if (size === undefined) throw line.expected("a size such as u32");
  line.take();
  line.expect("*", ")");
  if (line.accept("skb")) return parsePacketLoad(line, dst, size);
  const { register, offset } = parsePlace(line, undefined, size);
  const mode = signed === undefined ? BPF_MODE.MEM : BPF_MODE.MEMSX;
  return plain({ opcode: BPF_CLASS.LDX | mode | size, dst: dst.number, src: register, offset });
}

function parsePacketLoad(line: Line, dst: Register, size: number): Statement {
  if (dst.number !== 0) throw line.error("a packet load goes to r0");
  if (size === BPF_SIZE.DW) throw line.error("a packet load has 8, 16 or 32 bits");
  line.expect("[");
  let fields: InstructionFields = { opcode: BPF_CLASS.LD | BPF_MODE.ABS | size };
  if (line.next.kind === "name") {
    fields = { opcode: BPF_CLASS.LD | BPF_MODE.IND | size, src: register64(line) };
    if (line.next.text !== "+" && line.next.text !== "-") throw line.expected('"+"');
  }
  const imm = imm32(line);
  line.expect("]");
  return plain({ ...fields, imm });
}
