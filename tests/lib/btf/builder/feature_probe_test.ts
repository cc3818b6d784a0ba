import { assert, assertEquals } from "@std/assert";
import { Btf, BTF_FEATURES, type BtfFeature, btfFeatureProbe, sanitizeBtf } from "../../../../lib/btf/mod.ts";
import { BtfKind } from "../../../../lib/uapi/mod.ts";

Deno.test("btfFeatureProbe() has the feature, and nothing of the others", () => {
  const kinds = {
    float: BtfKind.Float,
    declTag: BtfKind.DeclTag,
    typeTag: BtfKind.TypeTag,
    enum64: BtfKind.Enum64,
  } as const;
  const features = Object.keys(BTF_FEATURES) as BtfFeature[];
  for (const feature of features) {
    const probe = btfFeatureProbe(feature);
    assert([...Btf.parse(probe).types()].some((type) => type.kind === kinds[feature]), feature);
    const others = new Set(features.filter((other) => other !== feature));
    assertEquals(sanitizeBtf(probe, others), probe, feature);
  }
});
