/**
 * No record of a ring buffer is lost in silence, comes twice, out of order or with a wrong byte while programs on other
 * CPUs write as fast as they can.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { Collection, RingBuffer } from "../../mod.ts";
import { inRepository, inVm, needs, run } from "../support/mod.ts";
import { ringWords } from "./ring_words.ts";
import type { Truth } from "./ring_truth.ts";
import { objectSpec } from "./support.ts";

/** An emulated CPU (scripts/vm) is as much slower. */
const SHARE = inVm() ? 20 : 1;

interface Case {
  readonly way: "raw" | "atomics" | "batch" | "reader" | "take" | "iterate";
  readonly count: number;
  readonly compiler?: "clang14";
  readonly object?: "ring_wraps";
  /** What V8 is told: in a process of its own only. */
  readonly flags?: readonly string[];
  /** Closes the map in the middle. */
  readonly close?: true;
}

const COMPACTS = ["--v8-flags=--stress-compaction"];

const CASES: readonly Case[] = [
  { way: "raw", count: 5_000_000 },
  { way: "batch", count: 5_000_000 },
  { way: "reader", count: 5_000_000 },
  { way: "take", count: 5_000_000 },
  { way: "iterate", count: 5_000_000 },
  { way: "atomics", count: 300_000 },
  { way: "raw", count: 300_000, compiler: "clang14" },
  { way: "raw", count: 300_000, object: "ring_wraps", close: true },
  { way: "take", count: 300_000, close: true },
  { way: "batch", count: 200_000, flags: COMPACTS },
  { way: "reader", count: 200_000, flags: COMPACTS },
  { way: "iterate", count: 200_000, flags: COMPACTS },
];

for (const { way, count, compiler = "clang19", object = "ring_truth", flags = [], close } of CASES) {
  // What V8 moves is no matter of the kernel, and takes minutes where the CPU is emulated.
  if (flags.length > 0 && inVm()) continue;
  const produced = count / SHARE;
  const how = `${flags.length > 0 ? " while V8 compacts all the time" : ""}${
    close ? ", the map closed meanwhile" : ""
  }`;
  Deno.test({
    name:
      `${compiler}/${object}: ${produced} records of two producers, read by ${way}${how}: received + lost = produced`,
    ...needs({ bpf: true, btf: true, features: ["bpfLoop"] }),
    fn: async () => {
      const path = inRepository("testdata", compiler, `${object}.bpf.o`);
      const script = inRepository("tests", "kernel", "ring_truth.ts");
      const { code, stdout, stderr } = await run(Deno.execPath(), [
        ...["run", "-A", ...flags, script],
        ...[path, way, String(produced), "2", ...(close ? ["close"] : [])],
      ]);
      assertEquals([code, stderr], [0, ""]);
      const { received, dropped, discarded, lost, wrong }: Truth = JSON.parse(stdout);
      assertEquals([wrong, received + dropped + discarded + lost], [0, produced]);
      assert(received > 0 && (discarded > 0 || object === "ring_wraps"));
    },
  });
}

Deno.test({
  name: "a ring of one page: 10,000 wraps by records of random sizes, none lost, none wrong",
  ...needs({ bpf: true, btf: true, features: ["bpfLoop"] }),
  fn() {
    const spec = objectSpec("clang19", "ring_wraps");
    spec.maps.get("records")!.maxEntries = 4096;
    using collection = Collection.load(spec);
    using ring = new RingBuffer(collection.map("records"));
    const program = collection.program("produce");
    const args = new Uint32Array(5);
    let [number, wrong, bytes] = [0, 0, 0];
    const check = (view: DataView, offset: number, length: number): void => {
      const words = ringWords(number);
      if (view.getUint32(offset, true) !== number || length !== 12 + words * 4) wrong++;
      let sum = number;
      for (let i = 0; i < words; i++) sum ^= view.getUint32(offset + 12 + i * 4, true);
      if (sum >>> 0 !== view.getUint32(offset + 8, true)) wrong++;
      number++;
      bytes += (length + 15) & ~7;
    };
    while (bytes < 10_000 / SHARE * 4096) {
      // As many as fit surely, begun at another place each time.
      args.set([0, 14, number, 0, 0]);
      program.run({ ctx: new Uint8Array(args.buffer) });
      assertEquals(ring.drain(check), 14);
    }
    assertEquals(wrong, 0);
  },
});
