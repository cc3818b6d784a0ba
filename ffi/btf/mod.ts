/**
 * BTF that the running kernel holds.
 *
 * @module
 */
export { hostBtf, VMLINUX_BTF } from "./host.ts";
export { loadedBtf, loadedBtfInfos, type LoadedBtfOptions, moduleBtf } from "./loaded.ts";
