/**
 * Programs of cgroups, in bpftool's words.
 *
 * @module
 */
import { cgroup2Mount, cgroupPath, type HookProgram, queryHook } from "../../ffi/attach/mod.ts";
import { hostBtf } from "../../ffi/btf/mod.ts";
import { progGetFdById, type ProgInfo, progInfo, readDir, SyscallError } from "../../ffi/sys/mod.ts";
import { BpfAttachFlag, type BpfAttachType } from "../../lib/uapi/mod.ts";
import { EXIT } from "../command.ts";
import { attachTypeName } from "../kernel_names.ts";
import type { Output } from "../output.ts";
import { CGROUP_ATTACH_TYPES } from "./attach_types.ts";

/** A program of a cgroup. */
interface Attached {
  readonly type: BpfAttachType;
  readonly program: HookProgram;
  readonly info: ProgInfo;
}

/** Prints the programs of one cgroup. */
export function showCgroup(path: string, effective: boolean, output: Output): number {
  const attached = programsOf(cgroupPath(path), effective);
  if (output.json) {
    output.value(attached.map((one) => attachedJson(one, effective)));
    return EXIT.done;
  }
  output.line(heading(effective));
  for (const one of attached) output.line(attachedLine(one, effective));
  return EXIT.done;
}

/** Prints the cgroups below one that have programs. */
export function showTree(root: string | undefined, effective: boolean, output: Output): number {
  const found: { cgroup: string; programs: object[] }[] = [];
  if (!output.json) {
    output.line("CgroupPath");
    output.line(heading(effective));
  }
  for (const cgroup of below(root === undefined ? cgroup2Mount() : cgroupPath(root))) {
    const attached = programsOf(cgroup, effective);
    if (attached.length === 0) continue;
    if (output.json) {
      found.push({ cgroup, programs: attached.map((one) => attachedJson(one, effective)) });
    } else {
      output.line(cgroup);
      for (const one of attached) output.line(`    ${attachedLine(one, effective)}`);
    }
  }
  if (output.json) output.value(found);
  return EXIT.done;
}

/** A cgroup and all below it. */
function* below(cgroup: string): Generator<string, undefined> {
  yield cgroup;
  const names = readDir(cgroup).filter(({ kind }) => kind === "directory").map(({ name }) => name);
  for (const name of names.sort()) {
    try {
      yield* below(`${cgroup}/${name}`);
    } catch (error) {
      // It was removed meanwhile.
      if (!(error instanceof SyscallError) || error.code !== "ENOENT") throw error;
    }
  }
}

function programsOf(cgroup: string, effective: boolean): Attached[] {
  return CGROUP_ATTACH_TYPES.flatMap((type) =>
    query(cgroup, type, effective).flatMap((program) => {
      const info = infoOf(program.id);
      return info === undefined ? [] : [{ type, program, info }];
    })
  );
}

/** None where the kernel does not know the attach type, or was built without it (`BPF_LSM_CGROUP`). */
function query(cgroup: string, attachType: BpfAttachType, effective: boolean): readonly HookProgram[] {
  try {
    return queryHook({ cgroup, attachType, effective }).programs;
  } catch (error) {
    if (error instanceof SyscallError && (error.code === "EINVAL" || error.code === "EOPNOTSUPP")) return [];
    throw error;
  }
}

/** `undefined`: it went meanwhile. */
function infoOf(id: number): ProgInfo | undefined {
  try {
    using fd = progGetFdById(id);
    return progInfo(fd.value);
  } catch (error) {
    if (error instanceof SyscallError && error.code === "ENOENT") return undefined;
    throw error;
  }
}

function attachedJson({ type, program, info }: Attached, effective: boolean): object {
  return {
    id: program.id,
    attach_type: attachTypeName(type),
    ...(effective ? {} : { attach_flags: flagsText(program.flags) }),
    name: info.name,
    attach_btf_name: btfName(info),
    attach_btf_obj_id: info.attachBtfObjId,
    attach_btf_id: info.attachBtfId,
  };
}

function attachedLine({ type, program, info }: Attached, effective: boolean): string {
  const flags = effective ? "" : `${flagsText(program.flags).padEnd(15)} `;
  const name = [info.name, btfName(info)].filter((part) => part !== "").join(" ");
  return `${String(program.id).padEnd(8)} ${attachTypeName(type).padEnd(15)} ${flags}${name}`.trimEnd();
}

function heading(effective: boolean): string {
  return `${"ID".padEnd(8)} ${"AttachType".padEnd(15)} ${effective ? "" : `${"AttachFlags".padEnd(15)} `}Name`;
}

/** `multi`, `override`; nothing for one that is alone. */
function flagsText(flags: number): string {
  switch (flags & (BpfAttachFlag.BPF_F_ALLOW_MULTI | BpfAttachFlag.BPF_F_ALLOW_OVERRIDE)) {
    case 0:
      return "";
    case BpfAttachFlag.BPF_F_ALLOW_MULTI:
      return "multi";
    case BpfAttachFlag.BPF_F_ALLOW_OVERRIDE:
      return "override";
    default:
      return `unknown(${flags.toString(16)})`;
  }
}

/** The LSM hook of such a program; empty for others. */
function btfName({ attachBtfId }: ProgInfo): string {
  return attachBtfId === 0 ? "" : hostBtf().nameOf(attachBtfId);
}
