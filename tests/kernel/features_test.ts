/**
 * The probes that tests are skipped by, held against the versions that brought what they look for: a probe that always
 * says no would skip tests for ever.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { type FeatureName, FEATURES, hasFeature, shouldHave } from "../support/features.ts";
import { inVm, needs, openFds } from "../support/mod.ts";

for (const name of Object.keys(FEATURES) as FeatureName[]) {
  Deno.test({
    name: `${FEATURES[name].words} is found in Linux ${FEATURES[name].since} and newer, and only there`,
    ...needs({ bpf: true }),
    fn: () => {
      const before = openFds().size;
      const has = FEATURES[name].has();
      // The kernels of virtual machines are built with everything; this machine's need not be.
      if (has || inVm()) assertEquals(has, shouldHave(name));
      assertEquals(hasFeature(name), has);
      assertEquals(openFds().size, before);
    },
  });
}
