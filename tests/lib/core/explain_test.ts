import { assert, assertEquals } from "@std/assert";
import type { BtfType } from "../../../lib/btf/mod.ts";
import { BpfCoreReloKind as Kind } from "../../../lib/uapi/mod.ts";
import { type CoreExplanation, type CoreTarget, describeRelocation, relocate } from "../../../lib/core/mod.ts";
import {
  array,
  enumeration,
  func,
  fwd,
  member,
  proto,
  ptr,
  relocations,
  S32,
  struct,
  target,
  typedef,
  U32,
  U64,
  U8,
  union,
  VOID,
} from "./types.ts";

const COMM = struct("task_struct", 24, [member("comm", array(U8, 16), 0), member("state", U32, 128)]);

function explanation(kind: Kind, type: BtfType, accessor: string, targets: readonly CoreTarget[]): CoreExplanation {
  return relocate(relocations([{ kind, type, accessor }]), targets)[0]!.explanation;
}

Deno.test("explanation tells local access, chosen type and both values", () => {
  const kernel = target([U32, struct("task_struct", 64, [member("comm", array(U8, 16), 320)])], "vmlinux 6.1.0");
  const { subject, offsetBits, candidates, chosen, text } = explanation(
    Kind.BPF_CORE_FIELD_BYTE_OFFSET,
    COMM,
    "0:0:3",
    [kernel],
  );
  assertEquals([subject, offsetBits], ["struct task_struct.comm[3]", 24]);
  assertEquals(candidates.length, 1);
  assertEquals(chosen, {
    target: "vmlinux 6.1.0",
    typeId: 2,
    type: "struct task_struct",
    verdict: "chosen",
    text: "struct task_struct.comm[3] at offset 43",
    access: "struct task_struct.comm[3]",
    offsetBits: 43 * 8,
    nearest: [],
  });
  assertEquals(
    text,
    "field_byte_offset of struct task_struct.comm[3] is 43 (was 3): " +
      "struct task_struct.comm[3] at offset 43 [id 2 in vmlinux 6.1.0]",
  );
});

Deno.test("explanation of a missing member names those that look like it", () => {
  const inner = struct("", 4, [member("__state", U32, 0)]);
  const kernel = target([struct("task_struct", 16, [member("flags", U32, 0), member("", inner, 32)])]);
  const { candidates, chosen, text } = explanation(Kind.BPF_CORE_FIELD_BYTE_OFFSET, COMM, "0:1", [kernel]);
  assertEquals(chosen, undefined);
  assertEquals(candidates[0]!.verdict, "no-member");
  assertEquals(candidates[0]!.nearest, ["__state"]);
  assert(text.startsWith("field_byte_offset of struct task_struct.state has no answer"), text);
  assert(text.includes('struct task_struct has no member "state", but "__state" [id'), text);
});

Deno.test("explanation gives every candidate its verdict", () => {
  const local = struct("s", 16, [member("a", array(struct("in", 4, [member("x", U32, 0)]), 4), 0)]);
  const with_ = (type: BtfType) => struct("s", 64, [member("a", type, 0)]);
  const pair = struct("in", 4, [member("x", ptr(VOID), 0)]);
  const kernel = target([
    with_(array(struct("in", 4, [member("x", U32, 0)]), 2)),
    { ...with_(array(pair, 8)), name: "s___2" },
    { ...with_(U32), name: "s___3" },
    { ...struct("s___4", 4, []) },
    { ...with_(struct("in", 4, [])), name: "s___5" },
    union("s", 4, []),
    func("s", proto(VOID)),
  ]);
  const { candidates } = explanation(Kind.BPF_CORE_FIELD_EXISTS, local, "0:0:3:0", [kernel]);
  assertEquals(candidates.map((candidate) => [candidate.type, candidate.verdict]), [
    ["struct s", "array-too-short"],
    ["struct s___2", "incompatible-member"],
    ["struct s___3", "incompatible-member"],
    ["struct s___4", "no-member"],
    ["struct s___5", "incompatible-member"],
    ["union s", "kind-differs"],
    ["s", "kind-differs"],
  ]);
  assertEquals(candidates[0]!.text, "struct in[2] has no element 3");
  assertEquals(candidates[1]!.text, "struct in.x is of type void *, which code written for unsigned int can't access");
});

Deno.test("explanation tells which candidates agree, and which an earlier relocation ruled out", () => {
  const local = struct("s", 16, [member("a", U32, 0), member("only", U32, 32)]);
  const kernel = target([
    struct("s", 16, [member("a", U32, 64)]),
    struct("s___2", 16, [member("a", U32, 64), member("only", U32, 0)]),
  ]);
  const [first, second, third] = relocate(
    relocations([
      { kind: Kind.BPF_CORE_FIELD_BYTE_OFFSET, type: local, accessor: "0:0" },
      { kind: Kind.BPF_CORE_FIELD_BYTE_OFFSET, type: local, accessor: "0:1" },
      { kind: Kind.BPF_CORE_FIELD_BYTE_OFFSET, type: local, accessor: "0:0" },
    ]),
    [kernel],
  ).map((fixup) => fixup.explanation.candidates.map((candidate) => candidate.verdict));
  assertEquals(first, ["chosen", "agrees"]);
  assertEquals(second, ["no-member", "chosen"]);
  assertEquals(third, ["ruled-out", "chosen"]);
});

Deno.test("explanation of types and enumerators", () => {
  const color = enumeration("color", { RED: 1, GREEN: 2 });
  const kernel = target([enumeration("color", { RED_: 5, GREEN: 7 }), typedef("t", S32), fwd("hidden")]);
  const green = explanation(Kind.BPF_CORE_ENUMVAL_VALUE, color, "1", [kernel]);
  assertEquals(green.subject, "enum color: GREEN");
  assert(green.text.startsWith("enumval_value of enum color: GREEN is 7 (was 2)"), green.text);
  const red = explanation(Kind.BPF_CORE_ENUMVAL_EXISTS, color, "0", [kernel]);
  assertEquals([red.candidates[0]!.verdict, red.candidates[0]!.nearest], ["no-enumerator", ["RED_"]]);
  assert(red.text.startsWith("enumval_exists of enum color: RED is 0: enum color has no value RED"), red.text);
  const differs = explanation(Kind.BPF_CORE_TYPE_EXISTS, typedef("t", ptr(VOID)), "0", [kernel]);
  assertEquals(differs.candidates[0]!.verdict, "incompatible-type");
  const hidden = explanation(Kind.BPF_CORE_TYPE_EXISTS, struct("hidden", 4, []), "0", [kernel]);
  assertEquals(hidden.candidates[0]!.verdict, "kind-differs");
});

Deno.test("explanation says where nothing of the name is", () => {
  const kernel = target([U32], "vmlinux 6.1.0");
  const { candidates, text } = explanation(Kind.BPF_CORE_FIELD_EXISTS, COMM, "0:0", [kernel, target([U64], "nf")]);
  assertEquals(candidates, []);
  assertEquals(
    text,
    "field_exists of struct task_struct.comm is 0: nothing in vmlinux 6.1.0, nf has the name and kind of struct task_struct",
  );
});

Deno.test("explanation of a local type id names no candidate", () => {
  const { candidates, text } = explanation(Kind.BPF_CORE_TYPE_ID_LOCAL, { ...COMM, id: 9 }, "0", []);
  assertEquals(candidates, []);
  assertEquals(text, "type_id_local of struct task_struct is 9, the type's id in the BTF that is loaded");
});

Deno.test("explanation tells of a width that changes, and whether it may", () => {
  const local = struct("s", 8, [member("a", U32, 0), member("b", S32, 32)]);
  const kernel = target([struct("s", 16, [member("a", U64, 0), member("b", U64, 64)])]);
  const safe = explanation(Kind.BPF_CORE_FIELD_BYTE_OFFSET, local, "0:0", [kernel]).text;
  assert(safe.endsWith("; the access becomes one of 8 bytes (was 4)"), safe);
  const unsafe = explanation(Kind.BPF_CORE_FIELD_BYTE_OFFSET, local, "0:1", [kernel]).text;
  assert(unsafe.includes("its size changes from 4 to 8 bytes"), unsafe);
});

Deno.test("explanation counts bits where an offset is no whole byte", () => {
  const local = struct("s", 4, [member("b", U32, 3, 5)]);
  const kernel = target([struct("s", 4, [member("b", U32, 11, 5)])]);
  const { chosen } = explanation(Kind.BPF_CORE_FIELD_EXISTS, local, "0:0", [kernel]);
  assertEquals(chosen!.text, "struct s.b at offset 1 + 3 bits");
});

Deno.test("describeRelocation() says what is asked, even of a broken relocation", () => {
  const [fine, broken] = relocations([
    { kind: Kind.BPF_CORE_FIELD_EXISTS, type: COMM, accessor: "1:0" },
    { kind: Kind.BPF_CORE_FIELD_EXISTS, type: COMM, accessor: "0:7" },
  ]);
  assertEquals(describeRelocation(fine!), "field_exists (struct task_struct)[1].comm");
  assert(describeRelocation(broken!).startsWith("field_exists: struct task_struct: the accessor asks for member 7"));
});
