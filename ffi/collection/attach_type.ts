/**
 * The attach type that a program is loaded with, where that is more than its section name says.
 *
 * @module
 */
import type { ProgramSpec } from "../../lib/spec/mod.ts";
import { BpfAttachType } from "../../lib/uapi/mod.ts";
import { hasUprobeMultiLink } from "../features/mod.ts";

/**
 * What the kernel is told. USDT programs are attached to all places of a probe by one link where the kernel has such links,
 * and have to be loaded for that.
 *
 * @param spec The program.
 * @param expected What its section name says.
 * @param token File descriptor of a BPF token, which stands for the caller's rights.
 */
export function loadedAttachType(
  spec: ProgramSpec,
  expected: BpfAttachType | 0,
  token: number | undefined,
): BpfAttachType | 0 {
  const multi = spec.attach === "usdt" && expected === 0 && hasUprobeMultiLink(token);
  return multi ? BpfAttachType.BPF_TRACE_UPROBE_MULTI : expected;
}
