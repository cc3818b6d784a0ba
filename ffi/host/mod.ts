/**
 * What the running kernel says of itself.
 *
 * @module
 */
export { kernelAddresses, type KernelAddressesOptions } from "./addresses.ts";
export { hostFacts } from "./facts.ts";
export { kernelConfig, readKernelConfig } from "./kconfig.ts";
export { kernelVersion, versionCode } from "./version.ts";
