/**
 * Places for the boxes and lines of a graph, found by the npm package dagre, which is loaded when a picture is asked for.
 *
 * @module
 */
import type { GraphPoint, LayOutGraph } from "../../lib/asm/flow/mod.ts";

/**
 * No literal: Deno would fetch the package when any command starts, since it looks through the `import()`s of all of them.
 */
const DAGRE = ["npm:@dagrejs/dagre@1.1.8"];

const GAP_X = 24;
const GAP_Y = 36;

/** What is used of dagre. */
interface Dagre {
  readonly graphlib: { readonly Graph: new (options: { multigraph: boolean }) => DagreGraph };
  layout(graph: DagreGraph): void;
}

interface DagreGraph {
  setGraph(label: { nodesep: number; ranksep: number }): void;
  graph(): { width?: number; height?: number };
  setNode(name: string, label: { width: number; height: number }): void;
  node(name: string): { x: number; y: number; width: number; height: number };
  setEdge(from: string, to: string, label: object, name: string): void;
  edge(edge: { v: string; w: string; name: string }): { points: GraphPoint[] };
}

/**
 * Loads dagre.
 *
 * @throws {Error} if it is not in Deno's cache and cannot be fetched.
 */
export async function loadLayout(): Promise<LayOutGraph> {
  let dagre: Dagre;
  try {
    const loaded: { default: Dagre } = await import(DAGRE[0]!);
    dagre = loaded.default;
  } catch (error) {
    const why = error instanceof Error ? error.message.split("\n")[0] : String(error);
    throw new Error(
      `--cfg svg is laid out by the package ${DAGRE[0]}, which cannot be loaded: ${why}: fetch it once with ` +
        `"deno cache ${DAGRE[0]}", or take --cfg dot or mermaid`,
      { cause: error },
    );
  }
  return (boxes, lines) => {
    const graph = new dagre.graphlib.Graph({ multigraph: true });
    graph.setGraph({ nodesep: GAP_X, ranksep: GAP_Y });
    for (const [i, { width, height }] of boxes.entries()) graph.setNode(`${i}`, { width, height });
    for (const [i, { from, to }] of lines.entries()) graph.setEdge(`${from}`, `${to}`, {}, `${i}`);
    dagre.layout(graph);
    const { width = 0, height = 0 } = graph.graph();
    return {
      boxes: boxes.map((box, i) => {
        // dagre's places are those of centres.
        const { x, y } = graph.node(`${i}`);
        return { x: x - box.width / 2, y: y - box.height / 2 };
      }),
      lines: lines.map(({ from, to }, i) => graph.edge({ v: `${from}`, w: `${to}`, name: `${i}` }).points),
      width,
      height,
    };
  };
}
