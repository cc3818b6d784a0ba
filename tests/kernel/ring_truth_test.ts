/**
 * No record of a ring buffer is lost in silence, comes twice, out of order or with a wrong byte while programs on other
 * CPUs write as fast as they can.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { inRepository, needs, run } from "../support/mod.ts";
import type { Truth } from "./ring_truth.ts";
import { COMPILERS } from "./support.ts";

/** A process of its own: only there can V8 be told how to work. */
async function truth(compiler: string, way: string, count: number, flags: string[] = []): Promise<Truth> {
  const script = inRepository("tests", "kernel", "ring_truth.ts");
  const object = inRepository("testdata", compiler, "ring_truth.bpf.o");
  const { code, stdout, stderr } = await run(Deno.execPath(), [
    ...["run", "-A", ...flags, script],
    ...[object, way, String(count), "2"],
  ]);
  assertEquals([code, stderr], [0, ""]);
  return JSON.parse(stdout);
}

/** An emulated CPU (scripts/vm) is as much slower. */
const SHARE = Deno.env.get("DEBPF_VM") === "1" ? 10 : 1;

for (const compiler of COMPILERS) {
  for (const way of ["drain", "take", "iterate"]) {
    const test = (name: string, count: number, flags: string[] = []) =>
      Deno.test({
        name: `${compiler}: ${count} records of two producers, read by ${way}${name}: received + dropped = produced`,
        ...needs({ bpf: true, btf: true }),
        fn: async () => {
          const { received, dropped, discarded, wrong } = await truth(compiler, way, count, flags);
          assertEquals([wrong, received + dropped + discarded], [0, count]);
          assert(received > 0 && discarded > 0);
        },
      });

    test("", 1_000_000 / SHARE);
    test(" while V8 compacts all the time", 300_000 / SHARE, ["--v8-flags=--stress-compaction"]);
  }
}
