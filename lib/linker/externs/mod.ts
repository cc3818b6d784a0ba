/**
 * What an object expects of a kernel, found among facts of that kernel and put into instructions.
 *
 * @module
 */
export { bindExtern, bindModules, MODULE_BTF } from "./bind_externs.ts";
export type {
  AddressBinding,
  ExternBinding,
  ExternResult,
  KconfigBinding,
  MissingBinding,
  TypeBinding,
  UnknownBinding,
} from "./binding.ts";
export type { KernelAddresses, KernelConfig, KernelFacts, VisibleFeature } from "./kernel_facts.ts";
export {
  isOfKernel,
  refuseUndefined,
  type ResolvedExterns,
  resolveExterns,
  type ResolveExternsOptions,
  UNRESOLVED,
} from "./resolve_externs.ts";
