/**
 * Static linking as a process, beside bpftool's: 20 objects of 16 MB, and 100 of 80 MB, which should take five times as long.
 * Compiling them takes minutes.
 */
import { join } from "@std/path";
import { inRepository, needs, onPath, run } from "../support/mod.ts";
import { compileUnits } from "./link_units.ts";

const { ignore } = needs({ ffi: true, btf: true, clang: "19", peer: "bpftool" });
const bpftool = onPath("bpftool") ?? "";
const folder = ignore ? "" : await Deno.makeTempDir({ prefix: "debpf-link-" });
const objects = ignore ? [] : await compileUnits(100, folder);
globalThis.addEventListener("unload", () => folder === "" || Deno.removeSync(folder, { recursive: true }));

for (const count of [20, 100]) {
  const args = ["gen", "object", join(folder, "linked.o"), ...objects.slice(0, count)];
  const group = `${count} objects`;
  Deno.bench({
    name: `bpftool gen object, ${group}`,
    group,
    baseline: true,
    ignore,
    fn: async () => void await run(bpftool, args),
  });
  Deno.bench({
    name: `debpf gen object, ${group}`,
    group,
    ignore,
    fn: async () =>
      void await run(Deno.execPath(), ["run", "--no-check", "--allow-ffi", inRepository("cli.ts"), ...args]),
  });
}
