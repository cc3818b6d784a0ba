import { assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { Btf } from "../../../../lib/btf/mod.ts";
import { type CDumpOptions, formatC } from "../../../../lib/btf/dump/mod.ts";
import { FormatError } from "../../../../lib/errors.ts";
import type { BtfType, FuncProtoType, FwdType, Mutable } from "./types.ts";
import { BtfKind } from "../../../../lib/uapi/mod.ts";
import {
  array,
  bitfield,
  BOOL,
  CHAR,
  enum64,
  enumeration,
  int,
  member,
  modifier,
  pointer,
  S32,
  struct,
  typedef,
  U16,
  U32,
  U64,
  U8,
  union,
  VOID,
} from "../value/make_types.ts";
import { definitions, toBtf } from "./to_btf.ts";

const UNSORTED: CDumpOptions = { unsorted: true };

/** The definitions of some types, in their order. */
function c(types: BtfType[], options: CDumpOptions = {}): string {
  return definitions(formatC(toBtf(...types), options));
}

function proto(returns: BtfType, ...params: [string, BtfType][]): FuncProtoType {
  const list = params.map(([name, type]) => ({ name, type }));
  return { kind: BtfKind.FuncProto, id: 0, name: "", returns, params: list };
}

function typeTag(name: string, target: BtfType, attribute = false): BtfType {
  return { kind: BtfKind.TypeTag, id: 0, name, target, attribute };
}

Deno.test("formatC() head and foot are those of bpftool", () => {
  assertEquals(
    formatC(toBtf(S32)),
    `#ifndef __VMLINUX_H__
#define __VMLINUX_H__

#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute push (__attribute__((preserve_access_index)), apply_to = record)
#endif

#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute pop
#endif

#endif /* __VMLINUX_H__ */
`,
  );
});

Deno.test("formatC() declarations: pointers, arrays, functions and qualifiers around a name", () => {
  const constChar = modifier(BtfKind.Const, CHAR);
  const file = struct("file", 0, []);
  const types: [string, BtfType][] = [
    ["const char *name;", pointer(constChar)],
    ["char * const name;", modifier(BtfKind.Const, pointer(CHAR))],
    ["volatile const char name;", modifier(BtfKind.Const, modifier(BtfKind.Volatile, CHAR))],
    ["char name[4];", array(CHAR, 4)],
    ["char name[2][3];", array(array(CHAR, 3), 2)],
    ["char *name[4];", array(pointer(CHAR), 4)],
    ["char (*name)[4];", pointer(array(CHAR, 4))],
    ["void *name;", pointer(VOID)],
    ["int (*name)(void);", pointer(proto(S32))],
    ["int (*name)(void);", pointer(proto(S32, ["", VOID]))],
    [
      "int (*name)(struct file *, const char *, ...);",
      pointer(proto(S32, ["", pointer(file)], ["", pointer(constChar)], ["", VOID])),
    ],
    ["int (*name[2])(int);", array(pointer(proto(S32, ["", S32])), 2)],
    ["void (* (*name)(int))(char);", pointer(proto(pointer(proto(VOID, ["", CHAR])), ["", S32]))],
    ['int __attribute__((btf_type_tag("user"))) *name;', pointer(typeTag("user", S32))],
    ["int __attribute__((address_space(1))) *name;", pointer(typeTag("address_space(1)", S32, true))],
  ];
  for (const [text, type] of types) {
    const shown = c([struct("s", 64, [member("name", type, 0)])]);
    assertStringIncludes(shown, `\n\t${text}\n`);
  }
});

Deno.test("formatC() a struct that points at itself and at one that points back", () => {
  const list: Mutable<BtfType> = struct("list", 16, []);
  const node = struct("node", 16, [member("list", pointer(list), 0), member("next", pointer(VOID), 8)]);
  Object.assign(list, { members: [member("self", pointer(list), 0), member("node", node, 0)] });
  Object.assign(list, { members: [member("self", pointer(list), 0), member("node", pointer(node), 8)] });
  assertEquals(
    c([list]),
    `struct node;

struct list {
	struct list *self;
	struct node *node;
};

struct node {
	struct list *list;
	void *next;
};`,
  );
});

Deno.test("formatC() what is embedded comes first, also by way of a pointer to a body without a name", () => {
  const inner = struct("z_inner", 4, [member("x", S32, 0)]);
  const outer = struct("outer", 8, [member("p", pointer(struct("", 4, [member("y", inner, 0)])), 0)]);
  assertEquals(
    c([outer]),
    `struct z_inner {
	int x;
};

struct outer {
	struct {
		struct z_inner y;
	} *p;
};`,
  );
});

Deno.test("formatC() sorts by kind and name; unsorted keeps the order of ids", () => {
  const types = [
    struct("b", 4, [member("x", S32, 0)]),
    struct("a", 4, [member("x", S32, 0)]),
    typedef("number", S32),
    enumeration("e", { E: 1 }),
    enumeration("", { CONSTANT: 1 }),
  ];
  const order = (text: string) => [...text.matchAll(/^(struct \w+|typedef|enum \w*)/gm)].map(([word]) => word.trim());
  assertEquals(order(c(types)), ["enum", "enum e", "typedef", "struct a", "struct b"]);
  assertEquals(order(c(types, UNSORTED)), ["struct b", "struct a", "typedef", "enum e", "enum"]);
});

Deno.test("formatC() several of one name are told apart, by numbers that no other name has", () => {
  const types = [
    struct("s", 4, [member("x", S32, 0)]),
    union("s", 8, [member("x", U64, 0)]),
    struct("s___2", 1, [member("x", CHAR, 0)]),
    typedef("ONE", S32),
    enumeration("e", { ONE: 1 }),
  ];
  const text = c(types);
  assertStringIncludes(text, "struct s {");
  assertStringIncludes(text, "union s___3 {");
  assertStringIncludes(text, "struct s___2 {");
  assertStringIncludes(text, "\tONE = 1,");
  assertStringIncludes(text, "typedef int ONE___2;");
  assertStringIncludes(c(types, UNSORTED), "union s___2 {");
});

Deno.test("formatC() enums of any size", () => {
  const text = c([
    enumeration("plain", { A: 1, B: 0xffffffff }),
    enumeration("negative", { C: -1 }, { signed: true }),
    enumeration("byte", { D: 0xffffffff }, { size: 1 }),
    enumeration("half", { E: 2 }, { size: 2 }),
    enumeration("wide", { F: 3 }, { size: 8 }),
    enum64("large", { G: 1n << 40n }),
    enum64("small", { H: 5n }),
    enum64("low", { I: -(1n << 40n) }, { signed: true }),
  ]);
  assertStringIncludes(text, "enum plain {\n\tA = 1,\n\tB = 4294967295,\n};");
  assertStringIncludes(text, "enum negative {\n\tC = -1,\n};");
  assertStringIncludes(text, "\tD = 255,\n} __attribute__((mode(byte)));");
  assertStringIncludes(text, "\tE = 2,\n} __attribute__((mode(HI)));");
  assertStringIncludes(text, "\tF = 3,\n} __attribute__((mode(DI)));");
  assertStringIncludes(text, "\tG = 1099511627776ULL,\n};");
  assertStringIncludes(text, "\tH = 5ULL,\n} __attribute__((mode(DI)));");
  assertStringIncludes(text, "\tI = -1099511627776LL,\n};");
});

Deno.test("formatC() structs: packed where members or size ask for it, padded where they leave gaps", () => {
  const text = c([
    struct("natural", 16, [member("a", CHAR, 0), member("b", U64, 8)]),
    struct("packed", 9, [member("a", CHAR, 0), member("b", U64, 1)]),
    struct("odd_size", 9, [member("a", U64, 0), member("b", CHAR, 8)]),
    struct("gap", 64, [member("a", U64, 0), member("b", U64, 24)]),
    struct("bits", 8, [bitfield("a", U32, 0, 3), bitfield("b", U32, 20, 4), member("c", U32, 4)]),
    struct("crossing", 8, [bitfield("a", U32, 0, 20), bitfield("b", U32, 20, 20), member("c", U8, 7)]),
  ]);
  assertStringIncludes(text, "struct natural {\n\tchar a;\n\tunsigned long long b;\n};");
  assertStringIncludes(text, "struct packed {\n\tchar a;\n\tunsigned long long b;\n} __attribute__((packed));");
  assertStringIncludes(text, "struct odd_size {\n\tunsigned long long a;\n\tchar b;\n} __attribute__((packed));");
  assertMatch(text, /struct gap \{\n\t.* a;\n\tlong: 64;\n\tlong: 64;\n\t.* b;\n(\tlong: 64;\n){4}\};/);
  assertMatch(text, /struct bits \{\n.*\n\tchar: 8;\n\tchar: 4;\n.* b: 4;\n.* c;\n\};/);
  assertMatch(text, /struct crossing \{\n.* a: 20;\n.* b: 20;\n\tshort: 16;\n.* c;\n\} __attribute__\(\(packed\)\);/);
});

Deno.test("formatC() bitfields from before kind_flag, which only their integer tells", () => {
  const three = int("unsigned int", 4, { bits: 3 });
  const five = int("unsigned int", 4, { bits: 5, offsetBits: 3 });
  assertStringIncludes(
    c([struct("legacy", 4, [member("a", three, 0), member("b", five, 0)])]),
    "struct legacy {\n\tunsigned int a: 3;\n\tunsigned int b: 5;\n",
  );
});

Deno.test("formatC() unions: packed, aligned or filled to be as large as they are", () => {
  const text = c([
    union("packed", 9, [member("a", U64, 0), member("b", array(CHAR, 9), 0)]),
    union("aligned", 16, [member("a", array(U32, 3), 0)]),
    union("filled", 20, [member("a", CHAR, 0)]),
    union("empty", 0, []),
  ]);
  assertMatch(text, /union packed \{\n.*\n.*\n\} __attribute__\(\(packed\)\);/);
  assertMatch(text, /union aligned \{\n\tunsigned int a\[3\];\n\} __attribute__\(\(aligned\(8\)\)\);/);
  assertMatch(text, /union filled \{\n\tchar a;\n\tstruct \{\n(\t\tint: 32;\n){5}\t\};\n\};/);
  assertStringIncludes(text, "union empty {};");
});

Deno.test("formatC() a member without a name is written out, whatever its type is called", () => {
  const body = struct("tagged", 8, [member("x", S32, 0), member("y", S32, 4)]);
  const text = c([
    struct("by_tag", 8, [member("", body, 0)]),
    struct("by_typedef", 8, [member("", typedef("body_t", body), 0)]),
    struct("by_const", 8, [member("", modifier(BtfKind.Const, body), 0)]),
  ]);
  for (const name of ["by_tag", "by_typedef", "by_const"]) {
    assertStringIncludes(text, `struct ${name} {\n\tstruct {\n\t\tint x;\n\t\tint y;\n\t};\n};`);
  }
});

Deno.test("formatC() what compilers define by themselves is not defined", () => {
  const tag = struct("__va_list_tag", 8, [member("p", pointer(VOID), 0)]);
  const builtin = typedef("__builtin_va_list", array(tag, 1));
  const types = [struct("printer", 8, [member("args", builtin, 0)]), typedef("__gnuc_va_list", VOID)];
  const text = c(types);
  assertStringIncludes(text, "struct printer {\n\tstruct __va_list_tag args[1];\n};");
  assertStringIncludes(text, "typedef __builtin_va_list __gnuc_va_list;");
  assertStringIncludes(c(types, UNSORTED), "struct printer {\n\t__builtin_va_list args;\n};");
  assertEquals(text.includes("typedef struct __va_list_tag"), false);
});

Deno.test("formatC() roots: only those types and what they need", () => {
  const other = struct("other", 4, [member("x", S32, 0)]);
  const root = struct("root", 8, [member("p", pointer(other), 0)]);
  const btf = toBtf(root, struct("third", 2, [member("x", U16, 0)]));
  const id = btf.findIds("root")[0]!;
  assertEquals(
    definitions(formatC(btf, { roots: [id] })),
    "struct other;\n\nstruct root {\n\tstruct other *p;\n};",
  );
  assertEquals(definitions(formatC(btf, { roots: [] })), "");
  assertThrows(() => formatC(btf, { roots: [99] }), FormatError, "type id 99 does not exist");
});

Deno.test("formatC() a declaration without definition, and one of a union", () => {
  const fwd: FwdType = { kind: BtfKind.Fwd, id: 0, name: "later", union: true };
  assertStringIncludes(c([typedef("later_t", pointer(fwd))]), "union later;\n\ntypedef union later *later_t;");
});

Deno.test("formatC() a split BTF is written with its base", () => {
  const base = toBtf(struct("base", 4, [member("x", S32, 0)]));
  // A header of 24 bytes, one struct that has the base's as its only member, one string.
  const name = new TextEncoder().encode("own\0");
  const bytes = new Uint8Array(24 + 24 + name.length);
  const words = new Uint32Array(bytes.buffer, 0, 12);
  words.set([0x0001eb9f, 24, 0, 24, 24, name.length]);
  words.set([base.stringEnd, BtfKind.Struct << 24 | 1, 4, base.stringEnd, base.findIds("base")[0]!, 0], 6);
  bytes.set(name, 48);
  const split = Btf.parse(bytes, { base });
  const text = definitions(formatC(split));
  assertEquals(text, "struct base {\n\tint x;\n};\n\nstruct own {\n\tstruct base own;\n};");
  assertEquals(definitions(formatC(split, { roots: [split.ownStartId] })), text);
});

Deno.test("formatC() bool and its bitfields", () => {
  const text = c([struct("flags", 1, [bitfield("a", BOOL, 0, 1), bitfield("b", BOOL, 1, 1)])]);
  assertStringIncludes(text, "struct flags {\n\t_Bool a: 1;\n\t_Bool b: 1;\n};");
});
