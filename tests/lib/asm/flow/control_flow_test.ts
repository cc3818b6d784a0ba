import { assert, assertEquals, assertGreater, assertThrows } from "@std/assert";
import { assemble } from "../../../../lib/asm/text/mod.ts";
import { controlFlow, type FlowConstants, type FunctionFlow } from "../../../../lib/asm/flow/mod.ts";
import { LinkError } from "../../../../lib/errors.ts";
import { codeOf, objectPaths, readObject } from "../objects.ts";

/** Blocks as `first-end`, with `!` for dead ones. */
const blocks = (flow: FunctionFlow) =>
  flow.blocks.map(({ first, end, reachable }) => `${reachable ? "" : "!"}${first}-${end}`);
/** Edges as `from kind to`; `~` for those that can't be gone, `^` for those that close a loop. */
const edges = (flow: FunctionFlow) =>
  flow.edges.map(({ from, to, kind, feasible, back }) =>
    `${feasible ? "" : "~"}${from} ${kind} ${to}${back ? "^" : ""}`
  );
const only = (text: string, constants?: FlowConstants): FunctionFlow => {
  const flows = controlFlow(assemble(text), constants === undefined ? {} : { constants });
  assertEquals(flows.length, 1);
  return flows[0]!;
};

Deno.test("controlFlow() of a straight program is one block", () => {
  const flow = only("entry: r0 = 0\nexit");
  assertEquals([flow.name, blocks(flow), edges(flow), flow.loops], ["entry", ["0-2"], [], []]);
  assertEquals(controlFlow([]), []);
});

Deno.test("controlFlow() splits at jumps, their targets and exits", () => {
  const flow = only(`
    if r1 == 0x0 goto else
    r0 = 1
    goto end
    else: r0 = 2
    end: exit
  `);
  assertEquals(blocks(flow), ["0-1", "1-3", "3-4", "4-5"]);
  assertEquals(edges(flow), ["0 next 1", "0 taken 2", "1 jump 3", "2 next 3"]);
  assertEquals(flow.blocks[3]!.in.map(({ from }) => from), [1, 2]);
});

Deno.test("controlFlow() counts slots, so a 64-bit load before a target is no matter", () => {
  const flow = only("if r1 == 0x0 goto pc+2\nr2 = 0x1\nexit");
  assertEquals([blocks(flow), flow.blocks.map(({ slot }) => slot)], [["0-1", "1-2", "2-3"], [0, 1, 3]]);
});

Deno.test("controlFlow() finds dead code", () => {
  const flow = only("goto out\nr0 = 1\nr0 = 2\nout: exit\nr0 = 3\nexit");
  assertEquals(blocks(flow), ["0-1", "!1-3", "3-4", "!4-6"]);
});

Deno.test("controlFlow() finds loops and what is inside of them", () => {
  const flow = only(`
    outer: r1 += -1
    inner: r2 += -1
    if r2 != 0x0 goto inner
    if r1 != 0x0 goto outer
    exit
  `);
  assertEquals(flow.loops, [{ head: 0, blocks: [0, 1, 2] }, { head: 1, blocks: [1] }]);
  assertEquals(flow.blocks.map(({ depth }) => depth), [1, 2, 1, 0]);
  assertEquals(edges(flow).filter((edge) => edge.endsWith("^")), ["1 taken 1^", "2 taken 0^"]);
  assertEquals(flow.irreducible, false);
});

Deno.test("controlFlow() says of a cycle with two entries that it is irreducible", () => {
  const flow = only("if r1 == 0x0 goto b\na: r0 = 1\nb: r0 = 2\nif r2 == 0x0 goto a\nexit");
  assertEquals([flow.irreducible, flow.loops], [true, []]);
});

Deno.test("controlFlow() knows may_goto, gotol and gotox", () => {
  assertEquals(edges(only("may_goto out\ngotol pc-2\nout: exit")), ["0 next 1", "0 taken 2", "1 jump 0^"]);
  const flow = only("r1 = r2\ngotox r1\na: r0 = 0\nexit\nb: exit\nr0 = 1\nexit");
  assertEquals(edges(flow), ["0 indirect 1", "0 indirect 2"]);
  assertEquals(blocks(flow), ["0-2", "2-4", "4-5", "!5-7"]);
});

Deno.test("controlFlow() tells functions apart, and those that nothing calls", () => {
  const flows = controlFlow(assemble(`
    main: call a
          r1 = subprog[callback]
          exit
    a:    if r1 == 0x0 goto out
          call pc+4
    out:  exit
    callback: exit
    dead: call dead2
          exit
          exit
    dead2: exit
  `));
  assertEquals(flows.map(({ name, first, end, reachable }) => [name, first, end, reachable]), [
    ["main", 0, 3, true],
    ["a", 3, 6, true],
    ["callback", 6, 9, true],
    ["sub10", 9, 10, true],
    ["dead2", 10, 11, false],
  ]);
  assertEquals(flows[0]!.calls, [1, 2]);
});

Deno.test("controlFlow() refuses jumps out of a function and to nowhere", () => {
  const messages = ["call f\nexit\nf: goto pc-3\nexit", "goto pc+7\nexit", "goto pc+1\nr1 = 0x1\nexit"].map((text) =>
    assertThrows(() => controlFlow(assemble(text)), LinkError).message
  );
  assertEquals(messages, [
    "instruction 2: jumps to instruction 0, out of its function",
    "instruction 0: jumps to slot 8, where no instruction starts",
    "instruction 0: jumps to slot 2, where no instruction starts",
  ]);
});

/** A `.rodata` with one flag at offset 4. */
const flag = (value: bigint): FlowConstants => ({
  mapValue: (map, offset, size) => map === "a.rodata" && offset === 4 && size === 4 ? value : undefined,
});
const GUARDED = `
  r1 = map[a.rodata][0]+0
  r2 = *(u32 *)(r1 +4)
  if r2 == 0x0 goto off
  r0 = 1
  exit
  off: r0 = 0
  exit
`;

Deno.test("controlFlow() keeps all blocks without constants, and with those that say nothing", () => {
  assertEquals(blocks(only(GUARDED)), ["0-3", "3-5", "5-7"]);
  assertEquals(blocks(only(GUARDED, {})), ["0-3", "3-5", "5-7"]);
});

Deno.test("controlFlow() keeps the blocks that remain for a map's value", () => {
  const on = only(GUARDED, flag(7n));
  assertEquals(blocks(on), ["0-3", "3-5", "!5-7"]);
  assertEquals(edges(on), ["0 next 1", "~0 taken 2"]);
  assertEquals(blocks(only(GUARDED, flag(0n))), ["0-3", "!3-5", "5-7"]);
});

Deno.test("controlFlow() follows constants through arithmetic, of both widths", () => {
  const remains = (condition: string, ...setup: string[]) => {
    const flow = only(`${setup.join("\n")}\nif ${condition} goto yes\nr0 = 0\nexit\nyes: r0 = 1\nexit`, {});
    return flow.blocks.filter(({ reachable }) => reachable).map(({ index }) => index).join();
  };
  const yes = "0,2";
  const no = "0,1";
  const both = "0,1,2";
  assertEquals(remains("r1 == 0x5", "r1 = 5"), yes);
  assertEquals(remains("r1 != 0x5", "r1 = 5"), no);
  assertEquals(remains("r1 == r2", "r1 = 5", "r2 = 2", "r2 += 3"), yes);
  assertEquals(remains("r1 s< 0x0", "r1 = -1"), yes);
  assertEquals(remains("r1 < 0x0", "r1 = -1"), no);
  assertEquals(remains("r1 > 0xffffffff", "r1 = -1"), no);
  assertEquals(remains("r1 == 0xffffffff", "r1 = 0xffffffff"), no);
  assertEquals(remains("w1 == 0xffffffff", "r1 = 0xffffffff"), yes);
  assertEquals(remains("r1 == 0x1", "r1 = 0x100000001", "w1 = w1"), yes);
  assertEquals(remains("r1 == 0x7fffffff", "w1 = -1", "w1 >>= 1"), yes);
  assertEquals(remains("w1 == 0xffffffff", "w1 = -2", "w1 s>>= 1"), yes);
  assertEquals(remains("r1 == 0x3", "r1 = -7", "r1 s/= -2"), yes);
  assertEquals(remains("r1 s== 0x1".replace("s==", "=="), "r1 = 7", "r1 %= 2"), yes);
  assertEquals(remains("r1 == 0x0", "r1 = 7", "r2 = 0", "r1 /= r2"), yes);
  assertEquals(remains("r1 == 0x7", "r1 = 7", "r2 = 0", "r1 %= r2"), yes);
  assertEquals(remains("r1 == 0x3412", "r1 = 0x1234", "r1 = be16 r1"), yes);
  assertEquals(remains("r1 == 0x1234", "r1 = 0xff1234", "r1 = le16 r1"), yes);
  assertEquals(remains("r1 == -1".replace("-1", "0xffffffff"), "r2 = 255", "r1 = (s8)r2"), yes);
  assertEquals(remains("r1 == 0xfffffffe", "r1 = 2", "r1 = -r1"), yes);
  assertEquals(remains("r1 & 0x4", "r1 = 5"), yes);
  assertEquals(remains("r1 == 0x0", "r1 = 5", "call get_prandom_u32"), both);
  assertEquals(remains("r6 == 0x5", "r6 = 5", "call get_prandom_u32"), yes);
  assertEquals(remains("r1 == 0x0", "r1 = *(u64 *)(r10 -8)"), both);
  assertEquals(remains("r1 == 0x5", "r1 = 5", "r1 = atomic64_xchg((u64 *)(r10 -8), r1)"), both);
});

Deno.test("controlFlow() joins what ways into a block know", () => {
  const same = only(
    "if r3 == 0x0 goto a\nr1 = 5\ngoto b\na: r1 = 5\nb: if r1 == 0x5 goto c\nr0 = 0\nexit\nc: exit",
    {},
  );
  assertEquals(same.blocks.map(({ reachable }) => reachable), [true, true, true, true, false, true]);
  const other = only(
    "if r3 == 0x0 goto a\nr1 = 5\ngoto b\na: r1 = 6\nb: if r1 == 0x5 goto c\nr0 = 0\nexit\nc: exit",
    {},
  );
  assert(other.blocks.every(({ reachable }) => reachable));
});

Deno.test("controlFlow() does not take a loop's counter for constant", () => {
  const flow = only("r1 = 3\nloop: r1 += -1\nif r1 != 0x0 goto loop\nexit", {});
  assert(flow.blocks.every(({ reachable }) => reachable));
  assertEquals(flow.loops.length, 1);
});

Deno.test("controlFlow() knows what a comparison says where it holds", () => {
  const flow = only("if r1 != 0x5 goto out\nif r1 == 0x5 goto out\nr0 = 9\nout: exit", {});
  assertEquals(flow.blocks.map(({ reachable }) => reachable), [true, true, false, true]);
});

Deno.test("controlFlow() takes no number of an open instruction", () => {
  const text = "r1 = 1\nif r1 == 0x0 goto out\nr0 = 1\nout: exit";
  assertEquals(blocks(only(text, {})), ["0-2", "2-3", "3-4"]);
  const dead = only("r1 = 0\nif r1 == 0x0 goto out\nr0 = 1\nout: exit", {});
  assertEquals(blocks(dead), ["0-2", "!2-3", "3-4"]);
  const open = only("r1 = 0\nif r1 == 0x0 goto out\nr0 = 1\nout: exit", { isOpen: ({ opcode }) => opcode === 0xb7 });
  assertEquals(blocks(open), ["0-2", "2-3", "3-4"]);
});

Deno.test("controlFlow() leaves out functions that only dead code calls", () => {
  const text = "r1 = 0\nif r1 == 0x0 goto out\ncall f\nout: exit\nf: exit";
  const reachable = (constants?: FlowConstants) =>
    controlFlow(assemble(text), constants === undefined ? {} : { constants }).map((flow) => flow.reachable);
  assertEquals([reachable(), reachable({})], [[true, true], [true, false]]);
});

Deno.test("controlFlow() of every program in testdata: blocks cover the code, edges meet, no code of clang is dead", () => {
  let count = 0;
  for (const path of objectPaths()) {
    const spec = readObject(path);
    if (spec === undefined) continue;
    for (const [name, insns] of codeOf(spec)) {
      for (const flow of controlFlow(insns)) {
        let at = flow.first;
        for (const block of flow.blocks) {
          assertEquals(block.first, at, `${path}: ${name}`);
          at = block.end;
          assert(block.reachable, `${path}: ${name}, slot ${block.slot}`);
          count++;
        }
        assertEquals(at, flow.end);
      }
    }
  }
  assertGreater(count, 500);
});
