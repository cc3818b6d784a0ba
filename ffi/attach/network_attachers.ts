/**
 * What attaches programs to network devices, sockets and cgroups.
 *
 * @module
 */
import type { Attachers } from "./attacher.ts";

/** By kind. */
export const NETWORK_ATTACHERS: Attachers = {};
