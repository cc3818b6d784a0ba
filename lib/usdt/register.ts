/**
 * Where the kernel keeps the registers of a program that is stopped at a probe: offsets in bytes in `struct pt_regs`
 * (arch/x86/include/asm/ptrace.h) and `struct user_pt_regs` (arch/arm64/include/uapi/asm/ptrace.h).
 *
 * @module
 */
import { EM } from "../elf/mod.ts";

/** In the order of `struct pt_regs`; some names are of `orig_ax`, `cs` and `flags`, which no argument is in. */
const X86_64 = [
  "r15 r15d r15w r15b",
  "r14 r14d r14w r14b",
  "r13 r13d r13w r13b",
  "r12 r12d r12w r12b",
  "rbp ebp bp bpl",
  "rbx ebx bx bl",
  "r11 r11d r11w r11b",
  "r10 r10d r10w r10b",
  "r9 r9d r9w r9b",
  "r8 r8d r8w r8b",
  "rax eax ax al",
  "rcx ecx cx cl",
  "rdx edx dx dl",
  "rsi esi si sil",
  "rdi edi di dil",
  "",
  "rip eip",
  "",
  "",
  "rsp esp sp spl",
];

/** `x0` to `x30`, with `w0` for the lower half of `x0`, then `sp`. */
const AARCH64 = [...Array.from({ length: 31 }, (_, i) => `x${i} w${i}`), "sp wsp"];

const OFFSETS: ReadonlyMap<number, ReadonlyMap<string, number>> = new Map([
  [EM.X86_64, offsets(X86_64)],
  [EM.AARCH64, new Map([...offsets(AARCH64), ["fp", 29 * 8], ["lr", 30 * 8]])],
]);

function offsets(names: readonly string[]): Map<string, number> {
  return new Map(names.flatMap((same, i) => same.split(" ").map((name): [string, number] => [name, i * 8])));
}

/** Offset in bytes of a register; `undefined` for one that is not kept there. */
export function registerOffset(machine: number, name: string): number | undefined {
  return name === "" ? undefined : OFFSETS.get(machine)?.get(name);
}
