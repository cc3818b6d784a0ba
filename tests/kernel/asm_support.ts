/**
 * What the running kernel is too old for, by its version: tests of instructions leave that out.
 *
 * @module
 */
import { type Instruction, instructionFeature, isHelperCall } from "../../lib/asm/mod.ts";
import { collectionNeeds } from "../../lib/spec/needs/mod.ts";
import type { CollectionSpec } from "../../lib/spec/mod.ts";
import { compareKernelVersions, helperSince } from "../../lib/uapi/versions/mod.ts";
import { objectSpec } from "./support.ts";

/** The running kernel's version: `"6.18"`. */
export function kernelVersion(): string {
  return /^\d+\.\d+/.exec(Deno.osRelease())?.[0] ?? "0.0";
}

/** Whether the running kernel has what came with `version`. */
export function hasVersion(version: string): boolean {
  return compareKernelVersions(version, kernelVersion()) <= 0;
}

/** Whether the running kernel knows an instruction. */
export function knows(insn: Instruction): boolean {
  const since = isHelperCall(insn) ? helperSince(insn.imm) : instructionFeature(insn)?.since;
  return since === undefined || hasVersion(since);
}

/** Whether the running kernel has what an object of testdata needs. */
export function canLoad(compiler: string, name: string): boolean {
  if (Deno.build.os !== "linux") return false;
  const spec: CollectionSpec = objectSpec(compiler, name);
  const { since } = collectionNeeds(spec);
  return since !== undefined && hasVersion(since);
}
