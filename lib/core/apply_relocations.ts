/**
 * Programs in, relocated programs out.
 *
 * @module
 */
import type { Instruction } from "../asm/mod.ts";
import { applyFixup } from "./apply_fixup.ts";
import type { CoreTarget } from "./candidates.ts";
import { type RelocateOptions, Relocator } from "./relocator.ts";
import { findSites, objectOrder, relocationErrorAt } from "./sites.ts";

/**
 * A program with its CO-RE relocations (`CORE_RELOCATION` of its instructions) applied; the one given is not changed.
 * Every instruction takes as many slots as before.
 *
 * @param insns The program; relocations of several functions and objects may be in it.
 * @param targets The kernel first, then its modules.
 * @param options How local type ids are found.
 * @throws {RelocationError} naming function, instruction, line of source and relocation.
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
 * @throws {RelocationError} naming function, instruction, line of source and relocation.
 */
export function applyAllRelocations(
  streams: readonly (readonly Instruction[])[],
  targets: readonly CoreTarget[],
  options: RelocateOptions = {},
): Instruction[][] {
  const sites = findSites(streams);
  const relocator = new Relocator(targets, options);
  const results = streams.map((insns) => insns.slice());
  // Second slots of poisoned 64-bit loads; they go in last, because indices count the instructions given.
  const tails: { stream: number; index: number; insn: Instruction }[] = [];
  for (const position of objectOrder(sites.map((site) => site.relocation))) {
    const site = sites[position]!;
    const { stream, index } = site;
    const insns = streams[stream]!;
    try {
      const [patched, tail] = applyFixup(insns[index]!, relocator.resolve(site.relocation));
      results[stream]![index] = patched!;
      if (tail !== undefined) tails.push({ stream, index, insn: tail });
    } catch (error) {
      throw relocationErrorAt(insns, site, error);
    }
  }
  tails.sort((a, b) => b.index - a.index);
  for (const { stream, index, insn } of tails) results[stream]!.splice(index + 1, 0, insn);
  return results;
}
