/**
 * What attaches programs to functions of user programs.
 *
 * @module
 */
import type { Attachers } from "./attacher.ts";

/** By kind. */
export const USER_ATTACHERS: Attachers = {};
