/**
 * Functions of loaded programs, as targets of other programs.
 *
 * @module
 */
import { nearestNames } from "../../lib/core/mod.ts";
import { UnsupportedError } from "../../lib/errors.ts";
import { BtfKind } from "../../lib/uapi/mod.ts";
import { loadedBtf } from "../btf/mod.ts";
import type { BpfProgram } from "../program/mod.ts";

/**
 * Type id of a function of a loaded program, in the program's own BTF.
 *
 * @param place What a message begins with: `program "p"`.
 * @param target The program that has it.
 * @param name The function.
 * @throws {UnsupportedError} if the program was loaded without BTF.
 * @throws {Error} if it has no such function, with the names of those that are close.
 */
export function functionOfProgram(place: string, target: BpfProgram, name: string): number {
  const { btfId } = target.info();
  if (btfId === 0) {
    throw new UnsupportedError(
      "programs without BTF as targets",
      `${place}: program "${target.name}" was loaded without BTF, so that its functions cannot be named: build it with -g`,
    );
  }
  const btf = loadedBtf(btfId);
  const [id] = btf.findIds(name, BtfKind.Func);
  if (id !== undefined) return id;
  const names: string[] = [];
  for (const type of btf.types()) if (type.kind === BtfKind.Func) names.push(type.name);
  const near = nearestNames(name, names);
  const others = (near.length > 0 ? near : names).map((other) => `"${other}"`).join(", ");
  throw new Error(`${place}: program "${target.name}" has no function "${name}"; it has ${others || "none"}`);
}
