/**
 * From text to instructions.
 *
 * @module
 */
import { LinkError } from "../../errors.ts";
import type { Instruction } from "../instruction.ts";
import { LABEL, Label, type LabelBinding, REFERENCE, SOURCE, type SourceLine } from "../keys.ts";
import { isFunctionCall, isJump } from "../predicates.ts";
import { resolveReferences } from "../references.ts";
import { whyInvalid } from "../validate.ts";
import { parseInstruction } from "./parse_instruction.ts";
import { helperNamed } from "./parse_reference.ts";
import { Line, type Token } from "./tokens.ts";

/** Options of {@linkcode assemble}. */
export interface AssembleOptions {
  /** How errors call the text; default `"assembly"`. */
  what?: string;
  /** As {@linkcode ResolveOptions.longJumps}. */
  longJumps?: boolean;
}

/**
 * The instructions that `text` says, one a line: in the verifier's words, with or without the opcode (`(b7) `) and the slot
 * (`12: `) in front of them. Beyond these there are
 *
 * - labels `name:`, alone or before an instruction, to be used by `goto name`, `if ... goto name`, `call name` and
 *   `r1 = subprog[name]`. What is called and stands nowhere in the text is a helper (`bpf_` may be left out), or else a
 *   function that the linker has to find. `name@2` tells several labels of one name apart;
 * - `.global name`, `.weak name`, `.local name`: how far a label is seen (local unless said; calls of what stands nowhere are
 *   global). A `.local` one may stand outside of the text;
 * - maps by name: `r1 = map[events]`, `r1 = map[counts][0]+8` for a place in the value; by fd `map[fd:3]`, by index `map[idx:0]`;
 * - `; text @ file.c:12` (the verifier's, or with the column behind it: `file.c:12:5`): the source line of the next instruction.
 *   Any other text behind `;` or `//` is a comment;
 * - `.8byte 0x95`: the bytes of an instruction as one number, in little-endian order; two numbers for a 64-bit load.
 *
 * A hexadecimal number makes `r1 = 0x5` a 64-bit load, a decimal one `r1 = 5` a move, as the verifier prints them.
 *
 * @example
 * ```ts
 * import { assemble } from "@debpf/debpf";
 *
 * const insns = assemble(`
 *   entry:  r6 = r1
 *           r0 = *(u32 *)(r6 +0)
 *           if r0 == 0x0 goto out
 *           call get_current_pid_tgid
 *   out:    exit
 * `);
 * console.log(insns.length); // 5
 * ```
 *
 * @returns Instructions with `LABEL`, `REFERENCE`, `MAP` and `SOURCE`; distances to labels in the text are filled in.
 * @throws {FormatError} with line and column, if something is no instruction or a number does not fit.
 * @throws {LinkError} if a label stands twice, or a jump goes to one that stands nowhere or too far away.
 */
export function assemble(text: string, options: AssembleOptions = {}): Instruction[] {
  return new Assembler(options.what ?? "assembly").assemble(text, options.longJumps ?? false);
}

/** `; text @ file:line` and perhaps `:column`. */
const SOURCE_LINE = /^\s*; (.*) @ (.*?):(\d+)(?::(\d+))?$/;

const BINDINGS: Readonly<Record<string, LabelBinding>> = {
  ".global": "global",
  ".globl": "global",
  ".weak": "weak",
  ".local": "local",
};

/** A name of the text. */
interface Name {
  readonly text: string;
  /** Where a label of this name stands. */
  definedAt?: string;
  /** What a directive says of it. */
  binding?: LabelBinding;
  /** The label, once it is known what it is. */
  label?: Label;
}

/** An instruction, and the name that it refers to. */
interface Assembled {
  insn: Instruction;
  readonly place: string;
  readonly labels: readonly Name[];
  readonly reference?: Name | undefined;
}

class Assembler {
  readonly #what: string;
  readonly #names = new Map<string, Name>();
  readonly #insns: Assembled[] = [];
  /** Labels and source line that wait for their instruction. */
  #labels: Name[] = [];
  #source: SourceLine | undefined;

  constructor(what: string) {
    this.#what = what;
  }

  assemble(text: string, longJumps: boolean): Instruction[] {
    text.split(/\r?\n/).forEach((line, index) => this.#line(line, index + 1));
    const [waiting] = this.#labels;
    if (waiting !== undefined) {
      throw new LinkError(`${waiting.definedAt}: label "${waiting.text}" stands before no instruction`);
    }
    return resolveReferences(this.#refer(), { longJumps, partial: true, place: (index) => this.#insns[index]!.place });
  }

  #line(text: string, number: number): void {
    const source = SOURCE_LINE.exec(text);
    if (source !== null) {
      const [, code = "", file = "", line, column] = source;
      this.#source = { text: code, file, line: Number(line), column: Number(column ?? 0) };
      return;
    }
    const place = (column: number) => `${this.#what}: line ${number}, column ${column}`;
    const line = new Line(text, place);
    for (const label of line.labels) this.#define(label, place(label.column));
    if (line.next.kind === "end") {
      if (line.opcode !== undefined) throw line.expected("an instruction");
      return;
    }
    const first = line.next;
    const binding = BINDINGS[first.text];
    if (binding !== undefined && first.kind === "name") {
      line.take();
      this.#name(line.name("the name of a label")).binding = binding;
      line.end();
      return;
    }
    const { insn, reference, kernel } = parseInstruction(line);
    line.end();
    if (line.opcode !== undefined && line.opcode !== insn.opcode) {
      throw line.error(`this is opcode ${hex(insn.opcode)}, but (${hex(line.opcode)}) stands before it`, first);
    }
    if (kernel !== true) {
      const why = whyInvalid(insn.opcode, insn.dst, insn.src, insn.offset, insn.imm);
      if (why !== undefined) throw line.error(`no such instruction: ${why}`, first);
    }
    this.#insns.push({
      insn: insn.with(SOURCE, this.#source),
      place: place(first.column),
      labels: this.#labels,
      reference: reference === undefined ? undefined : this.#name(reference),
    });
    this.#labels = [];
    this.#source = undefined;
  }

  #name({ text, instance }: Token): Name {
    const key = `${instance} ${text}`;
    let name = this.#names.get(key);
    if (name === undefined) this.#names.set(key, name = { text });
    return name;
  }

  #define(token: Token, place: string): void {
    const name = this.#name(token);
    if (name.definedAt !== undefined) {
      throw new LinkError(`${place}: label "${token.text}" stands here and at ${name.definedAt}`);
    }
    name.definedAt = place;
    this.#labels.push(name);
  }

  /** Instructions with their labels and references. */
  #refer(): Instruction[] {
    for (const assembled of this.#insns) {
      const { labels } = assembled;
      // An instruction has one label, a function's name rather than a loop's: further ones are other words for it.
      const name = labels.find(({ binding }) => binding === "global" || binding === "weak") ?? labels[0];
      if (name === undefined) continue;
      const label = new Label(name.text, name.binding);
      for (const other of labels) other.label = label;
      assembled.insn = assembled.insn.with(LABEL, label);
    }
    return this.#insns.map(({ insn, reference, place }) => {
      if (reference === undefined) return insn;
      if (reference.label === undefined) {
        const { text, binding } = reference;
        const helper = isFunctionCall(insn) && binding === undefined ? helperNamed(text) : undefined;
        if (helper !== undefined) return insn.edit({ src: 0, imm: helper });
        if (isJump(insn) && binding === undefined) {
          throw new LinkError(`${place}: jumps to label "${text}", which stands nowhere`);
        }
        reference.label = new Label(text, binding ?? "global");
      }
      return insn.with(REFERENCE, reference.label);
    });
  }
}

function hex(opcode: number): string {
  return opcode.toString(16).padStart(2, "0");
}
