import { assertEquals } from "@std/assert";
import * as sys from "../../ffi/sys/mod.ts";
import { assemble } from "../../lib/asm/text/mod.ts";
import { decode, encode, format, type Instruction, slotCount } from "../../lib/asm/mod.ts";
import { BpfMapFlag, BpfMapType, BpfProgType } from "../../lib/uapi/mod.ts";
import { needs } from "../support/mod.ts";
import { featureOf } from "./asm_support.ts";
import { VERIFIER_TEXT } from "../lib/asm/verifier_text.ts";

/** Slot of the instruction in question, in all programs here. */
const SLOT = 13;

/**
 * A program that reaches `insn` with a number in each register, whatever it is: the verifier prints an instruction before
 * it refuses it. Behind jumps by -2 the program ends; what is behind an unconditional jump is reached from elsewhere.
 */
function programAround(insn: Instruction, arena?: sys.Fd): Instruction[] {
  const isCall = insn.opcode === 0x85 && insn.src === 1;
  const numbers = Array.from({ length: 9 }, (_, i) => `r${i + 1} = r0`);
  // The address of a map takes two slots.
  if (arena) numbers.splice(0, 2, `r1 = map[fd:${arena.value}]`);
  const before = `call get_prandom_u32
    ${numbers.join("\n")}
    if r0 == 0x7 goto pc+${2 + insn.slots}
    if r0 == 0x8 goto pc+1
    exit`;
  // A function that is called begins behind the end of the one that calls it.
  const after = isCall ? "exit\nr0 = 0\nexit" : "r0 = 0\nr0 = 0\nexit";
  return [...assemble(before), insn, ...assemble(after)];
}

/** What the verifier prints for the instruction at {@linkcode SLOT}. */
function verifierText(insns: readonly Instruction[]): string | undefined {
  const log = new Uint8Array(1 << 20);
  try {
    using _program = sys.progLoad({
      progType: BpfProgType.BPF_PROG_TYPE_SOCKET_FILTER,
      insns: encode(insns, "little"),
      license: "GPL",
      log,
      logLevel: 2,
    });
  } catch (error) {
    if (!(error instanceof sys.SyscallError)) throw error;
  }
  const text = new TextDecoder().decode(log.subarray(0, log.indexOf(0)));
  return new RegExp(`^${SLOT}: (\\(..\\) .*?)(?: *;.*)?$`, "m").exec(text)?.[1];
}

/** It has to have its addresses, in user space, before a program that has it. */
const ARENA: sys.MapCreateRequest = {
  mapType: BpfMapType.BPF_MAP_TYPE_ARENA,
  keySize: 0,
  valueSize: 0,
  maxEntries: 1,
  mapFlags: BpfMapFlag.BPF_F_MMAPABLE,
  mapExtra: 1n << 44n,
};

/** Instructions by the feature of a kernel that they need. */
const BY_FEATURE = Map.groupBy(
  VERIFIER_TEXT.map(([bytes]) => decode(Uint8Array.fromHex(bytes), "little")[0]!),
  featureOf,
);

for (const [feature, insns] of BY_FEATURE) {
  Deno.test({
    name: `format() is what this kernel's verifier prints, character for character: ${feature ?? "older forms"}`,
    ...needs({ bpf: true, features: feature === undefined ? [] : [feature] }),
    fn() {
      // Newer kernels look for the arena before they print the cast.
      using arena = feature === "arena" ? sys.mapCreate(ARENA) : undefined;
      for (const insn of insns) assertEquals(format(insn), verifierText(programAround(insn, arena)));
    },
  });
}

Deno.test({
  name: "64-bit loads are printed with all digits",
  ...needs({ bpf: true }),
  fn() {
    for (
      const value of [
        "0x0",
        "0x1",
        "0x7fffffff",
        "0x80000000",
        "0xffffffff",
        "0x1122334455667788",
        "0xffffffffffffffff",
      ]
    ) {
      const [insn] = assemble(`r1 = ${value}`);
      assertEquals(verifierText(programAround(insn!)), format(insn!));
    }
    assertEquals(slotCount(programAround(assemble("r1 = 0x1")[0]!)), SLOT + 5);
  },
});
