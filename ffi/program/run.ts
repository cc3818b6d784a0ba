/**
 * Test runs with contexts as objects.
 *
 * @module
 */
import type { Instruction } from "../../lib/asm/mod.ts";
import type { BpfProgType } from "../../lib/uapi/mod.ts";
import * as sys from "../sys/mod.ts";
import { contextCodec } from "./context.ts";
import type { ContextInput, ContextOutput } from "./context_types.ts";

/** `BPF_F_TEST_RUN_ON_CPU` (linux/bpf.h). */
const RUN_ON_CPU = 1;

/** How a program is run. */
export interface RunOptions extends Omit<sys.TestRunOptions, "ctx"> {
  /** The context: bytes, or an object of what its type of programs takes. */
  readonly ctx?: ContextInput | undefined;
}

/** What a run gave. */
export interface RunResult extends sys.TestRunResult {
  /** The context afterwards, as an object; `undefined` without one, and where the kernel gives none back. */
  readonly context: ContextOutput | undefined;
}

/**
 * Runs a program.
 *
 * @param insns Its instructions, where they are known: their BTF tells what a `syscall` program takes.
 */
export function runProgram(
  fd: number,
  type: BpfProgType,
  insns: readonly Instruction[] | undefined,
  options: RunOptions,
): RunResult {
  const { ctx, ...rest } = options;
  const { cpu, data } = rest;
  // Without the flag the kernel takes no CPU.
  const flags = cpu === undefined ? rest.flags : (rest.flags ?? 0) | RUN_ON_CPU;
  if (ctx === undefined) return { ...sys.progTestRun(fd, { ...rest, flags }), context: undefined };
  const codec = contextCodec(type, insns);
  const bytes = ctx instanceof Uint8Array ? ctx : codec.encode(ctx, data?.length);
  const result = sys.progTestRun(fd, { ...rest, flags, ctx: bytes });
  return { ...result, context: codec.decode(result.ctx) };
}
