/**
 * The struct_ops of a collection.
 *
 * @module
 */
import type { CoreTarget } from "../../lib/core/mod.ts";
import type { StructOpsImage, StructOpsMember } from "../../lib/linker/mod.ts";
import type { BpfAttachType } from "../../lib/uapi/mod.ts";
import { openModuleBtf } from "../btf/mod.ts";
import type { BpfProgram, ProgramImage } from "../program/mod.ts";
import { StructOps } from "../struct_ops/mod.ts";
import type * as sys from "../sys/mod.ts";
import type { Maps } from "./make_maps.ts";

/** What a program is loaded for. */
export type ProgramTarget = Pick<ProgramImage, "expectedAttachType" | "attachBtfId" | "attachBtfObjFd">;

/**
 * Opens the BTF of the modules whose structs are implemented, by name of module.
 *
 * @param owned Gets what has to be closed with the collection.
 */
export function openStructOpsModules(images: Iterable<StructOpsImage>, owned: DisposableStack): Map<string, sys.Fd> {
  const modules = new Map<string, sys.Fd>();
  for (const { target } of images) {
    if (isModule(target) && !modules.has(target.name)) modules.set(target.name, owned.use(openModuleBtf(target.name)));
  }
  return modules;
}

function isModule({ btf }: CoreTarget): boolean {
  return btf.base !== undefined;
}

/** The kernel is told the struct and the index of the member that a program stands for. */
export function structOpsTarget(member: StructOpsMember, modules: ReadonlyMap<string, sys.Fd>): ProgramTarget {
  return {
    expectedAttachType: member.index as BpfAttachType,
    attachBtfId: member.type.id,
    attachBtfObjFd: modules.get(member.target.name)?.value,
  };
}

/** Puts the loaded programs into the values of struct_ops maps. */
export function fillStructOps(
  maps: Maps,
  images: ReadonlyMap<string, StructOpsImage>,
  programs: ReadonlyMap<string, BpfProgram>,
): Map<string, StructOps> {
  const filled = new Map<string, StructOps>();
  for (const [name, image] of images) {
    const map = maps.all.get(name)!;
    filled.set(
      name,
      maps.reused.has(name)
        ? StructOps.reuse(map, image)
        : StructOps.fill(map, image, (program) => programs.get(program)!.fd),
    );
  }
  return filled;
}
