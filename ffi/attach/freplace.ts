/**
 * Programs that take the place of a function of another program (`SEC("freplace/FUNCTION")`, 5.6).
 *
 * @module
 */
import { BpfAttachType } from "../../lib/uapi/mod.ts";
import type { BpfProgram } from "../program/mod.ts";
import * as sys from "../sys/mod.ts";
import { Link } from "./link.ts";
import { functionOfProgram } from "./program_function.ts";

/** Such programs have no attach type: the number 0, which is another one's too. */
const NONE = BpfAttachType.BPF_CGROUP_INET_INGRESS;

/** What {@linkcode attachFreplace} takes: without `target` the function that the program was loaded for. */
export interface AttachFreplaceOptions {
  /** Another program than the one it was loaded for, whose function has the same arguments and result (5.10). */
  readonly target?: BpfProgram | undefined;
  /** Its function. */
  readonly function?: string | undefined;
  /** What the link says it is on, without `target`. */
  readonly name?: string | undefined;
}

/**
 * Puts a program in the place of a function of another program, until the link is closed.
 *
 * @throws {Error} if `target` has no such function.
 * @throws {SyscallError} if the kernel refuses it: code `EBUSY` if it was replaced already, `EINVAL` if the functions differ.
 */
export function attachFreplace(program: BpfProgram, options: AttachFreplaceOptions = {}): Link {
  const { target, function: name, name: known } = options;
  const place = `program "${program.name}"`;
  if ((target === undefined) !== (name === undefined)) {
    throw new TypeError(`${place}: give the other program and its function, or neither`);
  }
  const other = target === undefined ? {} : {
    targetFd: target.fd,
    targetBtfId: functionOfProgram(place, target, name!),
  };
  const fd = link(program, place, other);
  const text = target === undefined ? known ?? "the function that it was loaded for" : `${target.name}:${name}`;
  return new Link({ kind: "freplace", target: text, program: program.name, fds: [fd], links: [fd] });
}

function link(program: BpfProgram, place: string, other: { targetFd?: number; targetBtfId?: number }): sys.Fd {
  try {
    return sys.linkCreate({ progFd: program.fd, attachType: NONE, ...other });
  } catch (error) {
    if (!(error instanceof sys.SyscallError)) throw error;
    // Before 5.19 (5.10 with a target) the only way there is.
    if (error.code !== "EINVAL" || other.targetFd !== undefined) throw error.at(place);
    return sys.rawTracepointOpen({ progFd: program.fd });
  }
}
