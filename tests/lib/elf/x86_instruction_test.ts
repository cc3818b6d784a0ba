import { assertEquals } from "@std/assert";
import { EM, Executable, instructionStart } from "../../../lib/elf/mod.ts";
import { x86InstructionLength } from "../../../lib/elf/x86_instruction.ts";
import { needs, testdata } from "../../support/mod.ts";

const length = (text: string): number | undefined =>
  x86InstructionLength(Uint8Array.fromHex(text.replaceAll(" ", "")), 0);

Deno.test("x86InstructionLength() knows prefixes, ModRM, SIB, displacements and immediates", () => {
  const cases: [string, string][] = [
    ["90", "nop"],
    ["f3 0f 1e fa", "endbr64"],
    ["55", "push rbp"],
    ["41 57", "push r15"],
    ["48 89 e5", "mov rbp, rsp"],
    ["48 83 ec 10", "sub rsp, 16"],
    ["48 81 ec 00 01 00 00", "sub rsp, 256"],
    ["66 81 c3 34 12", "add bx, 0x1234"],
    ["8b 45 fc", "mov eax, [rbp-4]"],
    ["8b 85 00 ff ff ff", "mov eax, [rbp-256]"],
    ["8b 04 8a", "mov eax, [rdx+rcx*4]"],
    ["8b 04 25 10 00 00 00", "mov eax, [0x10]"],
    ["8b 44 24 08", "mov eax, [rsp+8]"],
    ["8b 05 10 00 00 00", "mov eax, [rip+0x10]"],
    ["b8 01 00 00 00", "mov eax, 1"],
    ["48 b8 11 22 33 44 55 66 77 88", "movabs rax"],
    ["48 a1 11 22 33 44 55 66 77 88", "movabs rax, [moffs]"],
    ["67 a1 11 22 33 44", "mov eax, [moffs32]"],
    ["f6 c1 01", "test cl, 1"],
    ["f7 c1 01 00 00 00", "test ecx, 1"],
    ["66 f7 c1 01 00", "test cx, 1"],
    ["f7 d9", "neg ecx"],
    ["e8 00 00 00 00", "call"],
    ["66 e8 00 00 00 00", "call: Intel's ignore the prefix"],
    ["eb fe", "jmp short"],
    ["0f 84 00 00 00 00", "je"],
    ["c3", "ret"],
    ["c2 08 00", "ret 8"],
    ["c8 10 00 00", "enter"],
    ["0f 05", "syscall"],
    ["0f 1f 44 00 00", "nop of five bytes"],
    ["66 2e 0f 1f 84 00 00 00 00 00", "nop of ten bytes"],
    ["0f a2", "cpuid"],
    ["0f ba e0 05", "bt eax, 5"],
    ["66 0f 3a 0f c1 08", "palignr"],
    ["66 0f 38 00 c1", "pshufb"],
    ["c5 f8 77", "vzeroupper"],
    ["c5 fd 6f 07", "vmovdqa ymm0, [rdi]"],
    ["c4 e2 7d 18 07", "vbroadcastss"],
    ["c4 e3 7d 18 c1 01", "vinsertf128"],
    ["62 f1 7c 48 28 07", "vmovaps zmm0, [rdi]"],
    ["62 f3 7d 48 25 c1 ff", "vpternlogd"],
    ["8f 00", "pop [rax]"],
    ["8f e8 78 c2 ec 0e", "vprotd"],
    ["9b", "fwait"],
  ];
  for (const [bytes, what] of cases) assertEquals(length(bytes), bytes.split(" ").length, what);
});

Deno.test("x86InstructionLength() gives nothing for what is no instruction, or is cut off", () => {
  for (
    const bytes of [
      "",
      "06",
      "9a 00 00 00 00",
      "e8 00 00",
      "48",
      "48 b8 11 22 33",
      "66 66 66 66 66 66 66 66 66 66 66 66 66 66 66 90",
    ]
  ) {
    assertEquals(length(bytes), undefined, bytes);
  }
});

Deno.test("instructionStart() tells where the instruction begins that has a byte", () => {
  const code = Uint8Array.fromHex("5548 89e5 4883ec10 c3".replaceAll(" ", ""));
  assertEquals([0, 1, 2, 3, 4, 5, 6, 7, 8].map((at) => instructionStart(EM.X86_64, code, at)), [
    0,
    1,
    1,
    1,
    4,
    4,
    4,
    4,
    8,
  ]);
  assertEquals([0, 1, 4, 7].map((at) => instructionStart(EM.AARCH64, code, at)), [0, 0, 4, 4]);
  assertEquals(instructionStart(EM.S390, code, 2), undefined);
  assertEquals(instructionStart(EM.X86_64, Uint8Array.of(0x90, 0x06, 0x90), 2), undefined);
});

Deno.test({
  name: "x86InstructionLength() agrees with objdump on every instruction of a program",
  ...needs({ program: "objdump" }),
  async fn() {
    const path = new URL("../../../testdata/programs/x86_64/user_target", import.meta.url).pathname;
    const { stdout } = await new Deno.Command("objdump", { args: ["-d", "-w", "-j", ".text", path] }).output();
    const program = Executable.parse(testdata("programs/x86_64/user_target"));
    const lines = new TextDecoder().decode(stdout).matchAll(/^ *([0-9a-f]+):\t((?:[0-9a-f]{2} )+)/gm);
    let count = 0;
    for (const [, address = "", bytes = ""] of lines) {
      const at = program.fileOffset(parseInt(address, 16))!;
      assertEquals(x86InstructionLength(program.bytes, at), bytes.trim().split(" ").length, `${address}: ${bytes}`);
      count++;
    }
    assertEquals(count > 150, true);
  },
});
