/**
 * Control-flow graphs as pictures: SVG.
 *
 * @module
 */
import type { Instruction } from "../instruction.ts";
import { blockLines, edgeLabel, frameTitle, type GraphTextOptions } from "./graph_text.ts";
import type { GraphPoint, LayOutGraph } from "./layout.ts";
import type { FlowEdge, FlowGraph, FunctionFlow } from "./types.ts";

/** Width of a letter and height of a line, in pixels, at the font size of the style sheet. */
const LETTER = 7.25;
const LINE = 15;
const PADDING = 8;
const MARGIN = 20;
const TITLE = 24;

const STYLE = `text{font:12px monospace;white-space:pre;fill:#111}.title{font-weight:bold}.source{fill:#0550ae}` +
  `rect{fill:#fff;stroke:#333}path{fill:none;stroke:#333;marker-end:url(#arrow)}.back{stroke-width:2.5}` +
  `.dead rect,path.dead{stroke:#999;stroke-dasharray:4}.dead text,text.dead{fill:#999}.word{font-size:11px;fill:#555;stroke:#fff;stroke-width:4px;paint-order:stroke}`;

/**
 * `graphs` as one SVG document: functions side by side, the first one left.
 *
 * @param layOut Finds places for a function's boxes and lines: a library's, such as dagre's.
 */
export function flowSvg(graphs: readonly FlowGraph[], layOut: LayOutGraph, options: GraphTextOptions = {}): string {
  const parts: string[] = [];
  let right = MARGIN;
  let bottom = 0;
  const functions = graphs.flatMap(({ insns, flows }) => flows.map((flow) => ({ insns, flow })));
  for (const { insns, flow } of functions) {
    const drawn = drawFunction(insns, flow, layOut, options);
    parts.push(`<g transform="translate(${right} ${MARGIN})">${drawn.text}</g>`);
    right += drawn.width + 2 * MARGIN;
    bottom = Math.max(bottom, drawn.height);
  }
  const [width, height] = [Math.ceil(right - MARGIN), Math.ceil(bottom + 2 * MARGIN)];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" xml:space="preserve">
<title>${escaped(options.title ?? "program")}</title>
<style>${STYLE}</style>
<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0 8 4 0 8z" style="fill:#333;stroke:none;marker:none"/></marker></defs>
<rect width="100%" height="100%" style="stroke:none"/>
${parts.join("\n")}
</svg>
`;
}

function drawFunction(
  insns: readonly Instruction[],
  flow: FunctionFlow,
  layOut: LayOutGraph,
  options: GraphTextOptions,
): { text: string; width: number; height: number } {
  const texts = flow.blocks.map((block) => blockLines(insns, block, options));
  const sizes = texts.map((lines) => ({
    width: Math.max(...lines.map((line) => line.length)) * LETTER + 2 * PADDING,
    height: lines.length * LINE + 2 * PADDING,
  }));
  const layout = layOut(sizes, flow.edges);
  const place = (point: GraphPoint): string => `${round(point.x)} ${round(point.y + TITLE)}`;
  const boxes = flow.blocks.map((block, i) => {
    const { x, y } = layout.boxes[i]!;
    const { width, height } = sizes[i]!;
    const lines = texts[i]!.map((line, n) => {
      const kind = line.startsWith(";") ? ' class="source"' : "";
      return `<text${kind} x="${PADDING}" y="${PADDING + LINE * (n + 0.75)}">${escaped(line)}</text>`;
    });
    const dead = block.reachable && flow.reachable ? "" : ' class="dead"';
    return `<g${dead} transform="translate(${place({ x, y })})"><rect width="${
      round(width)
    }" height="${height}" rx="3"/>${lines.join("")}</g>`;
  });
  const paths = flow.edges.map((edge, i) => drawEdge(flow, edge, layout.lines[i]!, place));
  const title = `<text class="title" y="12">${escaped(frameTitle(flow))}</text>`;
  return {
    text: [title, ...paths, ...boxes].join("\n"),
    width: Math.max(layout.width, frameTitle(flow).length * LETTER),
    height: layout.height + TITLE,
  };
}

function drawEdge(
  flow: FunctionFlow,
  edge: FlowEdge,
  points: readonly GraphPoint[],
  place: (point: GraphPoint) => string,
): string {
  const kinds = [...edge.back ? ["back"] : [], ...edge.feasible ? [] : ["dead"]];
  const kind = kinds.length === 0 ? "" : ` class="${kinds.join(" ")}"`;
  const word = edgeLabel(flow, edge);
  const [first, second] = points;
  const path = `<path${kind} d="M${points.map(place).join("L")}"/>`;
  if (word === "" || first === undefined || second === undefined) return path;
  // On the line, a little way from where it begins: the two ways of a condition begin at one point.
  const along = Math.min(1, 20 / Math.hypot(second.x - first.x, second.y - first.y));
  const at = { x: first.x + (second.x - first.x) * along, y: first.y + (second.y - first.y) * along + 4 };
  const [x = "", y = ""] = place(at).split(" ");
  return `${path}<text class="word" text-anchor="middle" x="${x}" y="${y}">${escaped(word)}</text>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(text: string): string {
  // Control characters have no place in XML at all.
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;")
    .replaceAll(/\p{Cc}/gu, " ");
}
