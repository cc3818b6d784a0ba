/**
 * Deep equality as `@std/assert` has it. `node:util` has no function with the same results: there 0 is not -0, and
 * objects need the same prototype.
 *
 * @module
 */

/** Whether `c` and `d` have the same structure and the same values. */
export function equal(c: unknown, d: unknown): boolean {
  return compare(c, d, new Map());
}

/** `seen` holds the pairs whose comparison has begun: a cycle is equal as far as it can be known. */
function compare(a: unknown, b: unknown, seen: Map<object, object>): boolean {
  if (typeof a === "number" && typeof b === "number") return a === b || (Number.isNaN(a) && Number.isNaN(b));
  if (Object.is(a, b)) return true;
  if (!isObject(a) || !isObject(b)) return false;
  if ((a instanceof RegExp && b instanceof RegExp) || (a instanceof URL && b instanceof URL)) {
    return String(a) === String(b);
  }
  if (a instanceof Date && b instanceof Date) return Object.is(a.getTime(), b.getTime());
  if (!sameConstructor(a, b)) return false;
  if (a instanceof WeakMap) throw new TypeError("cannot compare WeakMap instances");
  if (a instanceof WeakSet) throw new TypeError("cannot compare WeakSet instances");
  if (a instanceof WeakRef && b instanceof WeakRef) return compare(a.deref(), b.deref(), seen);
  if (ArrayBuffer.isView(a) && ArrayBuffer.isView(b) && !(a instanceof DataView)) {
    return sameElements(a as Uint8Array, b as Uint8Array);
  }
  if (seen.get(a) === b) return true;
  if (Object.keys(a).length !== Object.keys(b).length) return false;
  seen.set(a, b);
  if (a instanceof Set && b instanceof Set) return sameEntries(asMap(a), asMap(b), seen);
  if (a instanceof Map && b instanceof Map) return sameEntries(a, b, seen);
  return sameProperties(a, b, seen);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** An object without a prototype counts as a plain one. */
function sameConstructor(a: object, b: object): boolean {
  return (a.constructor ?? Object) === (b.constructor ?? Object);
}

function asMap(set: Set<unknown>): Map<unknown, unknown> {
  return new Map([...set].map((item) => [item, undefined]));
}

/** Order does not count, and keys that are objects are compared by structure. */
function sameEntries(a: Map<unknown, unknown>, b: Map<unknown, unknown>, seen: Map<object, object>): boolean {
  if (a.size !== b.size) return false;
  const left = new Map([...b].filter(([key]) => isObject(key)));
  for (const [key, value] of a) {
    if (!isObject(key)) {
      if (!b.has(key) || !compare(value, b.get(key), seen)) return false;
      continue;
    }
    const twin = [...left].find(([other, its]) => compare(key, other, seen) && compare(value, its, seen));
    if (!twin) return false;
    left.delete(twin[0]);
  }
  return true;
}

/** Typed arrays: properties would be compared one string key at a time. */
function sameElements(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i] && !(Number.isNaN(a[i]) && Number.isNaN(b[i]))) return false;
  }
  return true;
}

function sameProperties(a: object, b: object, seen: Map<object, object>): boolean {
  const keys = new Set([...enumerableKeys(a), ...enumerableKeys(b)]);
  for (const key of keys) {
    if (key in a !== key in b) return false;
    if (!compare(Reflect.get(a, key), Reflect.get(b, key), seen)) return false;
  }
  return true;
}

function enumerableKeys(object: object): (string | symbol)[] {
  return Reflect.ownKeys(object).filter((key) => Object.prototype.propertyIsEnumerable.call(object, key));
}
