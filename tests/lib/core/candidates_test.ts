import { assert, assertEquals, assertThrows } from "@std/assert";
import { Btf, type BtfType } from "../../../lib/btf/mod.ts";
import { FormatError, RelocationError } from "../../../lib/errors.ts";
import { BtfKind } from "../../../lib/uapi/mod.ts";
import { type Candidate, type CoreTarget, Targets } from "../../../lib/core/candidates.ts";
import { enumeration, enumeration64, fwd, moduleBytes, struct, target, typedef, U32, union } from "./types.ts";

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

function moduleBtf(base: Btf, names: readonly string[]): Btf {
  return Btf.parse(moduleBytes(base, names), { base });
}

/** BTF of a module whose only type is of a kind that nobody knows. */
function brokenBytes(): Uint8Array {
  const view = new DataView(new ArrayBuffer(24 + 12));
  view.setUint16(0, 0xeb9f, true);
  view.setUint8(2, 1);
  [24, 0, 12, 12, 0].forEach((word, i) => view.setUint32(4 + i * 4, word, true));
  view.setUint32(28, 99 << 24, true);
  return new Uint8Array(view.buffer);
}

function findCandidates(local: BtfType, targets: readonly CoreTarget[]): Candidate[] {
  return new Targets(targets).candidates(local);
}

Deno.test("Targets.candidates() finds types of the kind, whatever the flavours, by ascending id", () => {
  const types = (local: BtfType) => findCandidates(local, [VMLINUX]).map(({ type }) => [type.kind, type.name]);
  assertEquals(types(struct("a___old", 1, [])), [[BtfKind.Struct, "a"], [BtfKind.Struct, "a___2"]]);
  assertEquals(types(struct("a___b", 1, [])), [[BtfKind.Struct, "a"], [BtfKind.Struct, "a___2"]]);
  assertEquals(types(struct("a___b___x", 1, [])), [[BtfKind.Struct, "a___b___c"]]);
  assertEquals(types(union("a", 1, [])), [[BtfKind.Union, "a"]]);
  assertEquals(types(fwd("a")), [[BtfKind.Fwd, "a"]]);
  assertEquals(types(typedef("a", U32)), [[BtfKind.Typedef, "a"]]);
});

Deno.test("Targets.candidates() takes enums of 32 and 64 bits for one kind", () => {
  for (const local of [enumeration("e", {}), enumeration64("e", {})]) {
    assertEquals(findCandidates(local, [VMLINUX]).map(({ type }) => type.name), ["e", "e___wide"]);
  }
});

Deno.test("Targets.candidates() asks modules only for what the kernel lacks, and all of them", () => {
  const first = { btf: moduleBtf(VMLINUX.btf, ["a", "only", "both"]), name: "first" };
  const second = { btf: moduleBtf(VMLINUX.btf, ["both"]), name: "second" };
  const targets = [VMLINUX, first, second];
  const where = (name: string) => findCandidates(struct(name, 1, []), targets).map(({ target }) => target.name);
  assertEquals(where("a"), ["vmlinux", "vmlinux"]);
  assertEquals(where("only"), ["first"]);
  assertEquals(where("both"), ["first", "second"]);
  assertEquals(where("none"), []);
});

Deno.test("Targets.candidates() finds types of a module's base only where the module is the first target", () => {
  const split = { btf: moduleBtf(VMLINUX.btf, ["a"]), name: "module" };
  const ids = findCandidates(struct("a", 1, []), [split]).map(({ type }) => type.id);
  assertEquals(ids.length, 3);
  assertEquals(findCandidates(struct("a", 1, []), [target([U32], "other"), split]).map(({ type }) => type.id), [
    VMLINUX.btf.typeCount,
  ]);
});

Deno.test("Targets.candidates() of no target is empty", () => {
  assertEquals(findCandidates(struct("a", 1, []), []), []);
});

Deno.test("Targets.namesakes() finds types of the name and another kind", () => {
  assertEquals(new Targets([VMLINUX]).namesakes(struct("a", 1, [])).map(({ type }) => type.kind), [
    BtfKind.Union,
    BtfKind.Fwd,
    BtfKind.Typedef,
  ]);
});

Deno.test("Targets.candidates() skips a module that cannot be read, and says so once", () => {
  const broken: CoreTarget = {
    name: "broken",
    get btf(): Btf {
      throw new FormatError("broken: not BTF");
    },
  };
  const bad = { btf: Btf.parse(brokenBytes(), { base: VMLINUX.btf, what: "bad" }), name: "bad" };
  const foreign = target([struct("only", 4, [])], "foreign", "big");
  const good = { btf: moduleBtf(VMLINUX.btf, ["only"]), name: "good" };
  const said: string[] = [];
  const targets = new Targets(
    [VMLINUX, broken, bad, foreign, good],
    ({ name }, error) => said.push(`${name}: ${error.message}`),
  );
  const find = (name: string) => targets.candidates(struct(name, 1, [])).map((candidate) => candidate.target.name);
  assertEquals(find("a"), ["vmlinux", "vmlinux"]);
  assertEquals(said, []);
  assertEquals([find("only"), find("only")], [["good"], ["good"]]);
  assertEquals(said.length, 3);
  assertEquals(said[0], "broken: broken: not BTF");
  assert(said[1]!.startsWith("bad: bad: type id 10"), said[1]);
  assertEquals(said[2], "foreign: foreign: is big-endian, its kernel is not");
  assertEquals(targets.names, ["vmlinux", "good"]);
});

Deno.test("Targets reads a module's BTF only when the kernel lacks a name", () => {
  let read = 0;
  const lazy: CoreTarget = {
    name: "lazy",
    get btf(): Btf {
      read++;
      return moduleBtf(VMLINUX.btf, ["only"]);
    },
  };
  const targets = new Targets([VMLINUX, lazy]);
  targets.candidates(struct("a", 1, []));
  assertEquals(read, 0);
  targets.candidates(struct("only", 1, []));
  assert(read > 0);
});

Deno.test("Targets.checkOrder() names both byte orders", () => {
  const targets = new Targets([VMLINUX]);
  targets.checkOrder("little");
  assertThrows(() => targets.checkOrder("big"), RelocationError, 'big-endian and "vmlinux" is little-endian');
  new Targets([]).checkOrder("big");
});
