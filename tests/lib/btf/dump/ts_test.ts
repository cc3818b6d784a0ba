import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { compileCodec, type StructValue } from "../../../../lib/btf/mod.ts";
import { formatTypeScript } from "../../../../lib/btf/dump/mod.ts";
import { UnsupportedError } from "../../../../lib/errors.ts";
import { BtfKind } from "../../../../lib/uapi/mod.ts";
import {
  array,
  bitfield,
  BOOL,
  CHAR,
  datasec,
  enum64,
  enumeration,
  float,
  member,
  pointer,
  S32,
  struct,
  typedef,
  U128,
  U16,
  U32,
  U64,
  U8,
  union,
  variable,
} from "../value/make_types.ts";
import { toBtf } from "./to_btf.ts";

const COLOR = enumeration("color", { RED: 0, ROUGE: 0, GREEN: 1 });
const EVENT = struct("event", 192, [
  member("pid", S32, 0),
  member("ts", typedef("u64", U64), 8),
  member("comm", array(CHAR, 16), 16),
  member("next", pointer(), 32),
  bitfield("small", U32, 320, 3),
  bitfield("large", U64, 384, 40),
  bitfield("yes", BOOL, 424, 1),
  member("color", COLOR, 56),
  member("wide", enum64("wide", { BIG: 1n << 40n }), 64),
  member("half", float(4), 72),
  member("exact", float(16), 80),
  member("sum", U128, 96),
  member("", union("", 4, [member("port", U16, 0), member("raw", array(U8, 4), 0)]), 112),
  member("colors", array(COLOR, 2), 116),
  member("inner", struct("", 4, [member("x", U32, 0)]), 124),
  member("point", typedef("point_t", struct("", 8, [member("x", U32, 0), member("y", U32, 4)])), 128),
  member("grid", array(array(U8, 2), 2), 136),
  member("0odd", U8, 140),
  member("tail", array(U64, 0), 144),
]);

const TEXT = `// Values of BTF types, as debpf reads and writes them.

/** \`enum color\`, 4 bytes. */
export type color = "RED" | "GREEN" | number;

/** \`struct event\`, 192 bytes and a flexible array. */
export type event = {
  pid: number;
  ts: bigint;
  comm: string | Uint8Array;
  next: bigint;
  small: number;
  large: bigint;
  yes: boolean;
  color: color;
  wide: wide;
  half: number;
  exact: Uint8Array;
  sum: bigint;
  port: number;
  raw: number[];
  colors: color[];
  inner: {
    x: number;
  };
  point: point_t;
  grid: number[][];
  "0odd": number;
  tail: bigint[];
};

/** \`point_t\`, 8 bytes. */
export type point_t = {
  x: number;
  y: number;
};

/** \`enum wide\`, 8 bytes. */
export type wide = "BIG" | bigint;
`;

Deno.test("formatTypeScript() a struct of everything", () => {
  assertEquals(formatTypeScript(toBtf(EVENT)), TEXT);
});

Deno.test("formatTypeScript() says what the codec gives, member by member", () => {
  const value = compileCodec(EVENT, { order: "little" }).decodeBytes(new Uint8Array(200)) as StructValue;
  const body = TEXT.slice(TEXT.indexOf("export type event"), TEXT.indexOf("/** `point_t`"));
  const said = [...body.matchAll(/^ {2}"?(\w+)"?: (.*)/gm)].map(([, name, type]) => [name, type] as const);
  assertEquals(said.map(([name]) => name), Object.keys(value));
  const words: Record<string, string> = { color: "string", wide: "bigint", point_t: "object", "{": "object" };
  for (const [name, type] of said) {
    const word = type!.split(/[ ;]/)[0]!;
    const expected = word.endsWith("[]") || word === "Uint8Array" ? "object" : words[word] ?? word;
    assertEquals(typeof value[name!], expected, name);
  }
});

Deno.test("formatTypeScript() roots: of any kind that has values", () => {
  const btf = toBtf(typedef("pid_t", S32), EVENT, datasec(".data", 4, [[variable("counter", U32), 0, 4]]));
  const of = (name: string) => formatTypeScript(btf, { roots: btf.findIds(name) }).split("\n").slice(1).join("\n");
  assertEquals(of("pid_t"), "\n/** `typedef pid_t`, 4 bytes. */\nexport type pid_t = number;\n");
  assertEquals(of("counter"), "\n/** `variable counter`, 4 bytes. */\nexport type counter = number;\n");
  assertEquals(of(".data"), "\n/** `section .data`, 4 bytes. */\nexport type _data = {\n  counter: number;\n};\n");
  assertEquals(
    of("point_t"),
    "\n/** `point_t`, 8 bytes. */\nexport type point_t = {\n  x: number;\n  y: number;\n};\n",
  );
});

Deno.test("formatTypeScript() names: one each, none that TypeScript has itself", () => {
  const text = formatTypeScript(toBtf(
    struct("same", 4, [member("x", S32, 0)]),
    union("same", 4, [member("y", S32, 0)]),
    struct("string", 4, [member("z", S32, 0)]),
    struct("package", 0, []),
  ));
  assertStringIncludes(text, "export type same = {\n  x: number;");
  assertStringIncludes(text, "export type same___2 = {\n  y: number;");
  assertStringIncludes(text, "export type _string = {");
  assertStringIncludes(text, "export type _package = Record<never, never>;");
});

Deno.test("formatTypeScript() a root without values is an error", () => {
  const btf = toBtf({ kind: BtfKind.Fwd, id: 0, name: "later", union: false });
  assertThrows(() => formatTypeScript(btf, { roots: [1] }), UnsupportedError, "has no value");
  assertEquals(formatTypeScript(btf), "// Values of BTF types, as debpf reads and writes them.\n");
});
