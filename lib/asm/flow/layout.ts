/**
 * Places for the boxes and lines of a control-flow graph, in layers from top to bottom.
 *
 * The steps are those of Sugiyama, Tagawa and Toda: "Methods for visual understanding of hierarchical system structures"
 * (1981).
 *
 * 1. A box is in the layer behind the last of its predecessors. Lines that close a cycle are turned around before.
 * 2. A line through several layers gets a bend in each, which takes part as a narrow box.
 * 3. In each layer boxes are put in order of the average place of their neighbours, down and up again and again; the order
 *    with the fewest crossings is kept.
 * 4. Each box is moved to below the average of its neighbours, as far as the order and the gaps let it: the least squares
 *    solution, found by pooling boxes that touch.
 *
 * @module
 */

/** A box to be placed. */
export interface BoxSize {
  readonly width: number;
  readonly height: number;
}

/** A point; y grows downwards. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A line between two boxes, by their index. */
export interface Line {
  readonly from: number;
  readonly to: number;
}

/** Where all of it is. */
export interface Layout {
  /** Top left corner of each box. */
  readonly boxes: readonly Point[];
  /** The points of each line, from the border of one box to that of the other. */
  readonly lines: readonly (readonly Point[])[];
  /** Size of the whole. */
  readonly width: number;
  readonly height: number;
}

const GAP_X = 24;
const GAP_Y = 36;
const SWEEPS = 12;

/** A box, or a bend of a line. */
interface Node extends BoxSize {
  readonly layer: number;
  readonly up: number[];
  readonly down: number[];
  /** Left border. */
  x: number;
}

/**
 * Lays out a graph; box 0 is on top.
 *
 * @param sizes The boxes.
 * @param lines The lines between them.
 */
export function layOutGraph(sizes: readonly BoxSize[], lines: readonly Line[]): Layout {
  const layers = layersOf(sizes.length, lines);
  const nodes: Node[] = sizes.map((size, i) => ({ ...size, layer: layers[i]!, up: [], down: [], x: 0 }));
  const bends = lines.map((line) => addBends(nodes, line));
  const order = orderLayers(nodes);
  placeNodes(nodes, order);
  const tops: number[] = [];
  let height = 0;
  for (const layer of order) {
    tops.push(height);
    height += Math.max(...layer.map((i) => nodes[i]!.height)) + GAP_Y;
  }
  const left = Math.min(...nodes.map(({ x }) => x));
  for (const node of nodes) node.x -= left;
  const boxes = sizes.map((_, i): Point => ({ x: nodes[i]!.x, y: tops[nodes[i]!.layer]! }));
  const right = Math.max(0, ...nodes.map(({ x, width }) => x + width));
  const selves = lines.some(({ from, to }) => from === to);
  return {
    boxes,
    lines: lines.map((line, i) => route(line, bends[i]!, nodes, tops, order)),
    width: right + (selves ? GAP_X : 0),
    height: Math.max(0, height - GAP_Y),
  };
}

/** Layer of each box: lines that go forward end in a later layer. */
function layersOf(count: number, lines: readonly Line[]): number[] {
  const place = placesOf(count, lines);
  const layers: number[] = Array(count).fill(0);
  const forward = lines.map(({ from, to }) => place[from]! < place[to]! ? [from, to] as const : [to, from] as const)
    .filter(([from, to]) => from !== to)
    .sort((a, b) => place[a[0]]! - place[b[0]]!);
  // Every line goes from an earlier place to a later one, so the layer of its start is final when it is looked at.
  for (const [from, to] of forward) layers[to] = Math.max(layers[to]!, layers[from]! + 1);
  return layers;
}

/** Reverse post order: only lines that close a cycle go from a later place to an earlier one. */
function placesOf(count: number, lines: readonly Line[]): number[] {
  const ways = Array.from({ length: count }, (): number[] => []);
  for (const { from, to } of lines) ways[from]!.push(to);
  const places: number[] = Array(count).fill(0);
  const seen = new Set<number>();
  let place = count;
  for (let root = 0; root < count; root++) {
    if (seen.has(root)) continue;
    seen.add(root);
    const stack = [{ box: root, next: 0 }];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const to = ways[top.box]![top.next++];
      if (to === undefined) {
        places[top.box] = --place;
        stack.pop();
      } else if (!seen.has(to)) {
        seen.add(to);
        stack.push({ box: to, next: 0 });
      }
    }
  }
  return places;
}

/** Adds a bend in each layer between the ends of a line; gives the bends from top to bottom. */
function addBends(nodes: Node[], { from, to }: Line): number[] {
  if (from === to) return [];
  const [top, bottom] = nodes[from]!.layer < nodes[to]!.layer ? [from, to] : [to, from];
  const bends: number[] = [];
  let above = top;
  for (let layer = nodes[top]!.layer + 1; layer < nodes[bottom]!.layer; layer++) {
    bends.push(nodes.length);
    nodes.push({ width: 1, height: 1, layer, up: [], down: [], x: 0 });
    connect(nodes, above, nodes.length - 1);
    above = nodes.length - 1;
  }
  connect(nodes, above, bottom);
  return bends;
}

function connect(nodes: readonly Node[], above: number, below: number): void {
  nodes[above]!.down.push(below);
  nodes[below]!.up.push(above);
}

/** The nodes of each layer, from left to right. */
function orderLayers(nodes: readonly Node[]): number[][] {
  let order: number[][] = [];
  nodes.forEach(({ layer }, i) => (order[layer] ??= []).push(i));
  let best = order;
  let fewest = crossings(nodes, order);
  for (let sweep = 0; sweep < SWEEPS && fewest > 0; sweep++) {
    const down = sweep % 2 === 0;
    order = order.map((layer) => [...layer]);
    const steps = order.keys().toArray();
    for (const step of down ? steps : steps.reverse()) sortLayer(nodes, order, step, down);
    const count = crossings(nodes, order);
    if (count < fewest) [best, fewest] = [order, count];
  }
  return best;
}

/** Sorts a layer by the average place of each node's neighbours in the layer above, or below. */
function sortLayer(nodes: readonly Node[], order: number[][], step: number, down: boolean): void {
  const beside = order[down ? step - 1 : step + 1];
  if (beside === undefined) return;
  const places = new Map(beside.map((node, place) => [node, place]));
  const weights = order[step]!.map((node, place) => {
    const neighbours = down ? nodes[node]!.up : nodes[node]!.down;
    return { node, weight: average(neighbours.map((other) => places.get(other)!)) ?? place };
  });
  order[step] = weights.sort((a, b) => a.weight - b.weight).map(({ node }) => node);
}

function average(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** How many lines cross between layers. */
function crossings(nodes: readonly Node[], order: readonly (readonly number[])[]): number {
  let count = 0;
  for (let i = 0; i + 1 < order.length; i++) {
    const places = new Map(order[i + 1]!.map((node, place) => [node, place]));
    const ends: number[] = [];
    for (const node of order[i]!) {
      const own = nodes[node]!.down.map((below) => places.get(below)!).sort((a, b) => a - b);
      for (const end of own) count += ends.filter((other) => other > end).length;
      ends.push(...own);
    }
  }
  return count;
}

/** Moves the nodes of each layer to where their neighbours are. */
function placeNodes(nodes: readonly Node[], order: readonly (readonly number[])[]): void {
  for (const layer of order) pack(nodes, layer, layer.map(() => 0));
  const centre = (i: number) => nodes[i]!.x + nodes[i]!.width / 2;
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const down = sweep % 2 === 0;
    for (const layer of down ? order : order.toReversed()) {
      const wanted = layer.map((i) => {
        const { up, down: below, x, width } = nodes[i]!;
        const neighbours = sweep === SWEEPS - 1 ? [...up, ...below] : down ? up : below;
        const middle = average(neighbours.map(centre));
        return middle === undefined ? x : middle - width / 2;
      });
      pack(nodes, layer, wanted);
    }
  }
}

/** Gives the nodes of a layer the places closest to `wanted` that keep their order and the gaps between them. */
function pack(nodes: readonly Node[], layer: readonly number[], wanted: readonly number[]): void {
  // Without the widths and gaps of those to its left, places only have to ascend.
  const shifts: number[] = [];
  let shift = 0;
  for (const i of layer) {
    shifts.push(shift);
    shift += nodes[i]!.width + GAP_X;
  }
  const pools: { sum: number; count: number }[] = [];
  layer.forEach((_, place) => {
    let pool = { sum: wanted[place]! - shifts[place]!, count: 1 };
    for (let last = pools.at(-1); last !== undefined && last.sum / last.count > pool.sum / pool.count;) {
      pool = { sum: last.sum + pool.sum, count: last.count + pool.count };
      pools.pop();
      last = pools.at(-1);
    }
    pools.push(pool);
  });
  let place = 0;
  for (const { sum, count } of pools) {
    for (let i = 0; i < count; i++, place++) nodes[layer[place]!]!.x = sum / count + shifts[place]!;
  }
}

/** The points of a line. One that goes back begins at the top of its box and ends at the bottom of the other. */
function route(
  { from, to }: Line,
  bends: readonly number[],
  nodes: readonly Node[],
  tops: readonly number[],
  order: readonly (readonly number[])[],
): Point[] {
  const source = nodes[from]!;
  const target = nodes[to]!;
  const top = (node: Node) => tops[node.layer]!;
  const middle = (node: Node) => node.x + node.width / 2;
  if (from === to) {
    const right = source.x + source.width;
    const [low, high] = [top(source) + source.height * 0.6, top(source) + source.height * 0.4];
    return [{ x: right, y: low }, { x: right + 14, y: low }, { x: right + 14, y: high }, { x: right, y: high }];
  }
  const [upper, lower] = source.layer < target.layer ? [source, target] : [target, source];
  const points: Point[] = [{ x: middle(upper), y: top(upper) + upper.height }];
  // A box may be lower than others of its layer: the line stays straight until they end.
  const layerEnd = (layer: number) => tops[layer]! + Math.max(...order[layer]!.map((i) => nodes[i]!.height));
  if (layerEnd(upper.layer) > points[0]!.y) points.push({ x: middle(upper), y: layerEnd(upper.layer) });
  for (const bend of bends) {
    const { layer, x } = nodes[bend]!;
    points.push({ x, y: tops[layer]! }, { x, y: layerEnd(layer) });
  }
  points.push({ x: middle(lower), y: top(lower) });
  return upper === source ? points : points.reverse();
}
