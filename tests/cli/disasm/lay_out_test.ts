import { assert, assertEquals } from "@std/assert";
import { loadLayout } from "../../../cli/disasm/lay_out.ts";
import { randomNumbers } from "../../lib/asm/random.ts";

const layOut = await loadLayout();
const box = (width = 50, height = 20) => ({ width, height });
const line = (from: number, to: number) => ({ from, to });

Deno.test("loadLayout(): each box is below those that come before", () => {
  const { boxes, lines } = layOut([box(), box(), box(), box()], [line(0, 1), line(0, 2), line(1, 3), line(2, 3)]);
  assert(boxes[0]!.y < boxes[1]!.y && boxes[1]!.y === boxes[2]!.y && boxes[2]!.y < boxes[3]!.y);
  assert(Math.abs(boxes[1]!.x - boxes[2]!.x) >= 50);
  assertEquals(lines.length, 4);
});

Deno.test("loadLayout(): lines that go back lead upwards", () => {
  const { lines } = layOut([box(), box()], [line(0, 1), line(1, 0), line(1, 1)]);
  assert(lines[1]![0]!.y > lines[1]!.at(-1)!.y);
});

Deno.test("loadLayout(): one box", () => {
  assertEquals(layOut([box(7, 9)], []), { boxes: [{ x: 0, y: 0 }], lines: [], width: 7, height: 9 });
});

Deno.test("loadLayout(): in random graphs no box covers another, and lines begin and end at their boxes", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const next = randomNumbers(seed);
    const count = 1 + next() % 25;
    const sizes = Array.from({ length: count }, () => box(20 + next() % 200, 10 + next() % 100));
    const lines = Array.from({ length: next() % (2 * count) }, () => line(next() % count, next() % count));
    const layout = layOut(sizes, lines);
    layout.boxes.forEach((a, i) => {
      assert(a.x > -0.1 && a.x + sizes[i]!.width < layout.width + 0.1);
      assert(a.y > -0.1 && a.y + sizes[i]!.height <= layout.height + 0.1);
      layout.boxes.forEach((b, j) => {
        const apart = a.x + sizes[i]!.width <= b.x || b.x + sizes[j]!.width <= a.x || a.y + sizes[i]!.height <= b.y ||
          b.y + sizes[j]!.height <= a.y;
        assert(i === j || apart, `seed ${seed}: boxes ${i} and ${j}`);
      });
    });
    const touches = (at: number, { x, y }: { x: number; y: number }) => {
      const { x: left, y: top } = layout.boxes[at]!;
      return x >= left - 0.1 && x <= left + sizes[at]!.width + 0.1 && y >= top - 0.1 &&
        y <= top + sizes[at]!.height + 0.1;
    };
    lines.forEach(({ from, to }, i) => {
      const points = layout.lines[i]!;
      assert(touches(from, points[0]!) && touches(to, points.at(-1)!), `seed ${seed}: line ${i}`);
    });
  }
});
