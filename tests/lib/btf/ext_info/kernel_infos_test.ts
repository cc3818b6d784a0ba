import { assertEquals, assertThrows } from "@std/assert";
import { HOST_BYTE_ORDER } from "../../../../lib/bytes.ts";
import { Btf, parseKernelFuncInfos, parseKernelLineInfos } from "../../../../lib/btf/mod.ts";
import { FormatError } from "../../../../lib/errors.ts";
import { BtfKind } from "../../../../lib/uapi/mod.ts";
import { Blob } from "../blob.ts";

function program() {
  const blob = new Blob({ order: HOST_BYTE_ORDER });
  const proto = blob.type("", BtfKind.FuncProto);
  const main = blob.type("main", BtfKind.Func, { sizeOrType: proto });
  const file = blob.string("a.c");
  const text = blob.string("  exit");
  return { btf: Btf.parse(blob.bytes()), proto, main, file, text };
}

function bytes(...words: number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(words).buffer);
}

Deno.test("parseKernelFuncInfos() takes offsets as they are: the kernel counts instructions", () => {
  const { btf, main } = program();
  const infos = parseKernelFuncInfos(bytes(0, main, 7, main), btf);
  assertEquals(infos.map((info) => [info.insnIndex, info.func.name]), [[0, "main"], [7, "main"]]);
  const larger = parseKernelFuncInfos(bytes(3, main, 99), btf, { recordSize: 12 });
  assertEquals(larger.map((info) => info.insnIndex), [3]);
  assertEquals(parseKernelFuncInfos(bytes(), btf), []);
});

Deno.test("parseKernelLineInfos() takes offsets as they are: the kernel counts instructions", () => {
  const { btf, file, text } = program();
  const infos = parseKernelLineInfos(bytes(5, file, text, 9 << 10 | 2), btf);
  assertEquals(infos.map((i) => [i.insnIndex, i.file, i.text, i.line, i.column]), [[5, "a.c", "exit", 9, 2]]);
});

Deno.test("parseKernelFuncInfos() and parseKernelLineInfos() refuse what is malformed", () => {
  const { btf, proto, main, file } = program();
  const what = "program 7";
  assertThrows(() => parseKernelFuncInfos(bytes(0, main, 1), btf, { what }), FormatError, "program 7: 12 bytes");
  assertThrows(() => parseKernelFuncInfos(bytes(0, proto), btf, { what }), FormatError, "not a function");
  assertThrows(() => parseKernelFuncInfos(bytes(0), btf, { recordSize: 4 }), FormatError, "record size 4");
  assertThrows(() => parseKernelLineInfos(bytes(0, file, 999, 0), btf), FormatError, "string offset 999");
  assertThrows(() => parseKernelLineInfos(bytes(0), btf), FormatError, "not a whole number of records");
});
