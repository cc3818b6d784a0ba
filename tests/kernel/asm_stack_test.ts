import { assertEquals } from "@std/assert";
import * as sys from "../../ffi/sys/mod.ts";
import { assemble } from "../../lib/asm/text/mod.ts";
import { controlFlow, stackUse } from "../../lib/asm/flow/mod.ts";
import { encode } from "../../lib/asm/mod.ts";
import { BpfProgType } from "../../lib/uapi/mod.ts";
import { needs } from "../support/mod.ts";

const PROGRAMS = [
  "r0 = 0\nexit",
  "*(u8 *)(r10 -1) = 0\nr0 = 0\nexit",
  "*(u64 *)(r10 -16) = r1\nr0 = 0\nexit",
  "r2 = r10\nr2 += -12\n*(u32 *)(r2 +0) = 7\nr0 = 0\nexit",
  "r1 = r10\nr1 += -16\nr2 = 16\ncall get_current_comm\nr0 = 0\nexit",
  "r1 = r10\nr1 += -24\nr2 = 16\ncall get_current_comm\n*(u64 *)(r10 -8) = r0\nr0 = 0\nexit",
  `*(u64 *)(r10 -8) = r1
   call f
   exit
   f: *(u64 *)(r10 -40) = r1
   call g
   exit
   g: r0 = 0
   exit`,
];

/** Older kernels print single bytes, newer ones what they allocate. */
function wholeWords(bytes: string): number {
  return Math.ceil(Number(bytes) / 8) * 8;
}

Deno.test({
  name: "stackUse() is the stack depth that this kernel's verifier finds",
  ...needs({ bpf: true }),
  fn() {
    for (const text of PROGRAMS) {
      const insns = assemble(text);
      const log = new Uint8Array(1 << 16);
      using _program = sys.progLoad({
        progType: BpfProgType.BPF_PROG_TYPE_KPROBE,
        insns: encode(insns, "little"),
        license: "GPL",
        log,
        logLevel: 4,
      });
      const found = /^stack depth ([\d+]+)/m.exec(new TextDecoder().decode(log))?.[1]?.split("+").map(wholeWords);
      const ours = controlFlow(insns).map((flow) => stackUse(insns, flow));
      assertEquals(ours, found, text);
    }
  },
});
