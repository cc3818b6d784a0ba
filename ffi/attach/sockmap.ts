/**
 * Programs of sockmaps and sockhashes: what the sockets in them get and send is parsed and sent on.
 *
 * @module
 */
import { BpfAttachType, BpfProgType } from "../../lib/uapi/mod.ts";
import type { BpfProgram } from "../program/mod.ts";
import * as sys from "../sys/mod.ts";
import { attaching, detachUnlessGone, loadedFor } from "./attaching.ts";
import { checkExpected, HeldProgram } from "./held_program.ts";
import { type Attachable, Link } from "./link.ts";

/** What a program of a sockmap does. */
export type SockmapRole = "stream_parser" | "stream_verdict" | "verdict" | "msg_verdict";

const ROLES: Readonly<Record<SockmapRole, BpfAttachType>> = {
  stream_parser: BpfAttachType.BPF_SK_SKB_STREAM_PARSER,
  stream_verdict: BpfAttachType.BPF_SK_SKB_STREAM_VERDICT,
  verdict: BpfAttachType.BPF_SK_SKB_VERDICT,
  msg_verdict: BpfAttachType.BPF_SK_MSG_VERDICT,
};

/** How a program is attached to a sockmap. */
export interface AttachSockmapOptions {
  /** What it does; by default as the program's section name says. */
  readonly role?: SockmapRole | undefined;
}

/**
 * Attaches a program to a sockmap or sockhash, for the sockets that are put into it *from now on*: one for each role. (Also
 * after {@linkcode Link.update} sockets that are in it keep the program that it had.)
 *
 * By a BPF link since 6.10; before, the kernel takes it along with the map, or when the link is closed.
 *
 * @param program The program: of type sk_skb or sk_msg.
 * @param map The map.
 * @param options What it does.
 * @throws {TypeError} if neither the program nor `options` says what it does.
 * @throws {sys.SyscallError} if the kernel refuses it: code `EBUSY` if a link has that role, `EOPNOTSUPP` if roles do not go
 * together (`verdict` with `stream_verdict`).
 */
export function attachSockmap(program: BpfProgram, map: Attachable, options: AttachSockmapOptions = {}): Link {
  const role = options.role ?? roleOf(program);
  const attachType = ROLES[role];
  const about = {
    kind: role === "msg_verdict" ? "sk_msg" : "sk_skb",
    target: map.name,
    program: program.name,
  } as const;
  return attaching(program, `${role} of map "${map.name}"`, () => {
    try {
      const fd = sys.linkCreate({ progFd: program.fd, targetFd: map.fd, attachType });
      return new Link({ ...about, fds: [fd], links: [fd] });
    } catch (error) {
      // Before 6.10 there are no such links; what is wrong otherwise is so without a link too.
      if (!(error instanceof sys.SyscallError) || error.code !== "EINVAL") throw error;
    }
    using cleanup = new DisposableStack();
    const held = cleanup.use(new HeldProgram(program));
    const targetFd = cleanup.use(sys.duplicateFd(map.fd));
    const common = { targetFd: targetFd.value, attachType };
    sys.progAttach({ ...common, attachBpfFd: program.fd });
    cleanup.move();
    return new Link({
      ...about,
      fds: [targetFd],
      undo: () => held.release((attachBpfFd) => detachUnlessGone(() => sys.progDetach({ ...common, attachBpfFd }))),
      update: (next, expected) => {
        if (expected !== undefined) checkExpected(expected, sys.progQuery(common).progIds);
        held.replace(next, undefined, (attachBpfFd) => sys.progAttach({ ...common, attachBpfFd }));
      },
    });
  });
}

function roleOf(program: BpfProgram): SockmapRole {
  if (program.type === BpfProgType.BPF_PROG_TYPE_SK_MSG) return "msg_verdict";
  const wanted = loadedFor(program);
  const role = (Object.keys(ROLES) as SockmapRole[]).find((role) => ROLES[role] === wanted);
  if (role !== undefined) return role;
  throw new TypeError(
    `program "${program.name}": it was not loaded for one thing: say what it does, "stream_parser", "stream_verdict" or "verdict"`,
  );
}
