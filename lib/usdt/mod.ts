/**
 * USDT: probes that a program declares itself (`DTRACE_PROBE`, `<sys/sdt.h>`), where they are and where their arguments are.
 *
 * Facts: systemtap's wiki, UserSpaceProbeImplementation.
 *
 * @module
 */
export { parseUsdtArguments, type UsdtArgument, type UsdtLocation } from "./argument.ts";
export { readUsdtNotes, type UsdtNote, type UsdtSite, usdtSites, type UsdtSitesOptions } from "./note.ts";
