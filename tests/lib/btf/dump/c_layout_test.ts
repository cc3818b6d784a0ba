/**
 * clang is the judge of the headers: it has to lay out random types as their BTF says, for each kind of machine.
 */
import { assert, assertEquals } from "@std/assert";
import { formatC } from "../../../../lib/btf/dump/mod.ts";
import type { BtfType, CompositeType } from "../../../../lib/btf/types.ts";
import { BtfKind } from "../../../../lib/uapi/mod.ts";
import { layoutAsserts } from "../../../peer/c_asserts.ts";
import { clangPath, needs, run } from "../../../support/mod.ts";
import { alignOf, member, sizeOf, struct, U64, union } from "../value/make_types.ts";
import { Random, randomType } from "../value/random_types.ts";
import { toBtf } from "./to_btf.ts";

const TYPES = 500;

/** A random struct or union, sometimes larger than its members need, or with gaps between them. */
function randomBody(random: Random, index: number): CompositeType | undefined {
  const type = randomType(random, 3);
  if (type.kind !== BtfKind.Struct && type.kind !== BtfKind.Union) return undefined;
  const body = { ...type, name: `body${index}` };
  if (random.below(3) > 0) return body;
  const lead = random.below(5) * alignOf(body);
  const gap = random.below(40);
  const end = lead + body.size;
  const members = [member("a", body, lead), member("b", U64, end + gap)];
  const size = end + gap + 8 + random.below(20);
  if (random.below(4) === 0) return union(`outer${index}`, end + random.below(40), [member("a", body, 0)]);
  return struct(`outer${index}`, size, members);
}

function bodies(seed: number): BtfType[] {
  const random = new Random(seed);
  const found: BtfType[] = [];
  while (found.length < TYPES) {
    const body = randomBody(random, found.length);
    if (body !== undefined && sizeOf(body) > 0) found.push(body);
  }
  return found;
}

for (const [seed, target] of ["x86_64-linux-gnu", "bpfel", "aarch64-linux-gnu"].entries()) {
  Deno.test({
    name: `formatC() ${TYPES} random structs and unions are what clang makes of the header, ${target} (needs clang 19)`,
    ...needs({ clang: "19" }),
    async fn() {
      const btf = toBtf(...bodies(seed));
      const { text, sizes } = layoutAsserts(btf);
      assert(sizes > TYPES / 2, `${sizes} types`);
      // The random types have an enum that C could not name so.
      const source = formatC(btf).replaceAll("enum signed", "enum signed_") + text;
      const args = ["-target", target, "-fsyntax-only", "-Wno-unknown-attributes", "-x", "c", "-"];
      const { code, stderr } = await run(clangPath("19")!, args, { stdin: source });
      assertEquals([code, stderr.split("\n").filter((line) => line.includes("error:")).slice(0, 5)], [0, []]);
    },
  });
}
