import { assert, assertEquals } from "@std/assert";
import { Btf } from "../../../../lib/btf/mod.ts";
import { BtfMerger, dedupBtf } from "../../../../lib/btf/dedup/mod.ts";
import { formatC } from "../../../../lib/btf/dump/mod.ts";
import { BtfKind } from "../../../../lib/uapi/mod.ts";
import { Random } from "../value/random_types.ts";
import { compile, randomProgram } from "./random_program.ts";
import { countDifferent, isSame } from "./sameness.ts";

function merge(inputs: readonly Btf[]): { merged: Btf; idsOf: readonly ((id: number) => number)[] } {
  const merger = new BtfMerger();
  const places = inputs.map((btf) => merger.append(btf));
  const result = merger.finish();
  return {
    merged: Btf.parse(result.bytes, { what: "merged" }),
    idsOf: places.map((place) => (id) => result.idOf(place.typeId(id))),
  };
}

/** The C text of one type and all that it needs; in what order is decided by ids, which merging changes. */
function text(btf: Btf, id: number): string[] {
  return formatC(btf, { roots: [id], unsorted: true }).split("\n\n").sort();
}

Deno.test("BtfMerger leaves as many types as differ, and the C text of each, in random graphs with cycles", () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = new Random(seed);
    const program = randomProgram(random, 2 + random.below(12));
    const inputs = Array.from({ length: 1 + random.below(4) }, () => compile(program, random, () => true));
    const { merged, idsOf } = merge(inputs);
    assertEquals(merged.typeCount, countDifferent(inputs), `seed ${seed}`);
    for (const [index, input] of inputs.entries()) {
      for (const type of input.types()) {
        const id = idsOf[index]!(type.id);
        assert(isSame(type, merged.type(id)), `seed ${seed}, input ${index}, type id ${type.id}`);
        assertEquals(text(merged, id), text(input, type.id), `seed ${seed}, input ${index}, type id ${type.id}`);
      }
    }
  }
});

Deno.test("BtfMerger resolves what compilations only declare, and leaves every type what it was", () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = new Random(seed * 7);
    const program = randomProgram(random, 2 + random.below(12));
    const inputs = Array.from(
      { length: 2 + random.below(5) },
      () => compile(program, random, () => random.below(3) > 0),
    );
    const { merged, idsOf } = merge(inputs);
    const names = new Map<string, number>();
    for (const type of merged.types()) {
      if (type.kind !== BtfKind.Struct && type.kind !== BtfKind.Fwd || type.name === "") continue;
      names.set(type.name, (names.get(type.name) ?? 0) + 1);
    }
    // One program: each name means one struct, which is there once, however little each compilation knew of the others.
    for (const [name, count] of names) assertEquals(count, 1, `seed ${seed}, struct ${name}`);
    for (const [index, input] of inputs.entries()) {
      for (const type of input.types()) {
        const after = merged.type(idsOf[index]!(type.id));
        assert(isSame(type, after), `seed ${seed}, input ${index}, type id ${type.id}`);
      }
    }
    assertEquals(
      [...dedupBtf(merged).ids.keys()],
      [...dedupBtf(merged).ids],
      `seed ${seed}: nothing is left to remove`,
    );
  }
});
