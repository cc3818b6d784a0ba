import { assert, assertEquals } from "@std/assert";
import { Btf, BtfBuilder, type BtfType, sizeOf, skipModifiersAndTypedefs } from "../../../lib/btf/mod.ts";
import { FormatError } from "../../../lib/errors.ts";
import { BtfKind } from "../../../lib/uapi/mod.ts";
import { everyKind } from "./blob.ts";

/** Types that `type` refers to; reads all its fields on the way. */
function references(type: BtfType): BtfType[] {
  switch (type.kind) {
    case BtfKind.Ptr:
    case BtfKind.Typedef:
    case BtfKind.Volatile:
    case BtfKind.Const:
    case BtfKind.Restrict:
    case BtfKind.Func:
    case BtfKind.Var:
    case BtfKind.DeclTag:
    case BtfKind.TypeTag:
      return [type.target];
    case BtfKind.Array:
      return [type.element, type.index];
    case BtfKind.Struct:
    case BtfKind.Union:
      return type.members.map((member) => (assertEquals(typeof member.name, "string"), member.type));
    case BtfKind.FuncProto:
      return [type.returns, ...type.params.map((param) => param.type)];
    case BtfKind.Datasec:
      return type.entries.map((entry) => entry.type);
    case BtfKind.Enum:
    case BtfKind.Enum64:
      assert(type.values.every((value) => typeof value.name === "string"));
      return [];
    default:
      return [];
  }
}

/** Runs a step that corrupt bytes may make fail, but with a `FormatError` only. */
function attempt(step: () => unknown): void {
  try {
    step();
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    assert(error.message.length > 10 && !error.message.includes("undefined"), error.message);
  }
}

/** Asks everything there is to ask of a BTF. */
function interrogate(bytes: Uint8Array): void {
  attempt(() => {
    const btf = Btf.parse(bytes, { what: "x.btf" });
    attempt(() => btf.find("id"));
    attempt(() => btf.findIds("node", BtfKind.Struct));
    attempt(() => btf.findEssential("run"));
    attempt(() => btf.pointerSize);
    attempt(() => btf.typeCount);
    for (let id = 0; id < 24; id++) {
      attempt(() => btf.nameOf(id));
      attempt(() => references(btf.type(id)).map((type) => type.name));
      attempt(() => sizeOf(btf.type(id)));
      attempt(() => skipModifiersAndTypedefs(btf.type(id)));
      attempt(() => new BtfBuilder().add(btf.type(id)));
    }
    attempt(() => [...btf.types()]);
  });
}

Deno.test("Btf cut off at any length gives a FormatError or an answer", () => {
  for (const order of ["little", "big"] as const) {
    const bytes = everyKind(order).bytes();
    for (let length = 0; length < bytes.length; length++) interrogate(bytes.subarray(0, length));
  }
});

Deno.test("Btf with the type section cut off at any word gives a FormatError or an answer", () => {
  const blob = everyKind();
  for (let length = 0; length < blob.words.length * 4; length += 4) interrogate(blob.bytes({ typeLen: length }));
});

Deno.test("Btf with bytes flipped at random (seed 1) gives a FormatError or an answer", () => {
  let seed = 1;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return Math.floor(seed / 2 ** 32 * below);
  };
  const original = everyKind().bytes();
  for (let round = 0; round < 1500; round++) {
    const bytes = original.slice();
    for (let flips = 1 + random(4); flips > 0; flips--) {
      const at = random(bytes.length);
      bytes[at] = random(3) === 0 ? 0xff : bytes[at]! ^ (1 << random(8));
    }
    interrogate(bytes);
  }
});
