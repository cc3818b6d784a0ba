import { assertEquals, assertThrows } from "@std/assert";
import { type DebpfError, FormatError, UnsupportedError } from "../../../lib/errors.ts";
import { EM } from "../../../lib/elf/mod.ts";
import { parseUsdtArguments, type UsdtArgument } from "../../../lib/usdt/mod.ts";

const parse = (text: string, machine: number = EM.X86_64) => parseUsdtArguments(text, machine, `probe "a:b"`);

/** `struct pt_regs` of x86_64. */
const X86 = {
  r15: 0,
  r12: 24,
  rbp: 32,
  rbx: 40,
  r9: 64,
  r8: 72,
  rax: 80,
  rcx: 88,
  rdx: 96,
  rsi: 104,
  rdi: 112,
} as const;
const RIP = 128;
const RSP = 152;

const argument = (size: number, location: UsdtArgument["location"]): UsdtArgument => ({
  size: Math.abs(size),
  signed: size < 0,
  location,
});
const constant = (size: number, value: bigint) => argument(size, { kind: "constant", value });
const register = (size: number, at: number) => argument(size, { kind: "register", register: at });
const memory = (size: number, at: number, offset: bigint) => argument(size, { kind: "memory", register: at, offset });

Deno.test("parseUsdtArguments() reads the forms of x86_64", () => {
  const cases: [string, UsdtArgument][] = [
    ["-4@$5", constant(-4, 5n)],
    ["-4@$-9", constant(-4, -9n)],
    ["8@$0x10", constant(8, 16n)],
    ["8@$-0x10", constant(8, -16n)],
    ["8@$18446744073709551615", constant(8, 0xffff_ffff_ffff_ffffn)],
    ["-4@%eax", register(-4, X86.rax)],
    ["8@%rdx", register(8, X86.rdx)],
    ["2@%cx", register(2, X86.rcx)],
    ["-1@%sil", register(-1, X86.rsi)],
    ["1@%bl", register(1, X86.rbx)],
    ["4@%r12d", register(4, X86.r12)],
    ["2@%r9w", register(2, X86.r9)],
    ["1@%r15b", register(1, X86.r15)],
    ["8@%rip", register(8, RIP)],
    ["8@(%rsp)", memory(8, RSP, 0n)],
    ["-4@-1204(%rbp)", memory(-4, X86.rbp, -1204n)],
    ["8@0x20(%rdi)", memory(8, X86.rdi, 32n)],
    ["8@+8(%r8)", memory(8, X86.r8, 8n)],
    [
      "8@-16(%rbp,%rax,8)",
      argument(8, { kind: "indexed", register: X86.rbp, offset: -16n, index: X86.rax, scale: 8 }),
    ],
    ["-4@(%rdx,%rcx,4)", argument(-4, { kind: "indexed", register: X86.rdx, offset: 0n, index: X86.rcx, scale: 4 })],
    ["1@5(%rdx,%rcx)", argument(1, { kind: "indexed", register: X86.rdx, offset: 5n, index: X86.rcx, scale: 1 })],
    ["1@(%rdx,%rcx)", argument(1, { kind: "indexed", register: X86.rdx, offset: 0n, index: X86.rcx, scale: 1 })],
    [
      "1@ ( %rdx , %rcx , 2 )".replace("@ ", "@"),
      argument(1, {
        kind: "indexed",
        register: X86.rdx,
        offset: 0n,
        index: X86.rcx,
        scale: 2,
      }),
    ],
  ];
  for (const [text, expected] of cases) assertEquals(parse(text), [expected], text);
});

Deno.test("parseUsdtArguments() reads the forms of AArch64", () => {
  const cases: [string, UsdtArgument][] = [
    ["-4@5", constant(-4, 5n)],
    ["8@-9", constant(8, -9n)],
    ["8@xzr", constant(8, 0n)],
    ["4@wzr", constant(4, 0n)],
    ["8@x0", register(8, 0)],
    ["-4@w1", register(-4, 8)],
    ["8@x30", register(8, 240)],
    ["8@sp", register(8, 248)],
    ["8@[sp]", memory(8, 248, 0n)],
    ["8@[sp, 16]", memory(8, 248, 16n)],
    ["-4@[x29, -20]", memory(-4, 232, -20n)],
    ["-4@[x19,#96]", memory(-4, 152, 96n)],
  ];
  for (const [text, expected] of cases) assertEquals(parse(text, EM.AARCH64), [expected], text);
});

Deno.test("parseUsdtArguments() reads several arguments, and spaces inside of them", () => {
  assertEquals(parse("-4@%edi 8@(%rsp)  -4@$5 "), [register(-4, X86.rdi), memory(8, RSP, 0n), constant(-4, 5n)]);
  assertEquals(parse("8@[sp, 16] -4@[x1] 8@x2", EM.AARCH64), [memory(8, 248, 16n), memory(-4, 8, 0n), register(8, 16)]);
  assertEquals(parse(""), []);
  assertEquals(parse("  "), []);
});

Deno.test("parseUsdtArguments() refuses, naming the argument, what it cannot read", () => {
  const refused = (
    text: string,
    error: new (...args: never[]) => DebpfError,
    words: string,
    machine?: number,
  ) => assertThrows(() => parse(text, machine), error, words);
  refused("4@%eax 3@%eax", FormatError, 'probe "a:b": argument 1 ("3@%eax"): does not begin with its size');
  refused("%eax", FormatError, "argument 0");
  refused("16@%eax", FormatError, "size");
  refused("8f@%xmm0", FormatError, "size");
  refused("8@%xmm0", UnsupportedError, '"xmm0"');
  refused("8@%st(0)", FormatError, "no place that is known");
  refused("8@counter(%rip)", UnsupportedError, "only a symbol names");
  refused("8@(%rax,%rbx,3)", FormatError, "the scale is 3");
  refused("8@(%rax", FormatError, "no place");
  refused("8@$5x", FormatError, "no place");
  refused("8@[sp, 16]", FormatError, "no place");
  refused("8@v0", UnsupportedError, '"v0"', EM.AARCH64);
  refused("8@x31", UnsupportedError, '"x31"', EM.AARCH64);
  refused("8@[x1, x2]", FormatError, "no place", EM.AARCH64);
  refused("8@%r1", UnsupportedError, "arguments of s390x cannot be read", EM.S390);
});
