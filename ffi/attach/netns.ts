/**
 * Programs of a network namespace: which socket gets a packet (5.9), and how headers are found in it.
 *
 * @module
 */
import { BpfAttachType } from "../../lib/uapi/mod.ts";
import type { BpfProgram } from "../program/mod.ts";
import * as sys from "../sys/mod.ts";
import { attaching, detachUnlessGone } from "./attaching.ts";
import { checkExpected, HeldProgram } from "./held_program.ts";
import { Link } from "./link.ts";

/** To which network namespace a program is attached. */
export interface AttachNetnsOptions {
  /** A path (`/run/netns/blue`, `/proc/PID/ns/net`) or a file descriptor; by default this thread's. */
  readonly netns?: string | number | undefined;
}

/** This thread's: another one's than the process' after setns(2). */
const OWN = "/proc/thread-self/ns/net";

/**
 * Lets a program choose the socket of packets that come to a network namespace (5.9). Several may be attached; they run in the
 * order of attaching.
 *
 * @throws {sys.SyscallError} if the kernel refuses it.
 */
export function attachSkLookup(program: BpfProgram, options: AttachNetnsOptions = {}): Link {
  const { netns = OWN } = options;
  return attaching(program, `sk_lookup of ${netnsText(netns)}`, () => {
    using opened = openNetns(netns);
    const fd = sys.linkCreate({ progFd: program.fd, targetFd: opened.value, attachType: BpfAttachType.BPF_SK_LOOKUP });
    return new Link({ kind: "sk_lookup", target: netnsText(netns), program: program.name, fds: [fd], links: [fd] });
  });
}

/**
 * Lets a program find the headers in the packets of a network namespace (4.20), in place of the kernel's own code. One program,
 * and none where the initial network namespace has one.
 *
 * By a BPF link since 5.8; before only for this thread's network namespace.
 *
 * @throws {sys.SyscallError} if the kernel refuses it: code `EEXIST` if there is one.
 */
export function attachFlowDissector(program: BpfProgram, options: AttachNetnsOptions = {}): Link {
  const { netns = OWN } = options;
  const about = { kind: "flow_dissector", target: netnsText(netns), program: program.name } as const;
  const attachType = BpfAttachType.BPF_FLOW_DISSECTOR;
  return attaching(program, `flow dissector of ${netnsText(netns)}`, () => {
    using opened = openNetns(netns);
    try {
      const fd = sys.linkCreate({ progFd: program.fd, targetFd: opened.value, attachType });
      return new Link({ ...about, fds: [fd], links: [fd] });
    } catch (error) {
      const noLinks = error instanceof sys.SyscallError && error.code === "EINVAL";
      if (!noLinks || options.netns !== undefined) throw error;
    }
    using cleanup = new DisposableStack();
    const held = cleanup.use(new HeldProgram(program));
    sys.progAttach({ attachBpfFd: program.fd, attachType });
    cleanup.move();
    return new Link({
      ...about,
      fds: [],
      undo: () => held.release((attachBpfFd) => detachUnlessGone(() => sys.progDetach({ attachBpfFd, attachType }))),
      update: (next, expected) => {
        if (expected !== undefined) {
          using own = openNetns(OWN);
          checkExpected(expected, sys.progQuery({ targetFd: own.value, attachType }).progIds);
        }
        held.replace(next, undefined, (attachBpfFd) => sys.progAttach({ attachBpfFd, attachType }));
      },
    });
  });
}

function openNetns(netns: string | number): sys.Fd {
  return typeof netns === "number" ? sys.duplicateFd(netns) : sys.open(netns);
}

function netnsText(netns: string | number): string {
  if (netns === OWN) return "this network namespace";
  return `network namespace ${typeof netns === "number" ? `of file descriptor ${netns}` : `"${netns}"`}`;
}
