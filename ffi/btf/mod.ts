/**
 * BTF that the running kernel holds.
 *
 * @module
 */
export { hostBtf, VMLINUX_BTF } from "./host.ts";
export { hostTargets, type HostTargetsOptions } from "./host_targets.ts";
export { loadedBtf, loadedBtfInfos, type LoadedBtfOptions, moduleBtf, openModuleBtf } from "./loaded.ts";
