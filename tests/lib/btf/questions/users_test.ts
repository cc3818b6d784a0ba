import { assertEquals, assertThrows } from "@std/assert";
import { Btf } from "../../../../lib/btf/mod.ts";
import { findUsers } from "../../../../lib/btf/questions/mod.ts";
import { FormatError } from "../../../../lib/errors.ts";
import { BtfKind } from "../../../../lib/uapi/mod.ts";
import { Blob } from "../blob.ts";
import { kernel } from "./kernels.ts";

function users(btf: Btf, name: string): [string, readonly string[]][] {
  return findUsers(btf, btf.find(name)!.id).map(({ user, places }) => [user.name, places]);
}

Deno.test("findUsers() looks through pointers, arrays, qualifiers, prototypes and what has no name", () => {
  const btf = kernel(false);
  assertEquals(users(btf, "task_struct"), [
    ["mm_struct", ["owner", "users"]],
    ["wake_up", ["task"]],
    ["current", []],
  ]);
  assertEquals(users(btf, "cred"), [["task_struct", ["cred"]]]);
  assertEquals(users(btf, "pid_t"), [["task_struct", ["pid", "group"]], ["wake_up", ["return"]], ["old_call", [
    "return",
  ]]]);
  assertEquals(users(btf, "long int"), [["task_struct", ["state", "leader", "old", "se.load"]]]);
  assertEquals(users(btf, "only_old"), []);
});

Deno.test("findUsers() of a split BTF finds those in the base and its own", () => {
  const base = new Blob();
  base.int("int");
  base.struct("task", 8, ["self", 3, 0]);
  base.type("", BtfKind.Ptr, { sizeOrType: 2 });
  const split = new Blob({ base });
  split.struct("own", 8, ["task", 3, 0]);
  split.type("", BtfKind.FuncProto, { vlen: 1, sizeOrType: 1 }, 0, 3);
  split.type("f", BtfKind.Func, { sizeOrType: 5 });
  const kernel = Btf.parse(base.bytes());
  const module = Btf.parse(split.bytes(), { base: kernel });
  assertEquals(users(kernel, "task"), [["task", ["self"]]]);
  assertEquals(users(module, "task"), [["task", ["self"]], ["own", ["task"]], ["f", ["#0"]]]);
});

Deno.test("findUsers() of anonymous types that contain each other ends", () => {
  const blob = new Blob();
  blob.int("int");
  blob.struct("", 4, ["a", 3, 0], ["b", 1, 0]);
  blob.struct("", 4, ["a", 2, 0]);
  blob.struct("named", 4, ["x", 2, 0]);
  const btf = Btf.parse(blob.bytes());
  assertEquals(findUsers(btf, 1).map(({ user }) => user.name), ["named"]);
});

Deno.test("findUsers() refuses an id that does not exist", () => {
  assertThrows(() => findUsers(kernel(true), 1000), FormatError, "vmlinux 7.0: type id 1000 does not exist");
});
