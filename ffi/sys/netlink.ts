/**
 * Questions and commands to the kernel's network part, by a route netlink socket (rtnetlink(7)).
 *
 * @module
 */
import { HOST_BYTE_ORDER } from "../../lib/bytes.ts";
import { calls } from "./calls.ts";
import { Errno } from "./errno.ts";
import { SyscallError } from "./errors.ts";
import { callError } from "./fail.ts";
import type { Fd } from "./fd.ts";
import {
  AttributeReader,
  type Attributes,
  decodeMessages,
  encodeMessage,
  type NetlinkMessage,
} from "./netlink_message.ts";
import { AddressFamily, setSocketOption, SOCK_NONBLOCK, socket, SocketType } from "./socket.ts";

/** Flags of requests (linux/netlink.h). */
export const NetlinkFlag = {
  /** Send the notification to the asker too. */
  NLM_F_ECHO: 0x8,
  /** Put it in the place of one that is there. */
  NLM_F_REPLACE: 0x100,
  /** All, not one. */
  NLM_F_DUMP: 0x300,
  /** Fail if it is there. */
  NLM_F_EXCL: 0x200,
  /** Make it if it is not there. */
  NLM_F_CREATE: 0x400,
} as const;

const NLM_F_REQUEST = 0x1;
const NLM_F_ACK = 0x4;
/** The acknowledgement has attributes; with NETLINK_CAP_ACK it does not repeat the request before them. */
const NLM_F_ACK_TLVS = 0x200;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const NETLINK_ROUTE = 0;
const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
/** `struct nlmsgerr`: the error, the header of the request, then attributes. */
const NLMSGERR_HEADER_BYTES = 4 + 16;
const NLMSGERR_ATTR_MSG = 1;
/** The kernel makes datagrams of at most 32 KiB. */
const DATAGRAM_BYTES = 1 << 16;
const LITTLE = HOST_BYTE_ORDER === "little";

/** What is asked of the kernel. */
export interface NetlinkRequest {
  /** What it is, for messages: `"RTM_NEWQDISC"`. */
  readonly name: string;
  /** `RTM_*`. */
  readonly type: number;
  /** {@linkcode NetlinkFlag}s beside those that every request has. */
  readonly flags?: number | undefined;
  /** The structure after the header. */
  readonly fixed: Uint8Array;
  /** Attributes. */
  readonly attributes?: Attributes | undefined;
}

/**
 * Asks, and gives the kernel's messages in answer, without the acknowledgement. A socket is opened for each request: they are
 * rare, and one that stayed open would belong to the network namespace of its first use.
 *
 * @throws {SyscallError} if the kernel refuses it, with the kernel's own words where it has some.
 */
export function netlink(request: NetlinkRequest): NetlinkMessage[] {
  using fd = openSocket();
  const { name, type, flags = 0, fixed, attributes = {} } = request;
  const dump = (flags & NetlinkFlag.NLM_F_DUMP) === NetlinkFlag.NLM_F_DUMP;
  const message = encodeMessage(type, NLM_F_REQUEST | (dump ? 0 : NLM_F_ACK) | flags, 1, fixed, attributes);
  const sent = calls.write(fd.value, message);
  if (sent < 0) throw netlinkError(name, sent);
  const buffer = new Uint8Array(DATAGRAM_BYTES);
  const answers: NetlinkMessage[] = [];
  for (;;) {
    const length = receive(fd, buffer);
    if (length < 0) throw netlinkError(name, length);
    for (const answer of decodeMessages(buffer.slice(0, length))) {
      if (answer.type === NLMSG_DONE) return answers;
      if (answer.type === NLMSG_ERROR) {
        const result = answer.body.getInt32(0, LITTLE);
        if (result === 0) return answers;
        throw netlinkError(name, result, answer);
      }
      answers.push(answer);
    }
  }
}

/**
 * The next datagram. What was asked is done when the answer is fetched, so a failure to fetch it is not one to do it: it is
 * fetched once more. (A full buffer is told once: netlink(7), ENOBUFS.)
 */
function receive(fd: Fd, buffer: Uint8Array<ArrayBuffer>): number {
  const length = calls.read(fd.value, buffer);
  return length < 0 ? calls.read(fd.value, buffer) : length;
}

function openSocket(): Fd {
  using cleanup = new DisposableStack();
  // The kernel answers while it is asked: there is nothing to wait for, and an answer that was lost is not waited for.
  const fd = cleanup.use(socket(AddressFamily.AF_NETLINK, SocketType.SOCK_RAW | SOCK_NONBLOCK, NETLINK_ROUTE));
  for (const option of [NETLINK_CAP_ACK, NETLINK_EXT_ACK]) {
    try {
      setSocketOption(fd.value, SOL_NETLINK, option, 1);
    } catch (error) {
      // Kernels before 4.12 explain nothing, and are not less right.
      if (!(error instanceof SyscallError) || error.code !== "ENOPROTOOPT") throw error;
    }
  }
  cleanup.move();
  return fd;
}

function netlinkError(name: string, result: number, answer?: NetlinkMessage): SyscallError {
  const words = answer === undefined ? undefined : explanation(answer);
  const hint = words ?? (result === -Errno.EPERM ? "this needs CAP_NET_ADMIN: run as root" : undefined);
  return callError(`netlink(${name})`, result, hint);
}

/** The kernel's own words. */
function explanation({ flags, body }: NetlinkMessage): string | undefined {
  if ((flags & NLM_F_ACK_TLVS) === 0) return undefined;
  return new AttributeReader(body, NLMSGERR_HEADER_BYTES).text(NLMSGERR_ATTR_MSG);
}
