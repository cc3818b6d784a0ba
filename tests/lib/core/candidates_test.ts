import { assertEquals } from "@std/assert";
import { Btf } from "../../../lib/btf/mod.ts";
import { BtfKind } from "../../../lib/uapi/mod.ts";
import { findCandidates, findNamesakes } from "../../../lib/core/candidates.ts";
import { enumeration, enumeration64, fwd, struct, target, typedef, U32, union } from "./types.ts";

const VMLINUX = target([
  U32,
  struct("a", 4, []),
  struct("a___2", 8, []),
  union("a", 4, []),
  fwd("a"),
  typedef("a", U32),
  struct("a___b___c", 4, []),
  enumeration("e", {}),
  enumeration64("e___wide", {}),
]);

/** BTF of a module: continues `base` with empty structs of the given names. */
function moduleBtf(base: Btf, names: readonly string[]): Btf {
  const text = new TextEncoder().encode(`\0${names.join("\0")}\0`);
  const view = new DataView(new ArrayBuffer(24 + names.length * 12 + text.length));
  view.setUint16(0, 0xeb9f, true);
  view.setUint8(2, 1);
  [24, 0, names.length * 12, names.length * 12, text.length].forEach((word, i) =>
    view.setUint32(4 + i * 4, word, true)
  );
  let nameOffset = base.stringEnd + 1;
  names.forEach((name, i) => {
    view.setUint32(24 + i * 12, nameOffset, true);
    view.setUint32(28 + i * 12, BtfKind.Struct << 24, true);
    nameOffset += name.length + 1;
  });
  new Uint8Array(view.buffer).set(text, 24 + names.length * 12);
  return Btf.parse(new Uint8Array(view.buffer), { base });
}

Deno.test("findCandidates() finds types of the kind, whatever the flavours, by ascending id", () => {
  const types = (local: Parameters<typeof findCandidates>[0]) =>
    findCandidates(local, [VMLINUX]).map(({ type }) => [type.kind, type.name]);
  assertEquals(types(struct("a___old", 1, [])), [[BtfKind.Struct, "a"], [BtfKind.Struct, "a___2"]]);
  assertEquals(types(struct("a___b", 1, [])), [[BtfKind.Struct, "a"], [BtfKind.Struct, "a___2"]]);
  assertEquals(types(struct("a___b___x", 1, [])), [[BtfKind.Struct, "a___b___c"]]);
  assertEquals(types(union("a", 1, [])), [[BtfKind.Union, "a"]]);
  assertEquals(types(fwd("a")), [[BtfKind.Fwd, "a"]]);
  assertEquals(types(typedef("a", U32)), [[BtfKind.Typedef, "a"]]);
});

Deno.test("findCandidates() takes enums of 32 and 64 bits for one kind", () => {
  for (const local of [enumeration("e", {}), enumeration64("e", {})]) {
    assertEquals(findCandidates(local, [VMLINUX]).map(({ type }) => type.name), ["e", "e___wide"]);
  }
});

Deno.test("findCandidates() asks modules only for what the kernel lacks, and all of them", () => {
  const first = { btf: moduleBtf(VMLINUX.btf, ["a", "only", "both"]), name: "first" };
  const second = { btf: moduleBtf(VMLINUX.btf, ["both"]), name: "second" };
  const targets = [VMLINUX, first, second];
  const where = (name: string) => findCandidates(struct(name, 1, []), targets).map(({ target }) => target.name);
  assertEquals(where("a"), ["vmlinux", "vmlinux"]);
  assertEquals(where("only"), ["first"]);
  assertEquals(where("both"), ["first", "second"]);
  assertEquals(where("none"), []);
});

Deno.test("findCandidates() finds types of a module's base only where the module is the first target", () => {
  const split = { btf: moduleBtf(VMLINUX.btf, ["a"]), name: "module" };
  const ids = findCandidates(struct("a", 1, []), [split]).map(({ type }) => type.id);
  assertEquals(ids.length, 3);
  assertEquals(findCandidates(struct("a", 1, []), [target([U32], "other"), split]).map(({ type }) => type.id), [
    VMLINUX.btf.typeCount,
  ]);
});

Deno.test("findCandidates() of no target is empty", () => {
  assertEquals(findCandidates(struct("a", 1, []), []), []);
});

Deno.test("findNamesakes() finds types of the name and another kind", () => {
  assertEquals(findNamesakes(struct("a", 1, []), [VMLINUX]).map(({ type }) => type.kind), [
    BtfKind.Union,
    BtfKind.Fwd,
    BtfKind.Typedef,
  ]);
});
