import { assertEquals } from "@std/assert";
import {
  BPF_ALU_OP,
  BPF_ATOMIC_OP,
  BPF_CLASS,
  BPF_JMP_OP,
  BPF_MODE,
  BPF_PSEUDO,
  BPF_SIZE,
  BPF_SRC,
  OPCODE,
} from "../../../lib/asm/mod.ts";
import {
  BpfAluOp,
  BpfAtomicOp,
  BpfClass,
  BpfJmpOp,
  BpfMode,
  BpfPseudo,
  BpfSize,
  BpfSource,
} from "../../../lib/uapi/mod.ts";

/** A table with the kernel's prefix before every name. */
function prefixed(table: Readonly<Record<string, number>>, prefix: string): Record<string, number> {
  return Object.fromEntries(Object.entries(table).map(([name, value]) => [prefix + name, value]));
}

Deno.test("parts of opcodes are those of the kernel's header", () => {
  assertEquals(prefixed(BPF_CLASS, "BPF_"), BpfClass);
  assertEquals(prefixed(BPF_SIZE, "BPF_"), BpfSize);
  assertEquals(prefixed(BPF_MODE, "BPF_"), BpfMode);
  assertEquals(prefixed(BPF_SRC, "BPF_"), BpfSource);
  assertEquals(prefixed(BPF_ALU_OP, "BPF_"), BpfAluOp);
  assertEquals(prefixed(BPF_JMP_OP, "BPF_"), BpfJmpOp);
  assertEquals(prefixed(BPF_PSEUDO, "BPF_PSEUDO_"), BpfPseudo);
});

Deno.test("atomic operations are those of the kernel's header", () => {
  const { BPF_ADD: ADD, BPF_OR: OR, BPF_AND: AND, BPF_XOR: XOR } = BpfAluOp;
  assertEquals(prefixed(BPF_ATOMIC_OP, "BPF_"), { ...prefixed({ ADD, OR, AND, XOR }, "BPF_"), ...BpfAtomicOp });
});

Deno.test("OPCODE is made of the kernel's parts", () => {
  const { BPF_LD, BPF_ALU, BPF_JMP, BPF_JMP32, BPF_ALU64 } = BpfClass;
  const { BPF_K, BPF_X } = BpfSource;
  assertEquals(OPCODE, {
    LD_IMM64: BPF_LD | BpfMode.BPF_IMM | BpfSize.BPF_DW,
    JA: BPF_JMP | BpfJmpOp.BPF_JA | BPF_K,
    JA32: BPF_JMP32 | BpfJmpOp.BPF_JA | BPF_K,
    JA_X: BPF_JMP | BpfJmpOp.BPF_JA | BPF_X,
    CALL: BPF_JMP | BpfJmpOp.BPF_CALL | BPF_K,
    CALL_X: BPF_JMP | BpfJmpOp.BPF_CALL | BPF_X,
    EXIT: BPF_JMP | BpfJmpOp.BPF_EXIT | BPF_K,
    JCOND: BPF_JMP | BpfJmpOp.BPF_JCOND | BPF_K,
    MOV64_K: BPF_ALU64 | BpfAluOp.BPF_MOV | BPF_K,
    MOV64_X: BPF_ALU64 | BpfAluOp.BPF_MOV | BPF_X,
    MOV32_K: BPF_ALU | BpfAluOp.BPF_MOV | BPF_K,
    MOV32_X: BPF_ALU | BpfAluOp.BPF_MOV | BPF_X,
  });
});
