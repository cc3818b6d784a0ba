/**
 * The running kernel's facts that objects are linked with: each is found out when an object needs it.
 *
 * @module
 */
import type { KernelFacts, VisibleFeature } from "../../lib/linker/mod.ts";
import { hostTargets } from "../btf/mod.ts";
import { hasAttachCookie, hasSyscallWrapper, hasUprobeMultiLink } from "../features/mod.ts";
import { kernelAddresses } from "./addresses.ts";
import { kernelConfig } from "./kconfig.ts";
import { kernelVersion } from "./version.ts";

const FEATURES: Readonly<Record<VisibleFeature, () => boolean>> = {
  bpf_cookie: hasAttachCookie,
  syscall_wrapper: hasSyscallWrapper,
  uprobe_multi_link: hasUprobeMultiLink,
};

/** What {@linkcode relocateCollection} may ask of the running kernel. */
export function hostFacts(): KernelFacts {
  return {
    version: kernelVersion,
    has: (feature) => FEATURES[feature](),
    config: kernelConfig,
    addresses: (names) => kernelAddresses(names),
    types: () => hostTargets(),
  };
}
