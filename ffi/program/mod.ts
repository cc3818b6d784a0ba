/**
 * Loaded programs: verification, test runs.
 *
 * @module
 */
export type {
  ContextInput,
  ContextOutput,
  SkBuffContext,
  SkLookupContext,
  TracepointArgs,
  XdpContext,
} from "./context_types.ts";
export * from "./program.ts";
export type { RunOptions, RunResult } from "./run.ts";
export { findComplaint, type VerifierComplaint } from "./verifier_log.ts";
