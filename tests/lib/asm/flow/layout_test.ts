import { assert, assertEquals } from "@std/assert";
import { layOutGraph, type Line } from "../../../../lib/asm/flow/layout.ts";
import { randomNumbers } from "../random.ts";

const box = (width = 50, height = 20) => ({ width, height });
const line = (from: number, to: number): Line => ({ from, to });

Deno.test("layOutGraph() puts each box below those that come before", () => {
  const { boxes, lines } = layOutGraph([box(), box(), box(), box()], [line(0, 1), line(0, 2), line(1, 3), line(2, 3)]);
  assert(boxes[0]!.y < boxes[1]!.y && boxes[1]!.y === boxes[2]!.y && boxes[2]!.y < boxes[3]!.y);
  assertEquals(boxes[0]!.x, boxes[3]!.x);
  assert(Math.abs(boxes[1]!.x - boxes[2]!.x) >= 50);
  assertEquals(lines.map((points) => points.length), [2, 2, 2, 2]);
});

Deno.test("layOutGraph() goes by the lines, not by the order of the boxes", () => {
  const { boxes } = layOutGraph([box(), box(), box()], [line(0, 2), line(2, 1)]);
  assert(boxes[0]!.y < boxes[2]!.y && boxes[2]!.y < boxes[1]!.y);
});

Deno.test("layOutGraph() leads lines that go back upwards, and those of a box to itself around it", () => {
  const { boxes, lines, width } = layOutGraph([box(), box()], [line(0, 1), line(1, 0), line(1, 1)]);
  assert(lines[1]![0]!.y > lines[1]!.at(-1)!.y);
  assert(lines[2]!.every(({ x }) => x >= boxes[1]!.x + 50 && x <= width));
});

Deno.test("layOutGraph() of nothing and of one box", () => {
  assertEquals(layOutGraph([box(7, 9)], []), { boxes: [{ x: 0, y: 0 }], lines: [], width: 7, height: 9 });
});

Deno.test("layOutGraph() of random graphs: no box covers another, lines begin and end at their boxes", () => {
  for (let seed = 1; seed <= 60; seed++) {
    const next = randomNumbers(seed);
    const count = 1 + next() % 25;
    const sizes = Array.from({ length: count }, () => box(20 + next() % 200, 10 + next() % 100));
    const lines = Array.from({ length: next() % (2 * count) }, () => line(next() % count, next() % count));
    const layout = layOutGraph(sizes, lines);
    assertEquals(layOutGraph(sizes, lines), layout);
    layout.boxes.forEach((a, i) => {
      assert(a.x > -1e-6 && a.x + sizes[i]!.width < layout.width + 1e-6);
      assert(a.y >= 0 && a.y + sizes[i]!.height <= layout.height);
      layout.boxes.forEach((b, j) => {
        const apart = a.x + sizes[i]!.width <= b.x || b.x + sizes[j]!.width <= a.x || a.y + sizes[i]!.height <= b.y ||
          b.y + sizes[j]!.height <= a.y;
        assert(i === j || apart, `seed ${seed}: boxes ${i} and ${j}`);
      });
    });
    const touches = (at: number, { x, y }: { x: number; y: number }) => {
      const { x: left, y: top } = layout.boxes[at]!;
      return x >= left - 1e-6 && x <= left + sizes[at]!.width + 1e-6 && y >= top && y <= top + sizes[at]!.height;
    };
    lines.forEach(({ from, to }, i) => {
      const points = layout.lines[i]!;
      assert(touches(from, points[0]!) && touches(to, points.at(-1)!), `seed ${seed}: line ${i}`);
    });
  }
});
