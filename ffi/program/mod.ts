/**
 * Loaded programs: verification, test runs.
 *
 * @module
 */
export * from "./program.ts";
export { findComplaint, type VerifierComplaint } from "./verifier_log.ts";
