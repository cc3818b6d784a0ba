/**
 * Programs of cgroups: packets, sockets, addresses, options, devices, sysctls, LSM hooks of the processes in them.
 *
 * @module
 */
import { BpfAttachFlag, type BpfAttachType } from "../../lib/uapi/mod.ts";
import type { BpfProgram } from "../program/mod.ts";
import * as sys from "../sys/mod.ts";
import { attaching, detachUnlessGone, loadedFor } from "./attaching.ts";
import { cgroupPath } from "./cgroup_path.ts";
import { HeldProgram } from "./held_program.ts";
import { type Attachable, Link } from "./link.ts";
import { cgroupKind } from "./link_kind.ts";
import { kernelPlacement, type Placement } from "./placement.ts";

/**
 * How programs of a cgroup and of those below it go together: `"multi"`, all of them run; `"override"`, that of a cgroup below
 * runs instead; `"exclusive"`, cgroups below may have none.
 */
export type CgroupMode = "multi" | "override" | "exclusive";

/**
 * How a program is attached to a cgroup. It is placed before or after links, or with `link: false` before or after programs
 * without links.
 */
export interface AttachCgroupOptions extends Placement {
  /** The cgroup: an absolute path, or one below the root of cgroup version 2 (`""` is the root). */
  readonly path: string;
  /** `BPF_CGROUP_*`, `BPF_LSM_CGROUP`; by default what the program was loaded for. */
  readonly attachType?: BpfAttachType | undefined;
  /** Before programs of cgroups below too (6.15): where a cgroup's programs otherwise run after those. */
  readonly preorder?: boolean | undefined;
  /** `"multi"` by default, which a link always is; the others are attached without a link. */
  readonly mode?: CgroupMode | undefined;
  /** Take the place of this program, which was attached without a link and with `"multi"` (5.6). */
  readonly replace?: Attachable | undefined;
  /** `false`: without a link; it stays until it is detached, or its cgroup is removed. */
  readonly link?: boolean | undefined;
}

const MODE_FLAGS: Readonly<Record<CgroupMode, number>> = {
  multi: BpfAttachFlag.BPF_F_ALLOW_MULTI,
  override: BpfAttachFlag.BPF_F_ALLOW_OVERRIDE,
  exclusive: 0,
};

const ORDER_HINT =
  "programs of a cgroup have an order since Linux 6.16 (preorder: 6.15); a link is placed by other links, a " +
  "program without a link by other such programs";

/**
 * Attaches a program to a cgroup of version 2, and so to all cgroups below.
 *
 * By a BPF link (5.7), which goes with the process; without one before, and where a mode or a program to replace is asked for.
 *
 * @throws {Error} if there is no such cgroup, or the attach type is not known.
 * @throws {sys.SyscallError} if the kernel refuses it: code `EPERM` also if a cgroup above has an exclusive program, `ESTALE`
 * if the list has another revision than is expected.
 */
export function attachCgroup(program: BpfProgram, options: AttachCgroupOptions): Link {
  const { mode = "multi", replace, link = mode === "multi" && replace === undefined } = options;
  const path = cgroupPath(options.path);
  const attachType = options.attachType ?? loadedFor(program);
  if (attachType === undefined) {
    throw new TypeError(`program "${program.name}": it was loaded for no attach type: give one, attachType`);
  }
  const { flags: placeFlags, relative } = kernelPlacement(options);
  const flags = placeFlags | (options.preorder === true ? BpfAttachFlag.BPF_F_PREORDER : 0);
  return attaching(program, `cgroup "${path}"`, () => {
    using cleanup = new DisposableStack();
    const cgroup = cleanup.use(sys.open(path));
    const about = { kind: cgroupKind(attachType), target: path, program: program.name };
    if (link) {
      try {
        const fd = sys.linkCreate({ progFd: program.fd, targetFd: cgroup.value, attachType, flags, relative });
        return new Link({ ...about, fds: [fd], links: [fd] });
      } catch (error) {
        if (!(error instanceof sys.SyscallError) || error.code !== "EINVAL") throw error;
        if (flags !== 0 || relative !== undefined) {
          throw new sys.SyscallError(error.call, error.errno, { hint: ORDER_HINT });
        }
        // Kernels before 5.7 have no such links. What is wrong otherwise is so without a link too.
      }
    }
    const held = cleanup.use(new HeldProgram(program));
    const { BPF_F_REPLACE } = BpfAttachFlag;
    const common = { targetFd: cgroup.value, attachType };
    const attachFlags = flags | MODE_FLAGS[mode];
    sys.progAttach({
      ...common,
      ...relative,
      attachBpfFd: program.fd,
      attachFlags: attachFlags | (replace === undefined ? 0 : BPF_F_REPLACE),
      replaceBpfFd: replace?.fd,
    });
    cleanup.move();
    return new Link({
      ...about,
      fds: [cgroup],
      undo: () => held.release((attachBpfFd) => detachUnlessGone(() => sys.progDetach({ ...common, attachBpfFd }))),
      // Of one program alone the kernel replaces whichever it is.
      update: mode !== "multi" ? undefined : (next, expected) => {
        held.replace(next, expected, (attachBpfFd) => {
          const attachFlags = MODE_FLAGS.multi | BPF_F_REPLACE;
          sys.progAttach({ ...common, attachBpfFd, attachFlags, replaceBpfFd: held.fd });
        });
      },
    });
  });
}
