import { assertEquals, assertStringIncludes } from "@std/assert";
import { assemble } from "../../../../lib/asm/text/mod.ts";
import {
  controlFlow,
  flowDot,
  type FlowGraph,
  flowMermaid,
  flowSvg,
  type LayOutGraph,
} from "../../../../lib/asm/flow/mod.ts";

const INSNS = assemble(`
  ; if (x == "a\\n") @ a.c:3:1
  main: if r1 == 0x0 goto main
  call f
  exit
  f: goto out
  r0 = 1
  out: exit
`);

const GRAPH: FlowGraph = { insns: INSNS, flows: controlFlow(INSNS) };

Deno.test("flowDot() writes frames, boxes and edges", () => {
  assertEquals(
    flowDot([GRAPH], { title: 'a "b"' }),
    String.raw`digraph "a \"b\"" {
  graph [fontname=monospace]
  node [shape=box, fontname=monospace, fontsize=10]
  edge [fontname=monospace, fontsize=9]
  subgraph cluster_0 {
    label="main"
    f0b0 [label="main:\l; if (x == \"a\\n\") @ a.c:3\l   0: if r1 == 0x0 goto main\l"]
    f0b1 [label="   1: call f\l   2: exit\l"]
  }
  f0b0 -> f0b1 [label="no"]
  f0b0 -> f0b0 [label="yes", penwidth=2]
  subgraph cluster_1 {
    label="f"
    f1b0 [label="f:\l   3: goto out\l"]
    f1b1 [label="   4: r0 = 1\l", style=dashed, color=gray, fontcolor=gray]
    f1b2 [label="out:\l   5: exit\l"]
  }
  f1b0 -> f1b2
  f1b1 -> f1b2 [style=dashed, color=gray]
}
`,
  );
});

Deno.test("flowMermaid() writes subgraphs, boxes and edges", () => {
  assertEquals(
    flowMermaid([GRAPH], { source: false }),
    `flowchart TD
  classDef dead stroke-dasharray:4,color:gray,stroke:gray
  subgraph f0["main"]
    f0b0["main:<br/>&nbsp;&nbsp;&nbsp;0: if r1 == 0x0 goto main"]
    f0b1["&nbsp;&nbsp;&nbsp;1: call f<br/>&nbsp;&nbsp;&nbsp;2: exit"]
  end
  f0b0 -->|no| f0b1
  f0b0 -->|yes| f0b0
  linkStyle 1 stroke-width:3px
  subgraph f1["f"]
    f1b0["f:<br/>&nbsp;&nbsp;&nbsp;3: goto out"]
    f1b1["&nbsp;&nbsp;&nbsp;4: r0 = 1"]:::dead
    f1b2["out:<br/>&nbsp;&nbsp;&nbsp;5: exit"]
  end
  f1b0 --> f1b2
  f1b1 -.-> f1b2
`,
  );
  assertStringIncludes(flowMermaid([GRAPH], { title: "t" }), "#34;a#92;n#34;");
});

Deno.test("graphs of several programs have functions with numbers of their own", () => {
  const text = flowDot([GRAPH, GRAPH]);
  for (let fn = 0; fn < 4; fn++) assertStringIncludes(text, `subgraph cluster_${fn} {`);
});

Deno.test("flowSvg() draws a box for each block and a line for each edge, and says what is dead", () => {
  // One below the other: where boxes stand is the caller's business.
  const layOut: LayOutGraph = (boxes, lines) => ({
    boxes: boxes.map((_, i) => ({ x: 0, y: 100 * i })),
    lines: lines.map(({ from, to }) => [{ x: 0, y: 100 * from }, { x: 0, y: 100 * to }]),
    width: 100,
    height: 100 * boxes.length,
  });
  const text = flowSvg([GRAPH], layOut, { title: "a < b" });
  assertStringIncludes(text, "<title>a &lt; b</title>");
  assertStringIncludes(text, "; if (x == &quot;a\\n&quot;) @ a.c:3");
  assertEquals(text.match(/<rect width="\d/g)?.length, 1 + 5);
  assertEquals(text.match(/<path (class="\w+" )?d="M[^"]*"\/>/g)?.length, 4);
  assertEquals(text.match(/<g class="dead"/g)?.length, 1);
  assertEquals([text.match(/<g\b/g)?.length, text.match(/<\/g>/g)?.length], [7, 7]);
});
