import { assertEquals, assertGreater } from "@std/assert";
import * as sys from "../../ffi/sys/mod.ts";
import { Collection } from "../../mod.ts";
import { assemble } from "../../lib/asm/text/mod.ts";
import {
  BPF_ALU_OP,
  BPF_CLASS,
  BPF_MODE,
  decode,
  encode,
  format,
  type Instruction,
  listing,
  OPCODE,
  xlatedReference,
} from "../../lib/asm/mod.ts";
import { BpfProgType } from "../../lib/uapi/mod.ts";
import { VERIFIER_TEXT } from "../lib/asm/verifier_text.ts";
import type { FeatureName } from "../support/features.ts";
import { inVm, needs, run } from "../support/mod.ts";
import { featureOf, OBJECTS } from "./asm_support.ts";
import { COMPILERS, objectSpec } from "./support.ts";

/** Instructions that bpftool 7.1 prints wrong: docs/bpftool.md lists them. */
function isMisprinted({ opcode, offset, imm }: Instruction): boolean {
  const insnClass = opcode & 0x07;
  const op = opcode & 0xf0;
  if (insnClass === BPF_CLASS.ALU || insnClass === BPF_CLASS.ALU64) {
    if (op === BPF_ALU_OP.END) return insnClass === BPF_CLASS.ALU64;
    return offset !== 0;
  }
  if (insnClass === BPF_CLASS.LDX) return (opcode & 0xe0) === BPF_MODE.MEMSX;
  if (insnClass === BPF_CLASS.STX) return (opcode & 0xe0) === BPF_MODE.ATOMIC && imm >= 0x100;
  return opcode === OPCODE.JA32;
}

/** Names of the kernel's functions, those of loaded programs included, at the time of making. */
class Kallsyms {
  /** By address, as hexadecimal digits: there are 200,000. */
  readonly #names = new Map<string, string>();
  readonly #base: bigint;

  constructor() {
    let base = "0";
    for (const line of Deno.readTextFileSync("/proc/kallsyms").split("\n")) {
      const [address = "", , name] = line.split(/\s+/, 3);
      if (name === undefined) continue;
      if (name === "__bpf_call_base") base = address;
      if (!this.#names.has(address)) this.#names.set(address, name);
    }
    this.#base = BigInt(`0x${base}`);
  }

  at(address: bigint): string | undefined {
    return this.#names.get(address.toString(16).padStart(16, "0"));
  }

  helper(distance: number): string | undefined {
    return this.at(this.#base + BigInt(distance));
  }
}

/** Instructions by slot, as bpftool prints them. */
async function bpftoolText(id: number): Promise<Map<number, string>> {
  const { stdout } = await run("bpftool", ["prog", "dump", "xlated", "id", String(id)]);
  const lines = stdout.split("\n").flatMap((line) => {
    const match = /^ *(\d+): (.*)$/.exec(line);
    return match === null ? [] : [[Number(match[1]), match[2]!] as const];
  });
  return new Map(lines);
}

/** The same by us. */
function ourText(fd: number, symbols: Kallsyms): { readonly text: Map<number, string>; readonly insns: Instruction[] } {
  const { xlatedProgInsns, jitedKsyms } = sys.progArrays(fd, ["xlatedProgInsns", "jitedKsyms"]);
  const functions = jitedKsyms === undefined ? [] : new BigUint64Array(jitedKsyms.buffer);
  const insns = decode(xlatedProgInsns!, "little", { lenient: true });
  const reference = xlatedReference({
    helper: (distance) => symbols.helper(distance),
    function: (index) => functions[index] === undefined ? undefined : symbols.at(functions[index]),
  });
  const text = new Map<number, string>();
  for (const line of listing(insns, { reference })) {
    if (line.kind === "instruction") text.set(line.slot, line.text.replace(/^ *\d+: /, ""));
  }
  return { text, insns };
}

/** Compares all instructions but those that bpftool prints wrong; gives the number of them. */
async function compare(fd: number, symbols: Kallsyms, what: string): Promise<number> {
  const theirs = await bpftoolText(sys.progInfo(fd).id);
  const { text, insns } = ourText(fd, symbols);
  let slot = 0;
  let compared = 0;
  for (const insn of insns) {
    if (!isMisprinted(insn)) {
      assertEquals(text.get(slot), theirs.get(slot), `${what}, slot ${slot}`);
      compared++;
    }
    slot += insn.slots;
  }
  return compared;
}

function instructionOf(bytes: string): Instruction {
  return decode(Uint8Array.fromHex(bytes), "little")[0]!;
}

/** Every form that needs a feature and that a program may have without a context, map or function; memory is the stack. */
function allForms(feature: FeatureName | undefined): string[] {
  const texts = VERIFIER_TEXT.map(([bytes]) => instructionOf(bytes))
    .filter((insn) => !isMisprinted(insn) && featureOf(insn) === feature)
    .map((insn) => format(insn, { opcode: false }))
    .filter((text) => !/skb|exit|call|may_goto|addr_space_cast/.test(text));
  const stack = (text: string) =>
    text.replace(/\(r\d+ [+-]\d+\)/, "(r10 -8)").replaceAll(/\b([rw])10\b(?! -8)/g, "$15").replace(/pc[+-]\d/, "pc+1")
      // Shifts by more than there is are refused.
      .replace(/(<<|>>)= \d+/, "$1= 7");
  return [...new Set(texts.map(stack))];
}

const NUMBERS = Array.from({ length: 10 }, (_, i) => `r${i} = r0`).join("\n");

for (const feature of new Set(VERIFIER_TEXT.map(([bytes]) => featureOf(instructionOf(bytes))))) {
  const forms = allForms(feature);
  if (forms.length === 0) continue;
  Deno.test({
    name: `the listing of what the kernel made of each form is bpftool's: ${feature ?? "older forms"}`,
    ...needs({ bpf: true, peer: "bpftool", features: feature === undefined ? [] : [feature] }),
    async fn() {
      const body = forms.map((text) =>
        // Behind each form all registers are numbers again; what follows a jump is reached in any case.
        `${
          /^goto/.test(text) ? "if r6 == 0x7 goto pc+1" : ""
        }\n${text}\nr0 = r6\nr0 = r6\ncall get_prandom_u32\n${NUMBERS}`
      );
      const insns = assemble(
        `call get_prandom_u32\n${NUMBERS}\n*(u64 *)(r10 -8) = r0\n${body.join("\n")}\nr0 = 0\nexit`,
      );
      const log = new Uint8Array(1 << 20);
      using program = sys.progLoad({
        progType: BpfProgType.BPF_PROG_TYPE_SOCKET_FILTER,
        insns: encode(insns, "little"),
        license: "GPL",
        log,
      });
      const compared = await compare(program.value, new Kallsyms(), "all forms");
      assertGreater(compared, 13 * forms.length);
      assertGreater(forms.length, feature === undefined ? 80 : 0);
    },
  });
}

/** bpftool reads all names of the kernel for each program: where the CPU is emulated, few have to do. */
const [compilers, objects, most] = inVm()
  ? [["clang19"], ["truth", "events"], 2]
  : [COMPILERS, Object.keys(OBJECTS), Infinity];

for (const compiler of compilers) {
  for (const name of objects) {
    Deno.test({
      name: `${compiler}/${name}: the listing of what the kernel made of each program is bpftool's`,
      ...needs({ bpf: true, btf: true, peer: "bpftool", features: OBJECTS[name]! }),
      async fn() {
        const spec = objectSpec(compiler, name);
        using collection = Collection.load(spec);
        const symbols = new Kallsyms();
        let compared = 0;
        for (const program of spec.programs.keys().take(most)) {
          const { fd } = collection.program(program);
          compared += await compare(fd, symbols, program);
        }
        assertGreater(compared, 5);
      },
    });
  }
}
