/**
 * Whole dumps of the running kernel's BTF as processes, beside bpftool's: most of the time is that of code that was never
 * run before.
 */
import { inRepository, needs, onPath, run } from "../support/mod.ts";

const { ignore } = needs({ ffi: true, btf: true, peer: "bpftool" });
const bpftool = onPath("bpftool") ?? "";
const FILE = ["btf", "dump", "file", "/sys/kernel/btf/vmlinux"];

for (const [group, ours, theirs] of [["C", ["format", "c", "unsorted"], ["format", "c"]], ["raw", [], []]] as const) {
  Deno.bench({
    name: `bpftool btf dump, ${group}`,
    group,
    baseline: true,
    ignore,
    fn: async () => void await run(bpftool, [...FILE, ...theirs]),
  });
  Deno.bench({
    name: `debpf btf dump, ${group}`,
    group,
    ignore,
    fn: async () =>
      void await run(Deno.execPath(), [
        ...["run", "--no-check", "--allow-ffi", inRepository("cli.ts"), ...FILE],
        ...ours,
      ]),
  });
}
