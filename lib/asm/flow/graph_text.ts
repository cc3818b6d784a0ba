/**
 * Control-flow graphs as text for programs that draw them: Graphviz' DOT and Mermaid. A function is a frame, a block a box with its
 * instructions and the source lines between them; dead blocks are grey and dashed, so are edges that can't be gone;
 * edges that close a loop are drawn thick.
 *
 * @module
 */
import type { FormatOptions } from "../format.ts";
import type { Instruction } from "../instruction.ts";
import { listing } from "../listing.ts";
import type { BasicBlock, FlowEdge, FlowGraph, FunctionFlow } from "./types.ts";

/** Options of {@linkcode flowDot} and {@linkcode flowMermaid}. */
export interface GraphTextOptions {
  /** As of `format()`. */
  reference?: FormatOptions["reference"];
  /** Whether source lines stand before the instructions that they became; default true. */
  source?: boolean;
  /** What the graph is called; default `"program"`. */
  title?: string;
}

/** The lines of a block: its labels are the frame's business or clear from the edges. */
export function blockLines(insns: readonly Instruction[], block: BasicBlock, options: GraphTextOptions): string[] {
  const lines = listing(insns.slice(block.first, block.end), {
    firstSlot: block.slot,
    opcode: false,
    source: options.source ?? true,
    ...(options.reference === undefined ? {} : { reference: options.reference }),
  });
  return [...lines].map(({ text }) => text);
}

/** Visits all functions, with a number for each. */
function eachFunction(
  graphs: readonly FlowGraph[],
  visit: (insns: readonly Instruction[], flow: FunctionFlow, number: number) => void,
): void {
  let number = 0;
  for (const { insns, flows } of graphs) for (const flow of flows) visit(insns, flow, number++);
}

function nodeName(fn: number, block: number): string {
  return `f${fn}b${block}`;
}

/** What stands above a function. */
export function frameTitle(flow: FunctionFlow): string {
  return `${flow.name}${flow.reachable ? "" : " (never called)"}`;
}

const EDGE_LABEL: Readonly<Record<FlowEdge["kind"], string>> = { next: "", jump: "", taken: "yes", indirect: "gotox" };

/** The word on an edge: a condition has two ways on. */
export function edgeLabel(flow: FunctionFlow, edge: FlowEdge): string {
  const ways = flow.blocks[edge.from]!.out;
  return edge.kind === "next" && ways.some(({ kind }) => kind === "taken") ? "no" : EDGE_LABEL[edge.kind];
}

/** `graphs` as one graph in the language of Graphviz. */
export function flowDot(graphs: readonly FlowGraph[], options: GraphTextOptions = {}): string {
  const lines = [
    `digraph ${quoted(options.title ?? "program")} {`,
    "  graph [fontname=monospace]",
    "  node [shape=box, fontname=monospace, fontsize=10]",
    "  edge [fontname=monospace, fontsize=9]",
  ];
  eachFunction(graphs, (insns, flow, fn) => {
    lines.push(`  subgraph cluster_${fn} {`, `    label=${quoted(frameTitle(flow))}`);
    for (const block of flow.blocks) {
      const text = blockLines(insns, block, options).map((line) => `${escaped(line)}\\l`).join("");
      const dead = block.reachable && flow.reachable ? "" : ", style=dashed, color=gray, fontcolor=gray";
      lines.push(`    ${nodeName(fn, block.index)} [label="${text}"${dead}]`);
    }
    lines.push("  }");
    for (const edge of flow.edges) {
      const label = edgeLabel(flow, edge);
      const marks = [
        ...label === "" ? [] : [`label=${quoted(label)}`],
        ...edge.back ? ["penwidth=2"] : [],
        ...edge.feasible ? [] : ["style=dashed", "color=gray"],
      ];
      const list = marks.length === 0 ? "" : ` [${marks.join(", ")}]`;
      lines.push(`  ${nodeName(fn, edge.from)} -> ${nodeName(fn, edge.to)}${list}`);
    }
  });
  return `${[...lines, "}"].join("\n")}\n`;
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", " ");
}

function quoted(text: string): string {
  return `"${escaped(text)}"`;
}

/** `graphs` as one Mermaid flowchart. */
export function flowMermaid(graphs: readonly FlowGraph[], options: GraphTextOptions = {}): string {
  const lines = [
    ...options.title === undefined ? [] : ["---", `title: ${JSON.stringify(options.title)}`, "---"],
    "flowchart TD",
    "  classDef dead stroke-dasharray:4,color:gray,stroke:gray",
  ];
  /** Edges are styled by their number. */
  let count = 0;
  eachFunction(graphs, (insns, flow, fn) => {
    lines.push(`  subgraph f${fn}["${entities(frameTitle(flow))}"]`);
    for (const block of flow.blocks) {
      const text = blockLines(insns, block, options).map((line) => entities(line)).join("<br/>");
      const dead = block.reachable && flow.reachable ? "" : ":::dead";
      lines.push(`    ${nodeName(fn, block.index)}["${text}"]${dead}`);
    }
    lines.push("  end");
    const thick: number[] = [];
    for (const edge of flow.edges) {
      const label = edgeLabel(flow, edge);
      const arrow = edge.feasible ? "-->" : "-.->";
      const words = label === "" ? "" : `|${label}|`;
      lines.push(`  ${nodeName(fn, edge.from)} ${arrow}${words} ${nodeName(fn, edge.to)}`);
      if (edge.back) thick.push(count);
      count++;
    }
    if (thick.length > 0) lines.push(`  linkStyle ${thick.join(",")} stroke-width:3px`);
  });
  return `${lines.join("\n")}\n`;
}

/** Mermaid takes text in quotes with entities for what has a meaning to it, also for spaces in the beginning. */
function entities(text: string): string {
  return text.replace(/[&<>"#`\\[\]{}|]/g, (char) => `#${char.charCodeAt(0)};`)
    .replace(/^ +/, (spaces) => "&nbsp;".repeat(spaces.length));
}
