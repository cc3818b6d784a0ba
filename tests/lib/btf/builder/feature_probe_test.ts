import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { Btf, BTF_FEATURES, type BtfFeature, btfFeatureProbe, sanitizeBtf } from "../../../../lib/btf/mod.ts";
import { BtfKind } from "../../../../lib/uapi/mod.ts";

const KINDS: { readonly [F in BtfFeature]: BtfKind } = {
  func: BtfKind.Func,
  datasec: BtfKind.Datasec,
  globalFunc: BtfKind.Func,
  float: BtfKind.Float,
  declTag: BtfKind.DeclTag,
  typeTag: BtfKind.TypeTag,
  enum64: BtfKind.Enum64,
  optionalSection: BtfKind.Datasec,
};

/** Features that are more of another. */
const NEEDS: Partial<Record<BtfFeature, BtfFeature>> = { globalFunc: "func", optionalSection: "datasec" };

Deno.test("btfFeatureProbe() has the feature, and nothing of the others but what it is more of", () => {
  const features = Object.keys(BTF_FEATURES) as BtfFeature[];
  for (const feature of features) {
    const probe = btfFeatureProbe(feature);
    assert([...Btf.parse(probe).types()].some((type) => type.kind === KINDS[feature]), feature);
    const others = new Set(features.filter((other) => other !== feature && other !== NEEDS[feature]));
    assertEquals(sanitizeBtf(probe, others), probe, feature);
    assertNotEquals(sanitizeBtf(probe, new Set([feature])), probe, feature);
  }
});
