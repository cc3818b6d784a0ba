/**
 * Which BTF the running kernel takes: asked once, by loading the least that needs each feature.
 *
 * @module
 */
import { BTF_FEATURES, type BtfFeature, btfFeatureProbe } from "../../lib/btf/mod.ts";
import { btfLoad, SyscallError } from "../sys/mod.ts";

let missing: ReadonlySet<BtfFeature> | undefined;

/**
 * The features of BTF that this kernel lacks.
 *
 * @throws {SyscallError} if this process may not load BTF at all.
 */
export function missingBtfFeatures(): ReadonlySet<BtfFeature> {
  missing ??= new Set(
    (Object.keys(BTF_FEATURES) as BtfFeature[]).filter((feature) => !takes(btfFeatureProbe(feature))),
  );
  return missing;
}

function takes(btf: Uint8Array): boolean {
  try {
    btfLoad({ btf }).close();
    return true;
  } catch (error) {
    if (error instanceof SyscallError && error.code === "EINVAL") return false;
    throw error;
  }
}
