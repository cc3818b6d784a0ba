/**
 * From a number back to the kernel's name.
 *
 * @module
 */

const NAMES = new WeakMap<object, ReadonlyMap<number, string>>();

/**
 * The kernel's name of a value: `enumName(BpfMapType, 1)` is `"BPF_MAP_TYPE_HASH"`; undefined for a value that the enum
 * does not have. Of several names for a value it is the first that is not `..._DEPRECATED`.
 *
 * @param values One of this room's const objects.
 * @param value A number, perhaps from a newer kernel.
 */
export function enumName(values: Readonly<Record<string, number>>, value: number): string | undefined {
  let names = NAMES.get(values);
  if (!names) NAMES.set(values, names = invert(values));
  return names.get(value);
}

function invert(values: Readonly<Record<string, number>>): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  for (const [name, value] of Object.entries(values)) {
    const old = names.get(value);
    if (old === undefined || (old.endsWith("_DEPRECATED") && !name.endsWith("_DEPRECATED"))) names.set(value, name);
  }
  return names;
}
