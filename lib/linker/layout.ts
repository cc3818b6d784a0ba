/**
 * Which functions a program needs, and in which order they follow it.
 *
 * The order is libbpf's, so that instructions are equal to its: the instructions of a function are gone through from
 * first to last; where a call or function pointer meets a function for the first time, that is appended at the end, and
 * gone through itself before the caller goes on.
 *
 * @module
 */
import {
  type Instruction,
  isCall,
  isFunctionCall,
  isFunctionPointer,
  type Label,
  REFERENCE,
  slotCount,
} from "../asm/mod.ts";
import { LinkError } from "../errors.ts";
import { EXTERN, FUNC_TAGS, type FunctionSpec, type ProgramSpec } from "../spec/mod.ts";
import { placeOf } from "./place.ts";

/** The tag on a program that names the function to call when it throws (`__exception_cb()` of libbpf). */
const EXCEPTION_CALLBACK = "exception_callback:";

/** A function at its place in the linked program. */
export interface PlacedFunction {
  readonly label: Label;
  readonly instructions: readonly Instruction[];
  /** Slot of its first instruction. */
  readonly slot: number;
}

/** What a program is linked from. */
export class Functions {
  readonly #byLabel = new Map<Label, FunctionSpec>();
  readonly #byName = new Map<string, FunctionSpec>();

  /**
   * @param functions All functions that may be called, of one object or of several.
   * @throws {LinkError} if two strong ones have one name.
   */
  constructor(functions: readonly FunctionSpec[]) {
    for (const spec of functions) {
      const { name, binding } = spec.label;
      this.#byLabel.set(spec.label, spec);
      if (binding === "local") continue;
      const other = this.#byName.get(name);
      if (
        other !== undefined && other.label !== spec.label && other.label.binding === binding && binding === "global"
      ) {
        throw new LinkError(`two global functions are named "${name}": make one of them static or __weak`);
      }
      // The first weak one stays until a strong one comes.
      if (other === undefined || other.label.binding === "weak") {
        if (other === undefined || binding === "global") this.#byName.set(name, spec);
      }
    }
  }

  /** The function that `label` means: one seen from outside is found by name, since a strong one overrides a weak one. */
  resolve(label: Label): FunctionSpec | undefined {
    return label.binding === "local" ? this.#byLabel.get(label) : this.#byName.get(label.name);
  }

  /** The global or weak function `name`. */
  named(name: string): FunctionSpec | undefined {
    return this.#byName.get(name);
  }

  /** The function that `insn` calls or whose address it loads; `undefined` if it does neither. */
  target(insn: Instruction): FunctionSpec | "missing" | undefined {
    if (!isFunctionPointer(insn) && !isCall(insn)) return undefined;
    const label = insn.get(REFERENCE);
    if (label !== undefined) return this.resolve(label) ?? "missing";
    const extern = insn.get(EXTERN);
    return extern === undefined || !isFunctionCall(insn) ? undefined : this.#byName.get(extern.name);
  }
}

/** A function whose instructions are being gone through. */
interface Frame {
  readonly placed: PlacedFunction;
  /** Index of the next instruction. */
  index: number;
  /** Slot of the next instruction in the linked program. */
  slot: number;
}

/**
 * The functions of the linked program, in order; the program itself is the first.
 *
 * @throws {LinkError} if a function is missing.
 */
export function layOut(program: ProgramSpec, functions: Functions): PlacedFunction[] {
  const layout = new Layout(program, functions);
  layout.place({ label: program.label, instructions: program.instructions });
  const callback = exceptionCallback(program, functions);
  if (callback !== undefined) layout.place(callback);
  return layout.placed;
}

class Layout {
  readonly placed: PlacedFunction[] = [];
  readonly #program: ProgramSpec;
  readonly #functions: Functions;
  readonly #labels = new Set<Label>();
  #slots = 0;

  constructor(program: ProgramSpec, functions: Functions) {
    this.#program = program;
    this.#functions = functions;
  }

  /** Appends a function and all that it reaches. */
  place(root: { readonly label: Label; readonly instructions: readonly Instruction[] }): void {
    if (this.#labels.has(root.label)) return;
    const stack = [this.#append(root)];
    while (stack.length > 0) {
      const frame = stack[stack.length - 1]!;
      const insn = frame.placed.instructions[frame.index];
      if (insn === undefined) {
        stack.pop();
        continue;
      }
      const target = this.#functions.target(insn);
      if (target === "missing") throw this.#missing(insn, frame);
      frame.index++;
      frame.slot += insn.slots;
      if (target !== undefined && !this.#labels.has(target.label)) stack.push(this.#append(target));
    }
  }

  #append(spec: { readonly label: Label; readonly instructions: readonly Instruction[] }): Frame {
    const placed: PlacedFunction = { label: spec.label, instructions: spec.instructions, slot: this.#slots };
    this.placed.push(placed);
    this.#labels.add(spec.label);
    this.#slots += slotCount(spec.instructions);
    return { placed, index: 0, slot: placed.slot };
  }

  #missing(insn: Instruction, frame: Frame): LinkError {
    const place = placeOf(this.#program, frame.placed.instructions, frame.index, frame.slot);
    const name = insn.get(REFERENCE)?.name ?? "";
    return new LinkError(
      `${place}: refers to "${name}", which is not among the functions to link: functions that are called belong into ` +
        "section .text (no SEC() on them)",
    );
  }
}

/**
 * The function that the program's tags name as its exception callback.
 *
 * @throws {LinkError} if it is missing or not global.
 */
function exceptionCallback(program: ProgramSpec, functions: Functions): FunctionSpec | undefined {
  const tags = program.instructions[0]?.get(FUNC_TAGS) ?? [];
  const names = tags.filter((tag) => tag.componentIndex === -1 && tag.name.startsWith(EXCEPTION_CALLBACK))
    .map((tag) => tag.name.slice(EXCEPTION_CALLBACK.length));
  const [name] = names;
  // The verifier itself refuses several.
  if (name === undefined || names.length > 1) return undefined;
  const callback = functions.named(name);
  if (callback === undefined) {
    throw new LinkError(
      `program "${program.name}" (section "${program.section}"): its exception callback "${name}" is not a global function`,
    );
  }
  return callback;
}
