import { assertEquals } from "@std/assert";
import { Btf, BtfBuilder, type BtfType } from "../../../../lib/btf/mod.ts";
import { diffBtf, type TypeChange } from "../../../../lib/btf/questions/mod.ts";
import { BtfKind } from "../../../../lib/uapi/mod.ts";
import { int, member, pointer, struct } from "../value/make_types.ts";
import { kernel } from "./kernels.ts";

const TASK = {
  sort: "struct",
  name: "task_struct",
  sizes: { before: 80, after: 88 },
  parts: [
    {
      kind: "retyped",
      name: "state",
      before: { text: "long int", offsetBits: 0 },
      after: { text: "unsigned int", offsetBits: 0 },
    },
    {
      kind: "moved",
      name: "se.load",
      before: { text: "long int", offsetBits: 512 },
      after: { text: "long int", offsetBits: 448 },
    },
    {
      kind: "moved",
      name: "se.runs",
      before: { text: "unsigned int[2]", offsetBits: 576 },
      after: { text: "unsigned int[2]", offsetBits: 512 },
    },
    { kind: "added", name: "added", after: { text: "struct cred", offsetBits: 576 } },
    { kind: "removed", name: "old", before: { text: "long int", offsetBits: 448 } },
  ],
} as const;

Deno.test("diffBtf() tells what was added, removed and changed, and names of parameters are nothing", () => {
  const diff = diffBtf(kernel(false), kernel(true));
  assertEquals(diff.added, [{ sort: "struct", name: "only_new" }, { sort: "func", name: "new_call" }]);
  assertEquals(diff.removed, [{ sort: "struct", name: "only_old" }, { sort: "func", name: "old_call" }]);
  assertEquals(diff.changed, [
    TASK,
    {
      sort: "enum",
      name: "state",
      sizes: { before: 4, after: 4 },
      parts: [
        { kind: "changed", name: "STOP", before: { text: "1" }, after: { text: "2" } },
        { kind: "added", name: "DEAD", after: { text: "3" } },
        { kind: "removed", name: "GONE", before: { text: "9" } },
      ],
    },
    {
      sort: "typedef",
      name: "cookie_t",
      parts: [{
        kind: "changed",
        name: "",
        before: { text: "unsigned int cookie_t" },
        after: { text: "long int cookie_t" },
      }],
    },
    {
      sort: "number",
      name: "time",
      sizes: { before: 4, after: 8 },
      parts: [{ kind: "changed", name: "", before: { text: "4 bytes, signed" }, after: { text: "8 bytes, signed" } }],
    },
    {
      sort: "func",
      name: "exit_mm",
      parts: [{
        kind: "changed",
        name: "",
        before: { text: "unsigned int exit_mm(struct mm_struct *mm, unsigned int code)" },
        after: { text: "pid_t exit_mm(struct mm_struct *mm, long int code)" },
      }],
    },
    {
      sort: "var",
      name: "current",
      parts: [{
        kind: "changed",
        name: "",
        before: { text: "struct task_struct current" },
        after: { text: "struct task_struct *current" },
      }],
    },
  ]);
});

Deno.test("diffBtf() of the same is empty, and of some names tells of these only", () => {
  const [old, now] = [kernel(false), kernel(true)];
  assertEquals(diffBtf(old, kernel(false)), { added: [], removed: [], changed: [] });
  const names = ["task_struct", "struct only_new", "enum only_old", "pid_t", "wake_up"];
  assertEquals(diffBtf(old, now, { names }), {
    added: [{ sort: "struct", name: "only_new" }],
    removed: [],
    changed: [TASK],
  });
});

Deno.test("diffBtf() compares those of several types of one name that have no equal", () => {
  const make = (...sizes: number[]): Btf => {
    const builder = new BtfBuilder();
    for (const size of sizes) builder.add(struct("s", size, [member("a", int("int", 4, { signed: true }), 0)]));
    return Btf.parse(builder.encode());
  };
  const sizes = (before: number, after: number): TypeChange[] => {
    return [{ sort: "struct", name: "s", sizes: { before, after }, parts: [] }];
  };
  assertEquals(diffBtf(make(4, 8), make(8, 12)).changed, sizes(4, 12));
  assertEquals(diffBtf(make(4, 8), make(8)).changed, []);
  assertEquals(diffBtf(make(4, 8), make(8, 12), { names: ["s"] }).changed, sizes(4, 12));
});

Deno.test("diffBtf() takes a declaration for the struct of its name", () => {
  const make = (target: BtfType): Btf => {
    const builder = new BtfBuilder();
    builder.add(struct("s", 8, [member("p", pointer(target), 0)]));
    return Btf.parse(builder.encode());
  };
  const declared = make({ kind: BtfKind.Fwd, id: 0, name: "t", union: false });
  const defined = make(struct("t", 4, []));
  assertEquals(diffBtf(declared, defined), { added: [{ sort: "struct", name: "t" }], removed: [], changed: [] });
});
