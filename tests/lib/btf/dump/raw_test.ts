import { assertEquals, assertThrows } from "@std/assert";
import { Btf } from "../../../../lib/btf/mod.ts";
import { formatRaw } from "../../../../lib/btf/dump/mod.ts";
import { FormatError } from "../../../../lib/errors.ts";
import { BtfKind } from "../../../../lib/uapi/mod.ts";
import { Blob, everyKind } from "../blob.ts";

const EVERY_KIND = `[1] INT 'int' size=4 bits_offset=0 nr_bits=32 encoding=SIGNED
[2] PTR '(anon)' type_id=4
[3] ARRAY '(anon)' type_id=1 index_type_id=1 nr_elems=16
[4] STRUCT 'node' size=16 vlen=2
	'next' type_id=2 bits_offset=0
	'id' type_id=1 bits_offset=64
[5] UNION 'either' size=4 vlen=1
	'a' type_id=1 bits_offset=0
[6] ENUM 'color' encoding=SIGNED size=4 vlen=2
	'RED' val=1
	'N' val=-1
[7] FWD 'later' fwd_kind=union
[8] TYPEDEF 'u' type_id=1
[9] VOLATILE '(anon)' type_id=8
[10] CONST '(anon)' type_id=9
[11] RESTRICT '(anon)' type_id=2
[12] FUNC 'run' type_id=13 linkage=global
[13] FUNC_PROTO '(anon)' ret_type_id=1 vlen=2
	'x' type_id=2
	'(anon)' type_id=0
[14] VAR 'counter' type_id=1, linkage=extern
[15] DATASEC '.data' size=8 vlen=1
	type_id=14 offset=4 size=4 (VAR 'counter')
[16] FLOAT 'double' size=8
[17] DECL_TAG 'a word' type_id=4 component_idx=-1
[18] TYPE_TAG 'user' type_id=1
[19] ENUM64 'wide' encoding=SIGNED size=8 vlen=1
	'MIN' val=-9223372036854775807LL
`;

for (const order of ["little", "big"] as const) {
  Deno.test(`formatRaw() every kind as bpftool prints it, ${order}-endian`, () => {
    assertEquals(formatRaw(Btf.parse(everyKind(order).bytes())), EVERY_KIND);
  });
}

Deno.test("formatRaw() JSON has bpftool's keys", () => {
  const btf = Btf.parse(everyKind().bytes());
  const line = formatRaw(btf, { json: "line" });
  assertEquals(line.indexOf("\n"), line.length - 1);
  const { types } = JSON.parse(line);
  assertEquals(types.length, 19);
  assertEquals(types[0], {
    id: 1,
    kind: "INT",
    name: "int",
    size: 4,
    bits_offset: 0,
    nr_bits: 32,
    encoding: "SIGNED",
  });
  assertEquals(types[3].members, [
    { name: "next", type_id: 2, bits_offset: 0 },
    { name: "id", type_id: 1, bits_offset: 64 },
  ]);
  assertEquals(types[5].values, [{ name: "RED", val: 1 }, { name: "N", val: -1 }]);
  assertEquals(types[13], { id: 14, kind: "VAR", name: "counter", type_id: 1, linkage: "extern" });
  assertEquals(types[14].vars, [{ type_id: 14, offset: 4, size: 4 }]);
  assertEquals(types[16], { id: 17, kind: "DECL_TAG", name: "a word", type_id: 4, component_idx: -1 });
  assertEquals(JSON.parse(formatRaw(btf, { json: "pretty" })), { types });
});

Deno.test("formatRaw() indented JSON stands as bpftool's does", () => {
  const blob = new Blob();
  blob.int("int");
  blob.struct("s", 4, ["a", 1, 0]);
  blob.type("e", BtfKind.Enum, { sizeOrType: 4 });
  assertEquals(
    formatRaw(Btf.parse(blob.bytes()), { json: "pretty" }),
    `{
    "types": [{
            "id": 1,
            "kind": "INT",
            "name": "int",
            "size": 4,
            "bits_offset": 0,
            "nr_bits": 32,
            "encoding": "(none)"
        },{
            "id": 2,
            "kind": "STRUCT",
            "name": "s",
            "size": 4,
            "vlen": 1,
            "members": [{
                    "name": "a",
                    "type_id": 1,
                    "bits_offset": 0
                }
            ]
        },{
            "id": 3,
            "kind": "ENUM",
            "name": "e",
            "encoding": "UNSIGNED",
            "size": 4,
            "vlen": 0,
            "values": []
        }
    ]
}
`,
  );
});

Deno.test("formatRaw() bitfields of a struct with kind_flag", () => {
  const blob = new Blob();
  blob.int("int");
  const members = [blob.string("a"), 1, 3 << 24, blob.string("b"), 1, (5 << 24 | 3) >>> 0];
  blob.type("s", BtfKind.Struct, { vlen: 2, flag: true, sizeOrType: 4 }, ...members);
  assertEquals(
    formatRaw(Btf.parse(blob.bytes()), { roots: [2] }),
    `[2] STRUCT 's' size=4 vlen=2
	'a' type_id=1 bits_offset=0 bitfield_size=3
	'b' type_id=1 bits_offset=3 bitfield_size=5
`,
  );
});

Deno.test("formatRaw() numbers of 32 and 64 bits, with bpftool's way with large ones in JSON", () => {
  const blob = new Blob();
  blob.type("e", BtfKind.Enum, { vlen: 1, sizeOrType: 4 }, blob.string("MAX"), 0xffffffff);
  blob.type("w", BtfKind.Enum64, { vlen: 1, sizeOrType: 8 }, blob.string("WIDE"), 0xffffffff, 0xffffffff);
  const btf = Btf.parse(blob.bytes());
  assertEquals(
    formatRaw(btf),
    "[1] ENUM 'e' encoding=UNSIGNED size=4 vlen=1\n\t'MAX' val=4294967295\n" +
      "[2] ENUM64 'w' encoding=UNSIGNED size=8 vlen=1\n\t'WIDE' val=18446744073709551615ULL\n",
  );
  const values = [...formatRaw(btf, { json: "line" }).matchAll(/"val":(\d+)/g)].map(([, digits]) => digits);
  assertEquals(values, ["18446744073709551615", "18446744073709551615"]);
});

Deno.test("formatRaw() names that JSON has to escape, and names that are not there", () => {
  const blob = new Blob();
  blob.type('say "\\\n\u{1f}é', BtfKind.Fwd);
  blob.type(400, BtfKind.Fwd);
  const btf = Btf.parse(blob.bytes());
  const { types } = JSON.parse(formatRaw(btf, { json: "line" }));
  assertEquals(types.map(({ name }: { name: string }) => name), ['say "\\\n\u{1f}é', "(invalid)"]);
  assertEquals(formatRaw(btf, { roots: [2] }), "[2] FWD '(invalid)' fwd_kind=struct\n");
});

Deno.test("formatRaw() of a split BTF: its own types, any by root", () => {
  const base = new Blob();
  base.int("int");
  const own = new Blob({ base });
  own.type("u", BtfKind.Typedef, { sizeOrType: 1 });
  const btf = Btf.parse(own.bytes(), { base: Btf.parse(base.bytes()) });
  assertEquals(formatRaw(btf), "[2] TYPEDEF 'u' type_id=1\n");
  assertEquals(formatRaw(btf, { roots: [1] }), "[1] INT 'int' size=4 bits_offset=0 nr_bits=32 encoding=(none)\n");
  assertEquals(formatRaw(btf, { roots: [0] }), "[0] UNKNOWN '(anon)'\n");
  assertThrows(() => formatRaw(btf, { roots: [3] }), FormatError, "does not exist: ids end at 2");
});
