/**
 * `debpf prog attach` and `detach`: programs of sockmaps, and the flow dissector; without a link, so that they stay.
 *
 * @module
 */
import { progAttach, progDetach } from "../../ffi/sys/mod.ts";
import { BpfAttachType } from "../../lib/uapi/mod.ts";
import type { Words } from "../btf/words.ts";
import { UsageError } from "../command.ts";
import { done } from "../map/elements.ts";
import { takeMap, takeProgram } from "../objects.ts";
import type { Output } from "../output.ts";

const TYPES = {
  sk_msg_verdict: BpfAttachType.BPF_SK_MSG_VERDICT,
  sk_skb_verdict: BpfAttachType.BPF_SK_SKB_VERDICT,
  sk_skb_stream_verdict: BpfAttachType.BPF_SK_SKB_STREAM_VERDICT,
  sk_skb_stream_parser: BpfAttachType.BPF_SK_SKB_STREAM_PARSER,
  flow_dissector: BpfAttachType.BPF_FLOW_DISSECTOR,
} as const;

/** Words of attach types. */
export const PROG_ATTACH_TYPES: readonly string[] = Object.keys(TYPES);

/** Attaches, or detaches, the program that the next words name. */
export async function attachOrDetach(words: Words, what: "attach" | "detach", output: Output): Promise<number> {
  using program = await takeProgram(words);
  const word = words.peek();
  const name = words.keyword(...Object.keys(TYPES) as (keyof typeof TYPES)[]);
  if (name === undefined) {
    throw new UsageError(
      word === undefined
        ? "ATTACH_TYPE is missing"
        : `"${word}" is no attach type here; there are ${PROG_ATTACH_TYPES.join(", ")}`,
    );
  }
  using map = name === "flow_dissector" ? undefined : await takeMap(words);
  words.end();
  const request = { attachBpfFd: program.fd, attachType: TYPES[name], targetFd: map?.fd };
  if (what === "attach") progAttach(request);
  else progDetach(request);
  return done(output);
}
