/**
 * Programs of netfilter's hooks (6.4).
 *
 * @module
 */
import { UnsupportedError } from "../../lib/errors.ts";
import { BpfAttachType, BpfNetfilterFlag } from "../../lib/uapi/mod.ts";
import type { BpfProgram } from "../program/mod.ts";
import * as sys from "../sys/mod.ts";
import { attaching } from "./attaching.ts";
import { Link } from "./link.ts";

/** A family of netfilter that programs can be attached for. */
export type NetfilterFamily = "ipv4" | "ipv6";
/** A hook of netfilter, by the name that nft gives it. */
export type NetfilterHook = "prerouting" | "input" | "forward" | "output" | "postrouting";

/** `NFPROTO_*` (linux/netfilter.h). */
const FAMILIES: Readonly<Record<NetfilterFamily, number>> = { ipv4: 2, ipv6: 10 };
/** `NF_INET_*` (linux/netfilter.h). */
const HOOKS: Readonly<Record<NetfilterHook, number>> = {
  prerouting: 0,
  input: 1,
  forward: 2,
  output: 3,
  postrouting: 4,
};

/** How a netfilter program is attached. */
export interface AttachNetfilterOptions {
  /** Protocol family. */
  readonly family: NetfilterFamily;
  /** Where packets come by. */
  readonly hook: NetfilterHook;
  /** Place among everything at that hook: the lower, the earlier; neither -2147483648 nor 2147483647. */
  readonly priority: number;
  /** Give the program whole packets, not fragments (6.6); the priority has to be above -400. */
  readonly defrag?: boolean | undefined;
}

/**
 * Attaches a program to a hook of netfilter in this thread's network namespace.
 *
 * @throws {UnsupportedError} if this kernel has no such links.
 * @throws {sys.SyscallError} if the kernel refuses it: code `EBUSY` if something has that priority.
 */
export function attachNetfilter(program: BpfProgram, options: AttachNetfilterOptions): Link {
  const { family, hook, priority, defrag = false } = options;
  const target = `${family} ${hook} priority ${priority}`;
  return attaching(program, `netfilter ${target}`, () => {
    const netfilter = {
      pf: FAMILIES[family],
      hooknum: HOOKS[hook],
      priority,
      flags: defrag ? BpfNetfilterFlag.BPF_F_NETFILTER_IP_DEFRAG : 0,
    };
    try {
      const fd = sys.linkCreate({ progFd: program.fd, attachType: BpfAttachType.BPF_NETFILTER, netfilter });
      return new Link({ kind: "netfilter", target, program: program.name, fds: [fd], links: [fd] });
    } catch (error) {
      if (!(error instanceof sys.SyscallError) || error.code !== "EOPNOTSUPP") throw error;
      const message = `program "${program.name}", netfilter ${target}: this kernel cannot ` +
        (defrag ? "defragment for programs (Linux 6.6)" : "attach programs to netfilter (CONFIG_NETFILTER_BPF_LINK)");
      throw new UnsupportedError("netfilter programs", message, { since: defrag ? "6.6" : "6.4", cause: error });
    }
  });
}
