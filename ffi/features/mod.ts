/**
 * What the running kernel can do, found by trying.
 *
 * @module
 */
export { missingBtfFeatures } from "./btf.ts";
