/**
 * Control flow: basic blocks, edges, loops, dead code, stack use; as text of Graphviz and Mermaid, and as SVG.
 *
 * @module
 */
export { controlFlow, type ControlFlowOptions } from "./control_flow.ts";
export type { FlowConstants } from "./fold.ts";
export { flowDot, flowMermaid, type GraphTextOptions } from "./graph_text.ts";
export { stackUse } from "./stack_use.ts";
export type { GraphBox, GraphLayout, GraphLine, GraphPoint, LayOutGraph } from "./layout.ts";
export { flowSvg } from "./svg.ts";
export type * from "./types.ts";
