/**
 * Names that look like another one: what a missing member may have been renamed to.
 *
 * @module
 */

/**
 * Up to `count` of `names`, the closest first: by edits (a letter inserted, dropped, changed, two swapped), where a name
 * that contains the other, or is contained in it, counts as close.
 */
export function nearestNames(name: string, names: Iterable<string>, count = 3): string[] {
  const limit = Math.max(1, Math.floor(name.length / 3));
  const ranked: { name: string; rank: number }[] = [];
  for (const other of new Set(names)) {
    const contained = name.length > 2 && other.length > 2 && (other.includes(name) || name.includes(other));
    const distance = editDistance(name, other);
    if (distance <= limit) ranked.push({ name: other, rank: distance });
    else if (contained) ranked.push({ name: other, rank: limit + Math.abs(other.length - name.length) });
  }
  ranked.sort((a, b) => a.rank - b.rank || (a.name < b.name ? -1 : 1));
  return ranked.slice(0, count).map((entry) => entry.name);
}

/** Number of edits between two names (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let best = Math.min(previous[j]! + 1, current[j - 1]! + 1, changed);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, beforePrevious[j - 2]! + 1);
      }
      current.push(best);
    }
    [beforePrevious, previous] = [previous, current];
  }
  return previous[b.length]!;
}
