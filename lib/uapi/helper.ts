/**
 * Names and numbers of helpers.
 *
 * @module
 */
import { BpfFuncId, HELPER_NAMES } from "./bpf_func_id.ts";

/** The name of a helper, as programs call it without `bpf_`: `helperName(1)` is `"map_lookup_elem"`. */
export function helperName(id: number): string | undefined {
  return HELPER_NAMES[id];
}

/** The number of a helper: `helperId("map_lookup_elem")` is 1; undefined for a name that no kernel knew. */
export function helperId(name: string): BpfFuncId | undefined {
  const key = `BPF_FUNC_${name}`;
  return isHelper(key) ? BpfFuncId[key] : undefined;
}

function isHelper(key: string): key is keyof typeof BpfFuncId {
  return Object.hasOwn(BpfFuncId, key);
}
