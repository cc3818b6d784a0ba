import { assertEquals } from "@std/assert";
import type { BtfType } from "../../../../lib/btf/mod.ts";
import { formatDeclaration } from "../../../../lib/btf/questions/mod.ts";
import { BtfKind } from "../../../../lib/uapi/mod.ts";
import { array, bitfield, enumeration, int, member, modifier, pointer, struct, typedef } from "../value/make_types.ts";

const INT = int("int", 4, { signed: true });
const VOID: BtfType = { kind: BtfKind.Unknown, id: 0, name: "" };
const FILE = struct("file", 8, []);

function func(returns: BtfType, ...params: [string, BtfType][]): BtfType {
  return {
    kind: BtfKind.FuncProto,
    id: 0,
    name: "",
    returns,
    params: params.map(([name, type]) => ({ name, type })),
  };
}

Deno.test("formatDeclaration() writes what C would", () => {
  const read = func(INT, ["", pointer(FILE)], ["size", typedef("size_t", INT)]);
  const cases: [BtfType, string, string][] = [
    [INT, "int x", "int"],
    [pointer(VOID), "void *x", "void *"],
    [pointer(pointer(FILE)), "struct file **x", "struct file **"],
    [pointer(modifier(BtfKind.Const, FILE)), "const struct file *x", "const struct file *"],
    [modifier(BtfKind.Const, pointer(FILE)), "struct file *const x", "struct file *const"],
    [array(array(INT, 3), 2), "int x[2][3]", "int[2][3]"],
    [array(INT, 0), "int x[]", "int[]"],
    [pointer(array(INT, 4)), "int (*x)[4]", "int (*)[4]"],
    [pointer(read), "int (*x)(struct file *, size_t size)", "int (*)(struct file *, size_t size)"],
    [array(pointer(func(VOID)), 2), "void (*x[2])(void)", "void (*[2])(void)"],
    [pointer(func(pointer(func(INT)))), "int (*(*x)(void))(void)", "int (*(*)(void))(void)"],
    [func(INT, ["fmt", pointer(INT)], ["", VOID]), "int x(int *fmt, ...)", "int (int *fmt, ...)"],
    [enumeration("", { A: 1, B: 2 }), "enum { A = 1, B = 2 } x", "enum { A = 1, B = 2 }"],
    [enumeration("e", { A: 1 }), "enum e x", "enum e"],
    [
      struct("", 8, [member("a", INT, 0), bitfield("b", INT, 32, 3)]),
      "struct { int a; int b:3; } x",
      "struct { int a; int b:3; }",
    ],
    [{ kind: BtfKind.Fwd, id: 0, name: "u", union: true }, "union u x", "union u"],
    [
      { kind: BtfKind.Func, id: 0, name: "vfs_read", target: read, linkage: "static" },
      ...both(
        "int x(struct file *, size_t size)",
        "int vfs_read(struct file *, size_t size)",
      ),
    ],
  ];
  for (const [type, named, unnamed] of cases) {
    assertEquals([formatDeclaration(type, "x"), formatDeclaration(type)], [named, unnamed]);
  }
});

function both(named: string, unnamed: string): [string, string] {
  return [named, unnamed];
}

Deno.test("formatDeclaration() of a type that is defined by itself ends", () => {
  const cycle: { kind: typeof BtfKind.Ptr; id: number; name: string; target: BtfType } = {
    kind: BtfKind.Ptr,
    id: 0,
    name: "",
    target: INT,
  };
  cycle.target = cycle;
  assertEquals(formatDeclaration(cycle), `... ${"*".repeat(33)}`);
});
