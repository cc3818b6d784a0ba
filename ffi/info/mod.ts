/**
 * What the kernel holds: programs, maps, links and BTF by id, their code, and who holds them.
 *
 * @module
 */
export { type JitedFunction, jitedFunctions, type JitedLine, translatedInstructions } from "./code.ts";
export { fdInfo } from "./fd_info.ts";
export { findHolders, type Holder, type Holders } from "./holders.ts";
export {
  findKernelSymbols,
  type KernelSymbol,
  type KernelSymbolOptions,
  selectKernelSymbols,
  type SelectKernelSymbolsOptions,
} from "./kallsyms.ts";
export { KernelSymbols } from "./kernel_symbols.ts";
export { eachLine } from "./lines.ts";
export {
  describeMap,
  describeProgram,
  listBtfs,
  listLinks,
  listMaps,
  listPrograms,
  type MapDescription,
  type ProgramDescription,
} from "./list.ts";
