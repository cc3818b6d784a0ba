import { assertEquals } from "@std/assert";
import { Instruction, SOURCE } from "../../../../lib/asm/mod.ts";
import { HOST_BYTE_ORDER } from "../../../../lib/bytes.ts";
import {
  Btf,
  BtfBuilder,
  FUNC_INFO,
  type FuncType,
  marshalExtInfos,
  parseKernelFuncInfos,
  parseKernelLineInfos,
} from "../../../../lib/btf/mod.ts";
import { BtfKind } from "../../../../lib/uapi/mod.ts";

const EXIT = Instruction.of({ opcode: 0x95 });
const LOAD = Instruction.of({ opcode: 0x18, dst: 1 });

function func(name: string): FuncType {
  const returns = { kind: BtfKind.Unknown, id: 0, name: "" } as const;
  const target = { kind: BtfKind.FuncProto, id: 0, name: "", returns, params: [] } as const;
  return { kind: BtfKind.Func, id: 0, name, target, linkage: "static" };
}

for (const order of ["little", "big"] as const) {
  Deno.test(`marshalExtInfos() counts slots and survives joining programs, ${order}-endian`, () => {
    const line = (text: string, line: number) => ({ file: "a.c", line, column: 3, text });
    const main = [LOAD.with(FUNC_INFO, func("main")).with(SOURCE, line("load", 1)), EXIT.with(SOURCE, line("exit", 2))];
    const sub = [LOAD.with(FUNC_INFO, func("sub")), EXIT.with(SOURCE, line("exit", 0x3fffff))];
    const builder = new BtfBuilder({ order });
    const infos = marshalExtInfos([...main, ...sub], builder);
    assertEquals([infos.funcInfoCount, infos.funcInfoRecSize, infos.funcInfo.length], [2, 8, 16]);
    assertEquals([infos.lineInfoCount, infos.lineInfoRecSize, infos.lineInfo.length], [3, 16, 48]);

    const btf = Btf.parse(builder.encode());
    const funcs = parseKernelFuncInfos(infos.funcInfo, btf, { order });
    assertEquals(funcs.map((info) => [info.insnIndex, info.func.name]), [[0, "main"], [3, "sub"]]);
    const lines = parseKernelLineInfos(infos.lineInfo, btf, { order });
    assertEquals(
      lines.map((info) => [info.insnIndex, info.file, info.line, info.column, info.text]),
      [[0, "a.c", 1, 3, "load"], [2, "a.c", 2, 3, "exit"], [5, "a.c", 0x3fffff, 3, "exit"]],
    );
  });
}

Deno.test("marshalExtInfos() without metadata is empty and adds nothing", () => {
  const builder = new BtfBuilder();
  const infos = marshalExtInfos([LOAD, EXIT], builder);
  assertEquals([infos.funcInfo.length, infos.funcInfoCount, infos.lineInfo.length, infos.lineInfoCount], [0, 0, 0, 0]);
  assertEquals([builder.typeCount, builder.order], [1, HOST_BYTE_ORDER]);
});

Deno.test("marshalExtInfos() writes a line or column that has too many bits as unknown", () => {
  const builder = new BtfBuilder();
  const insn = (line: number, column: number) => EXIT.with(SOURCE, { file: "a.c", line, column, text: "" });
  const { lineInfo } = marshalExtInfos([insn(0x400000, 5), insn(5, 1024)], builder);
  const lines = parseKernelLineInfos(lineInfo, Btf.parse(builder.encode()));
  assertEquals(lines.map((info) => [info.line, info.column]), [[0, 5], [5, 0]]);
});
