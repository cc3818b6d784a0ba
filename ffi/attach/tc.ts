/**
 * Classifiers and actions of traffic control (`SEC("tc")`, `SEC("action")`) by netlink, on the `clsact` qdisc (4.5).
 *
 * Such classifiers stay with the device until they are taken away: a process that is killed leaves them. Where the kernel has
 * tcx (6.6), a link does the same and goes with the process.
 *
 * @module
 */
import { BpfProgType } from "../../lib/uapi/mod.ts";
import type { BpfProgram } from "../program/mod.ts";
import * as sys from "../sys/mod.ts";
import { attaching, detachUnlessGone, interfaceIndex, interfaceText } from "./attaching.ts";
import { checkExpected, HeldProgram } from "./held_program.ts";
import { Link } from "./link.ts";
import { attachTcx, hasTcx } from "./tcx.ts";

/** How a classifier or action is attached. */
export interface AttachTcOptions {
  /** The network device: its name, or its number. */
  readonly interface: string | number;
  /** Which way packets go: into the device or out of it. */
  readonly direction: sys.TcDirection;
  /** The lower, the earlier; by default after all that are there. */
  readonly priority?: number | undefined;
  /** Its number among those of its priority; by default a new one. */
  readonly handle?: number | undefined;
  /** Take the place of the classifier that has this priority and handle. */
  readonly replace?: boolean | undefined;
  /** By netlink also where the kernel has tcx. */
  readonly classic?: boolean | undefined;
}

/**
 * Attaches a classifier (in direct-action mode: its result is the verdict) or an action to a network device's packets.
 *
 * A classifier that asks for neither priority nor handle is attached by a tcx link where the kernel has tcx; the link's
 * `kind` says how it was done. Otherwise the `clsact` qdisc is made if it is not there, and removed with the last classifier
 * if it was made here.
 *
 * @throws {RangeError} if the priority does not fit 16 bits.
 * @throws {sys.SyscallError} if the kernel refuses it: code `ENODEV` if there is no such device, `EEXIST` if a classifier has
 * that priority and handle.
 */
export function attachTc(program: BpfProgram, options: AttachTcOptions): Link {
  const { interface: device, direction, priority, handle, replace, classic } = options;
  const target = `${interfaceText(device)} ${direction}`;
  if (priority !== undefined && !(Number.isInteger(priority) && priority >= 0 && priority <= 0xffff)) {
    throw new RangeError(`program "${program.name}": the priority of a classifier is 0 to 65535, not ${priority}`);
  }
  return attaching(program, `tc ${direction} of ${interfaceText(device)}`, () => {
    const ifindex = interfaceIndex(device);
    const action = program.type === BpfProgType.BPF_PROG_TYPE_SCHED_ACT;
    const ordered = priority !== undefined || handle !== undefined || replace === true;
    if (!action && !ordered && classic !== true && hasTcx(ifindex)) {
      return attachTcx(program, { interface: device, direction });
    }
    using cleanup = new DisposableStack();
    const qdisc = makeQdisc(ifindex);
    cleanup.defer(() => removeQdisc(qdisc));
    const held = cleanup.use(new HeldProgram(program));
    const common = { ifindex, direction, action };
    const request = { ...common, priority, handle, replace, progFd: program.fd, name: program.name };
    const place = sys.tcFilterAdd(request);
    cleanup.move();
    return new Link({
      kind: action ? "action" : "tc",
      target: `${target} priority ${place.priority} handle ${place.handle}`,
      program: program.name,
      fds: [],
      undo: () => {
        held.release((fd) => {
          // What took its place by a `replace` of somebody else is not ours.
          const own = action || programAt(ifindex, direction, place) === sys.progInfo(fd).id;
          if (own) detachUnlessGone(() => sys.tcFilterDelete(ifindex, { direction, ...place }));
        });
        removeQdisc(qdisc);
      },
      update: action ? undefined : (next, expected) => {
        // The kernel replaces a classifier's program whichever it is.
        if (expected !== undefined) checkExpected(expected, [programAt(ifindex, direction, place) ?? 0]);
        held.replace(next, undefined, (progFd) => {
          sys.tcFilterAdd({ ...common, ...place, progFd, name: next.name, replace: true });
        });
      },
    });
  });
}

type Place = Pick<sys.TcFilter, "priority" | "handle">;

/** Id of the program of a classifier; `undefined` if there is none. */
function programAt(ifindex: number, direction: sys.TcDirection, { priority, handle }: Place): number | undefined {
  const filters = sys.tcFilters(ifindex, direction);
  return filters.find((one) => one.priority === priority && one.handle === handle)?.progId;
}

/** A qdisc that classifiers are on. */
interface Qdisc {
  readonly ifindex: number;
  /** Network namespace and device. */
  readonly key: string;
}

/** Qdiscs that were made here: the last classifier takes its qdisc along, whichever of them made it. */
const made = new Set<string>();

function makeQdisc(ifindex: number): Qdisc {
  const key = `${sys.readLink("/proc/thread-self/ns/net")} ${ifindex}`;
  if (sys.clsactAdd(ifindex)) made.add(key);
  return { ifindex, key };
}

/** Removes the qdisc if it was made here and nothing is on it. */
function removeQdisc({ ifindex, key }: Qdisc): void {
  if (!made.has(key)) return;
  detachUnlessGone(() => {
    if (sys.hasTcFilters(ifindex)) return;
    made.delete(key);
    sys.clsactDelete(ifindex);
  });
}
