import { assertEquals, assertThrows } from "@std/assert";
import { findField, formatDeclaration } from "../../../../lib/btf/questions/mod.ts";
import { FormatError } from "../../../../lib/errors.ts";
import { kernel } from "./kernels.ts";

const BTF = kernel(false);

/** Each step as `base + offset in bits: type path`. */
function steps(path: string): string[] {
  return findField(BTF, path).steps.map(({ base, path, offsetBits, bitfieldBits, type }) => {
    return `${formatDeclaration(base)} + ${offsetBits}: ${formatDeclaration(type, path)}${
      bitfieldBits ? `:${bitfieldBits}` : ""
    }`;
  });
}

Deno.test("findField() follows members, pointers, indices and anonymous unions", () => {
  assertEquals(steps("task_struct.mm.owner"), [
    "struct task_struct + 64: struct mm_struct *mm",
    "struct mm_struct + 0: struct task_struct *owner",
  ]);
  assertEquals(steps("struct task_struct->se.runs[1]"), ["struct task_struct + 608: unsigned int se.runs[1]"]);
  assertEquals(steps("task_struct.leader"), ["struct task_struct + 192: long int leader"]);
  assertEquals(steps("task_struct.flag"), ["struct task_struct + 160: unsigned int flag:1"]);
  assertEquals(steps("task_struct.comm[3]"), ["struct task_struct + 280: char comm[3]"]);
  assertEquals(steps("task_struct.cred->euid"), [
    "struct task_struct + 384: const struct cred *cred",
    "const struct cred + 32: unsigned int euid",
  ]);
  assertEquals(steps("mm_struct.users[1].pid"), [
    "struct mm_struct + 128: struct task_struct *users[1]",
    "struct task_struct + 128: pid_t pid",
  ]);
  assertEquals(steps("task_struct.mm[2].owner"), [
    "struct task_struct + 64: struct mm_struct *mm",
    "struct mm_struct + 384: struct task_struct *[2].owner",
  ]);
  assertEquals(steps("current.pid"), ["struct task_struct + 128: pid_t pid"]);
  assertEquals(steps("pid_t"), ["pid_t + 0: pid_t"]);
});

Deno.test("findField() says what is missing", () => {
  for (
    const [path, message] of [
      ["nothing.a", 'vmlinux 6.1: has no struct, union, typedef or variable "nothing"'],
      ["union task_struct", 'has no union "task_struct"'],
      ["task_struct.nope", '"task_struct.nope": struct task_struct has no member "nope"'],
      ["task_struct.mm.owner.x", 'struct task_struct has no member "x"'],
      ["task_struct.pid.x", '"task_struct.pid.x": int has no members, so there is no "x"'],
      ["task_struct.comm[16]", "char[16] has no element [16]"],
      ["task_struct.pid[0]", "int has no elements"],
      ["task_struct..mm", '"..mm" is neither .MEMBER nor [INDEX]'],
      [".mm", "a path starts with the name of a type"],
      ["", "a path starts with the name of a type"],
    ] as const
  ) assertThrows(() => findField(BTF, path), FormatError, message);
});
