import { assert, assertEquals, assertStrictEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { Instruction, LABEL, Label, SOURCE } from "../../../../lib/asm/mod.ts";
import type { ByteOrder } from "../../../../lib/bytes.ts";
import { Btf, CORE_RELOCATION, ExtInfos, FUNC_INFO } from "../../../../lib/btf/mod.ts";
import { FormatError } from "../../../../lib/errors.ts";
import { BpfCoreReloKind, BtfKind } from "../../../../lib/uapi/mod.ts";
import { Blob } from "../blob.ts";
import { extBytes, type ExtFields } from "./ext_blob.ts";

/** A BTF with two functions and a struct, and the offsets of some strings in it. */
function object(order: ByteOrder = "little") {
  const blob = new Blob({ order });
  const int = blob.int("int");
  const proto = blob.type("", BtfKind.FuncProto, { sizeOrType: int });
  const ids = {
    int,
    main: blob.type("main", BtfKind.Func, { vlen: 1, sizeOrType: proto }),
    sub: blob.type("sub", BtfKind.Func, { sizeOrType: proto }),
    task: blob.struct("task", 4, ["pid", int, 0]),
  };
  const strings = {
    text: blob.string(".text"),
    tp: blob.string("tp/x"),
    file: blob.string("a.c"),
    line: blob.string("\t  return 0;"),
    accessor: blob.string("0:0"),
  };
  return { btf: Btf.parse(blob.bytes(), { what: 'section ".BTF"' }), ids, strings };
}

/** Three instructions in four slots: ldimm64 takes two. */
const MOVE = Instruction.of({ opcode: 0xb7 });
const LOAD = Instruction.of({ opcode: 0x18, dst: 1 });
const EXIT = Instruction.of({ opcode: 0x95 });
const INSNS = [MOVE, LOAD, EXIT];

function lineCol(line: number, column: number): number {
  return line << 10 | column;
}

for (const order of ["little", "big"] as const) {
  Deno.test(`ExtInfos.parse() counts offsets in instructions and resolves types and strings, ${order}-endian`, () => {
    const { btf, ids, strings } = object(order);
    const bytes = extBytes({
      order,
      func: { sections: [{ nameOff: strings.tp, records: [[0, ids.main], [24, ids.sub]] }] },
      line: {
        sections: [
          { nameOff: strings.tp, records: [[8, strings.file, strings.line, lineCol(7, 12)]] },
          { nameOff: strings.text, records: [[0, strings.file, 0, lineCol(0x3fffff, 0x3ff)]] },
        ],
      },
      core: { sections: [{ nameOff: strings.tp, records: [[24, ids.task, strings.accessor, 2]] }] },
    });
    const infos = ExtInfos.parse(bytes, btf);
    assertEquals([...infos.sections.keys()], ["tp/x", ".text"]);

    const tp = infos.sections.get("tp/x");
    assertEquals(tp?.funcs.map((info) => [info.insnIndex, info.func.name]), [[0, "main"], [3, "sub"]]);
    assertEquals(
      tp?.lines.map((info) => [info.insnIndex, info.file, info.line, info.column, info.text]),
      [[1, "a.c", 7, 12, "return 0;"]],
    );
    const relocation = tp?.relocations[0];
    assertEquals(relocation?.insnIndex, 3);
    assertEquals(relocation?.relocation.kind, BpfCoreReloKind.BPF_CORE_FIELD_EXISTS);
    assertEquals([relocation?.relocation.accessor, relocation?.relocation.index], ["0:0", 0]);
    assertStrictEquals(relocation?.relocation.type, btf.type(ids.task));
    assertStrictEquals(relocation?.relocation.btf, btf);
    assertEquals(infos.sections.get(".text")?.lines.map((info) => [info.line, info.column, info.text]), [
      [0x3fffff, 0x3ff, ""],
    ]);
  });
}

Deno.test("ExtInfos.parse() of a 24-byte header reads no CO-RE part", () => {
  const { btf, ids, strings } = object();
  const bytes = extBytes({ func: { sections: [{ nameOff: strings.tp, records: [[0, ids.main]] }] } });
  const infos = ExtInfos.parse(bytes, btf);
  assertEquals(infos.sections.get("tp/x")?.relocations, []);
  assertEquals(ExtInfos.parse(extBytes({}), btf).sections.size, 0);
});

Deno.test("ExtInfos.parse() steps over fields of larger records", () => {
  const { btf, ids, strings } = object();
  const bytes = extBytes({
    func: { recordSize: 256, sections: [{ nameOff: strings.tp, records: [[0, ids.main, 9, 9], [24, ids.sub]] }] },
  });
  const funcs = ExtInfos.parse(bytes, btf).sections.get("tp/x")?.funcs;
  assertEquals(funcs?.map((info) => [info.insnIndex, info.func.name]), [[0, "main"], [3, "sub"]]);
});

Deno.test("ExtInfos.parse() refuses what is malformed, and names the place", () => {
  const { btf, ids, strings } = object();
  const { tp, file, line, accessor } = strings;
  const cases: [ExtFields, string][] = [
    [{ version: 2 }, "version 2"],
    [{ hdrLen: 16 }, "hdr_len is 16"],
    [{ hdrLen: 4096 }, "header"],
    [{ order: "big" }, "is big-endian"],
    [{ func: { recordSize: 4, sections: [] } }, "record size 4"],
    [{ func: { recordSize: 10, sections: [] } }, "record size 10"],
    [{ func: { recordSize: 260, sections: [] } }, "record size 260"],
    [{ line: { recordSize: 8, sections: [] } }, "record size 8"],
    [{ core: { recordSize: 12, sections: [] } }, "record size 12"],
    [{ func: { sections: [{ nameOff: tp, records: [] }] } }, "has no records"],
    [{ func: { sections: [{ nameOff: tp, records: [[0, ids.main]], count: 2 }] } }, '2 records of section "tp/x"'],
    [{ func: { sections: [{ nameOff: tp, records: [[0, ids.main]], count: 0xffffffff }] } }, "4294967295 records"],
    [{ func: { sections: [{ nameOff: 99999, records: [[0, ids.main]] }] } }, "string offset 99999"],
    [{ func: { sections: [{ nameOff: tp, records: [[4, ids.main]] }] } }, "insn_off 4 at offset 12"],
    [{ line: { sections: [{ nameOff: tp, records: [[9, file, line, 0]] }] } }, "insn_off 9"],
    [{ core: { sections: [{ nameOff: tp, records: [[12, ids.task, accessor, 0]] }] } }, "insn_off 12"],
    [{ func: { sections: [{ nameOff: tp, records: [[0, ids.int]] }] } }, '("int") is of kind 1, not a function'],
    [{ func: { sections: [{ nameOff: tp, records: [[0, 77]] }] } }, "type id 77 does not exist"],
    [{ line: { sections: [{ nameOff: tp, records: [[0, 99999, line, 0]] }] } }, "string offset 99999"],
    [{ line: { sections: [{ nameOff: tp, records: [[0, file, 99999, 0]] }] } }, "string offset 99999"],
    [{ core: { sections: [{ nameOff: tp, records: [[0, 77, accessor, 0]] }] } }, "type id 77 does not exist"],
    [{ core: { sections: [{ nameOff: tp, records: [[0, ids.task, 99999, 0]] }] } }, "string offset 99999"],
  ];
  for (const [fields, reason] of cases) {
    const error = assertThrows(() => ExtInfos.parse(extBytes(fields), btf), FormatError, undefined, reason);
    assertStringIncludes(error.message, reason);
    assertStringIncludes(error.message, 'section ".BTF.ext"');
  }
});

Deno.test("ExtInfos.parse() cut off at any length, or with bytes flipped, gives a FormatError or infos", () => {
  const { btf, ids, strings } = object();
  const bytes = extBytes({
    func: { sections: [{ nameOff: strings.tp, records: [[0, ids.main], [24, ids.sub]] }] },
    line: { sections: [{ nameOff: strings.tp, records: [[8, strings.file, strings.line, 1024]] }] },
    core: { sections: [{ nameOff: strings.tp, records: [[24, ids.task, strings.accessor, 2]] }] },
  });
  const attempt = (candidate: Uint8Array): void => {
    try {
      ExtInfos.parse(candidate, btf).assign("tp/x", INSNS);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
    }
  };
  for (let length = 0; length < bytes.length; length++) {
    assertThrows(() => ExtInfos.parse(bytes.subarray(0, length), btf), FormatError);
    for (const value of [0, 1, 0x7f, 0xff]) {
      const changed = bytes.slice();
      changed[length] = value;
      attempt(changed);
    }
  }
});

Deno.test("ExtInfos.assign() attaches by slot, so a 64-bit load counts 2 and gaps count", () => {
  const { btf, ids, strings } = object();
  const bytes = extBytes({
    func: { sections: [{ nameOff: strings.tp, records: [[24, ids.sub], [0, ids.main]] }] },
    line: { sections: [{ nameOff: strings.tp, records: [[8, strings.file, strings.line, lineCol(3, 1)]] }] },
    core: { sections: [{ nameOff: strings.tp, records: [[8, ids.task, strings.accessor, 0]] }] },
  });
  const infos = ExtInfos.parse(bytes, btf);
  const label = new Label("x");
  const labelled = INSNS.map((insn) => insn.with(LABEL, label));
  const assigned = infos.assign("tp/x", labelled);
  assertEquals(assigned.map((insn) => insn.get(FUNC_INFO)?.name), ["main", undefined, "sub"]);
  assertEquals(assigned.map((insn) => insn.get(SOURCE)?.line), [undefined, 3, undefined]);
  assertEquals(assigned.map((insn) => insn.get(CORE_RELOCATION)?.accessor), [undefined, "0:0", undefined]);
  assert(assigned.every((insn) => insn.get(LABEL) === label));
  assert(labelled.every((insn) => insn.get(FUNC_INFO) === undefined), "the instructions given stay as they are");
  assertEquals(infos.assign("another", INSNS), INSNS);
});

Deno.test("ExtInfos.assign() refuses an info that is about no instruction", () => {
  const { btf, ids, strings } = object();
  const { tp, file, line, accessor } = strings;
  const cases: [ExtFields, string][] = [
    [{ func: { sections: [{ nameOff: tp, records: [[16, ids.main]] }] } }, "func info for byte 16"],
    [{ line: { sections: [{ nameOff: tp, records: [[32, file, line, 0]] }] } }, "source for byte 32"],
    [
      { core: { sections: [{ nameOff: tp, records: [[800, ids.task, accessor, 0]] }] } },
      "CO-RE relocation for byte 800",
    ],
  ];
  for (const [fields, reason] of cases) {
    const infos = ExtInfos.parse(extBytes(fields), btf);
    const error = assertThrows(() => infos.assign("tp/x", INSNS), FormatError);
    assertStringIncludes(error.message, `${reason} of section "tp/x": no instruction starts there`);
  }
});

Deno.test("ExtInfos.assign() refuses two infos of one sort for one instruction", () => {
  const { btf, ids, strings } = object();
  const { tp, file, line, accessor } = strings;
  const relocation = [8, ids.task, accessor, 0];
  const source = [8, file, line, 1024];
  const cases: ExtFields[] = [
    { func: { sections: [{ nameOff: tp, records: [[0, ids.main], [0, ids.main]] }] } },
    { line: { sections: [{ nameOff: tp, records: [source, source] }] } },
    { core: { sections: [{ nameOff: tp, records: [relocation] }, { nameOff: tp, records: [relocation] }] } },
  ];
  for (const fields of cases) {
    const infos = ExtInfos.parse(extBytes(fields), btf);
    assertThrows(() => infos.assign("tp/x", INSNS), FormatError, "there is one already");
  }
});
