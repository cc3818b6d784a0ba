import { assert, assertEquals } from "@std/assert";
import { missingBtfFeatures } from "../../../ffi/features/mod.ts";
import { loadBtf } from "../../../ffi/collection/load_btf.ts";
import { btfBytes, btfInfo, btfLoad, SyscallError } from "../../../ffi/sys/mod.ts";
import { Btf, BTF_FEATURES, type BtfFeature, btfFeatureProbe, sanitizeBtf } from "../../../lib/btf/mod.ts";
import { needs, openFds } from "../../support/mod.ts";

const ALL = Object.keys(BTF_FEATURES) as BtfFeature[];

/** Is the running kernel at least of that version. */
function isAtLeast(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [ownMajor = 0, ownMinor = 0] = Deno.osRelease().split(/[.-]/).map(Number);
  return ownMajor > major || (ownMajor === major && ownMinor >= minor);
}

Deno.test({
  name: "missingBtfFeatures() are those that came with later kernels than this one, and no fd is left",
  ...needs({ bpf: true }),
  fn() {
    const before = openFds().size;
    const missing = missingBtfFeatures();
    assertEquals([...missing], ALL.filter((feature) => !isAtLeast(BTF_FEATURES[feature])));
    assertEquals(openFds().size, before);
  },
});

for (const feature of ALL) {
  Deno.test({
    name: `loadBtf() loads BTF with ${feature} into any kernel; ids stay`,
    ...needs({ bpf: true }),
    fn() {
      const btf = btfFeatureProbe(feature);
      using fd = loadBtf(btf);
      const loaded = Btf.parse(btfBytes(fd.value));
      const sent = missingBtfFeatures().has(feature) ? sanitizeBtf(btf, new Set([feature])) : btf;
      assertEquals([...loaded.types()].map((type) => type.kind), [...Btf.parse(sent).types()].map((type) => type.kind));
      assert(btfInfo(fd.value).id > 0);
    },
  });

  Deno.test({
    name: `sanitizeBtf() of ${feature} makes what every kernel takes`,
    ...needs({ bpf: true }),
    fn() {
      btfLoad({ btf: sanitizeBtf(btfFeatureProbe(feature), new Set(ALL)) }).close();
    },
  });
}

Deno.test({
  name: "loadBtf() of what no kernel takes says what the kernel says",
  ...needs({ bpf: true }),
  fn() {
    const btf = btfFeatureProbe("typeTag").slice();
    // The last type's reference, past all types: header of 24 bytes, INT of 16, then two of 12.
    new DataView(btf.buffer).setUint32(24 + 16 + 12 + 8, 99, true);
    let message = "";
    try {
      loadBtf(btf).close();
    } catch (error) {
      assert(error instanceof SyscallError);
      message = error.message;
    }
    assert(/^the kernel refuses the object's BTF: .*99.*: bpf\(BPF_BTF_LOAD\): EINVAL/.test(message), message);
  },
});
