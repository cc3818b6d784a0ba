/**
 * Which maps are being read: two readers that know nothing of each other would read overwritten memory, or take each
 * other's records.
 *
 * @module
 */
const BEING_READ = new Set<number>();

/**
 * Marks a map as being read until the result is disposed of.
 *
 * @param id The map's id.
 * @param what What to call it in messages: `ring buffer "events"`.
 * @throws {Error} if it is being read already.
 */
export function claimMap(id: number, what: string): Disposable {
  if (BEING_READ.has(id)) throw new Error(`${what} is being read already: close its other stream`);
  BEING_READ.add(id);
  return { [Symbol.dispose]: () => void BEING_READ.delete(id) };
}
