/**
 * Two small kernels, the second of which is newer, for tests of questions.
 *
 * @module
 */
import { Btf, BtfBuilder, type BtfType, type Member } from "../../../../lib/btf/mod.ts";
import { BtfKind } from "../../../../lib/uapi/mod.ts";
import {
  array,
  bitfield,
  enumeration,
  int,
  member,
  modifier,
  pointer,
  struct,
  typedef,
  union,
} from "../value/make_types.ts";

function func(name: string, returns: BtfType, ...params: [string, BtfType][]): BtfType {
  const target: BtfType = {
    kind: BtfKind.FuncProto,
    id: 0,
    name: "",
    returns,
    params: params.map(([name, type]) => ({ name, type })),
  };
  return { kind: BtfKind.Func, id: 0, name, target, linkage: "static" };
}

/** `newer`: with what changed. */
export function kernel(newer: boolean): Btf {
  const builder = new BtfBuilder();
  const u32 = int("unsigned int", 4);
  const long = int("long int", 8, { signed: true });
  const pid = typedef("pid_t", int("int", 4, { signed: true }));
  const mmMembers: Member[] = [];
  const mm = struct("mm_struct", 24, mmMembers);
  const cred = struct("cred", 8, [member("uid", u32, 0), member("euid", u32, 4)]);
  const task = struct("task_struct", newer ? 88 : 80, [
    member("state", newer ? u32 : long, 0),
    member("mm", pointer(mm), 8),
    member("pid", pid, 16),
    bitfield("flag", u32, 160, 1),
    member("", union("", 8, [member("group", pointer(pid), 0), member("leader", long, 0)]), 24),
    member("comm", array(int("char", 1, { signed: true }), 16), 32),
    member("cred", pointer(modifier(BtfKind.Const, cred)), 48),
    ...(newer ? [] : [member("old", long, 56)]),
    member("se", struct("", 16, [member("load", long, 0), member("runs", array(u32, 2), 8)]), newer ? 56 : 64),
    ...(newer ? [member("added", cred, 72)] : []),
  ]);
  mmMembers.push(member("owner", pointer(task), 0), member("users", array(pointer(task), 2), 8));
  builder.add(task);
  const states: Record<string, number> = newer ? { RUN: 0, STOP: 2, DEAD: 3 } : { RUN: 0, STOP: 1, GONE: 9 };
  builder.add(enumeration("state", states));
  builder.add(func("wake_up", pid, [newer ? "t" : "task", pointer(task)]));
  builder.add(func("exit_mm", newer ? pid : u32, ["mm", pointer(mm)], ["code", newer ? long : u32]));
  builder.add(typedef("cookie_t", newer ? long : u32));
  builder.add(struct(newer ? "only_new" : "only_old", 4, [member("a", u32, 0)]));
  builder.add(int("time", newer ? 8 : 4, { signed: true }));
  builder.add({ kind: BtfKind.Var, id: 0, name: "current", target: newer ? pointer(task) : task, linkage: "global" });
  builder.add(func(newer ? "new_call" : "old_call", pid));
  return Btf.parse(builder.encode(), { what: newer ? "vmlinux 7.0" : "vmlinux 6.1" });
}
