/**
 * Programs in, relocated programs out.
 *
 * @module
 */
import { type Instruction, LABEL, SOURCE } from "../asm/mod.ts";
import { CORE_RELOCATION, type CoreRelocation } from "../btf/mod.ts";
import { RelocationError } from "../errors.ts";
import { applyFixup } from "./apply_fixup.ts";
import type { CoreTarget } from "./candidates.ts";
import { objectOrder } from "./relocate.ts";
import { type RelocateOptions, Relocator } from "./relocator.ts";

/** A relocation and where it was found. */
interface Site {
  readonly relocation: CoreRelocation;
  readonly stream: number;
  /** Index of the instruction in its stream. */
  readonly index: number;
}

/**
 * A program with its CO-RE relocations ({@linkcode CORE_RELOCATION} of its instructions) applied; the one given is not
 * changed. Every instruction takes as many slots as before.
 *
 * @param insns The program; relocations of several functions and objects may be in it.
 * @param targets The kernel first, then its modules.
 * @param options How local type ids are found.
 * @throws {RelocationError} naming function, instruction and line of source.
 */
export function applyRelocations(
  insns: readonly Instruction[],
  targets: readonly CoreTarget[],
  options: RelocateOptions = {},
): Instruction[] {
  return applyAllRelocations([insns], targets, options)[0]!;
}

/**
 * All functions of an object with their CO-RE relocations applied at once. This is what libbpf does: relocations narrow
 * each other's candidates across functions, in the order of the object. (It leaves out programs that are not to be loaded.)
 *
 * @param streams Programs and subprograms.
 * @param targets The kernel first, then its modules.
 * @param options How local type ids are found.
 * @throws {RelocationError} naming function, instruction and line of source.
 */
export function applyAllRelocations(
  streams: readonly (readonly Instruction[])[],
  targets: readonly CoreTarget[],
  options: RelocateOptions = {},
): Instruction[][] {
  const sites: Site[] = [];
  for (const [stream, insns] of streams.entries()) {
    for (let index = 0; index < insns.length; index++) {
      const relocation = insns[index]!.get(CORE_RELOCATION);
      if (relocation !== undefined) sites.push({ relocation, stream, index });
    }
  }
  const relocator = new Relocator(targets, options);
  const results = streams.map((insns) => [...insns]);
  // Second slots of poisoned 64-bit loads; they go in last, because indices count the instructions given.
  const tails: { stream: number; index: number; insn: Instruction }[] = [];
  for (const position of objectOrder(sites.map((site) => site.relocation))) {
    const { relocation, stream, index } = sites[position]!;
    const insns = streams[stream]!;
    try {
      const [patched, tail] = applyFixup(insns[index]!, relocator.resolve(relocation));
      results[stream]![index] = patched!;
      if (tail !== undefined) tails.push({ stream, index, insn: tail });
    } catch (error) {
      if (!(error instanceof RelocationError)) throw error;
      throw new RelocationError(`${describePlace(insns, index)}:\n  ${error.message}`, { cause: error });
    }
  }
  tails.sort((a, b) => b.index - a.index);
  for (const { stream, index, insn } of tails) results[stream]!.splice(index + 1, 0, insn);
  return results;
}

/** `function "handle_exec", instruction 14, exec.bpf.c:31`: the slot is counted from the function's first. */
function describePlace(insns: readonly Instruction[], index: number): string {
  let source = insns[index]!.get(SOURCE);
  let first = index;
  let slot = 0;
  while (first > 0 && insns[first]!.get(LABEL) === undefined) {
    first--;
    source ??= insns[first]!.get(SOURCE);
    slot += insns[first]!.slots;
  }
  const label = insns[first]!.get(LABEL);
  const where = label === undefined ? `instruction ${slot}` : `function "${label.name}", instruction ${slot}`;
  return source === undefined ? where : `${where}, ${source.file}:${source.line}`;
}
