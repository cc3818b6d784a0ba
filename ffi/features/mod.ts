/**
 * What the running kernel can do, found by trying.
 *
 * @module
 */
export { missingBtfFeatures } from "./btf.ts";
export { missingKernelFeatures } from "./kernel.ts";
export { hasSyscallWrapper } from "./syscall_wrapper.ts";
export { hasAttachCookie, hasUprobeMultiLink, hasUprobeSyscall } from "./uprobe.ts";
