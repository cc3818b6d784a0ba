/**
 * The kernel's BTF: finding types in it, warm (`deno bench`) and cold.
 *
 * Cold is what a tool that has just started pays, before any compiler has seen this code, so each figure takes a process of
 * its own: `deno run -A tests/bench/btf_bench.ts [ROUNDS]`. Where DEBPF_PEERS names a folder with libbpf's `peer-bench`
 * (`peer-bench btf`: open, find one struct, look for a name that isn't there), rounds alternate with it.
 */
import { Btf } from "../../lib/btf/mod.ts";
import { BtfKind } from "../../lib/uapi/mod.ts";
import { mapFile } from "../../ffi/sys/mod.ts";

const VMLINUX = "/sys/kernel/btf/vmlinux";

/** Names of structs all over the kernel. */
const STRUCTS = ["task_struct", "sock", "file", "super_block", "perf_event", "bpf_prog", "nf_conn", "net_device"];

function bench(): void {
  const bytes = Deno.readFileSync(VMLINUX);
  const opened = Btf.parse(bytes);
  opened.findEssential("task_struct");

  Deno.bench("open, find one struct", () => {
    Btf.parse(bytes).find("task_struct", BtfKind.Struct);
  });
  Deno.bench("open, look for a missing struct", () => {
    Btf.parse(bytes).find("no_such_struct", BtfKind.Struct);
  });
  Deno.bench("open, index names", () => {
    Btf.parse(bytes).findEssential("task_struct", BtfKind.Struct);
  });
  Deno.bench(`find ${STRUCTS.length} structs by the index`, () => {
    for (const name of STRUCTS) opened.find(name, BtfKind.Struct);
  });
  Deno.bench("decode all types", () => {
    for (const type of Btf.parse(bytes).types()) type.name;
  });
}

/** Milliseconds of each step in this process, which has just started. */
function cold(): Record<string, number> {
  const times: Record<string, number> = {};
  // Opening libc costs several milliseconds, whatever it is opened for.
  mapFile(import.meta.filename ?? "").close();
  let last = performance.now();
  const lap = (step: string): void => {
    const now = performance.now();
    times[step] = now - last;
    last = performance.now();
  };
  const file = mapFile(VMLINUX);
  const btf = Btf.parse(file.bytes, { what: "vmlinux" });
  lap("open");
  btf.find("task_struct", BtfKind.Struct);
  lap("find");
  btf.find("no_such_struct", BtfKind.Struct);
  lap("missing");
  btf.findEssential("task_struct", BtfKind.Struct);
  lap("index");
  return times;
}

async function output(command: string, args: string[]): Promise<string> {
  const { stdout, success } = await new Deno.Command(command, { args, stderr: "inherit" }).output();
  if (!success) throw new Error(`${command} failed`);
  return new TextDecoder().decode(stdout);
}

/** libbpf's figures, in nanoseconds a line, in milliseconds. */
async function peer(path: string): Promise<Record<string, number>> {
  const lines = (await output(path, ["btf"])).trim().split("\n").map((line) => line.split(" "));
  const figures = new Map(lines.map(([name, ns]) => [name, Number(ns) / 1e6]));
  return { "libbpf open + find": figures.get("total") ?? NaN, "libbpf missing": figures.get("miss") ?? NaN };
}

async function compare(rounds: number): Promise<void> {
  const peers = Deno.env.get("DEBPF_PEERS");
  const samples = new Map<string, number[]>();
  const record = (figures: Record<string, number>): void => {
    for (const [step, ms] of Object.entries(figures)) samples.set(step, [...samples.get(step) ?? [], ms]);
  };
  for (let round = 0; round < rounds; round++) {
    const ours: Record<string, number> = JSON.parse(
      await output(Deno.execPath(), ["run", "-A", "--no-check", import.meta.filename ?? "", "cold"]),
    );
    const { open = NaN, find = NaN, missing = NaN } = ours;
    record({ ...ours, "open + find + missing": open + find + missing });
    if (peers === undefined) continue;
    const theirs = await peer(`${peers}/peer-bench`);
    record({ ...theirs, "libbpf open + find + missing": Object.values(theirs).reduce((sum, ms) => sum + ms, 0) });
  }
  for (const [step, times] of samples) {
    const sorted = times.toSorted((a, b) => a - b);
    console.log(`${step.padEnd(30)} median ${middle(sorted).toFixed(2)} ms, least ${sorted[0]?.toFixed(2)} ms`);
  }
}

function middle(sorted: readonly number[]): number {
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

if (!import.meta.main) bench();
else if (Deno.args[0] === "cold") console.log(JSON.stringify(cold()));
else await compare(Number(Deno.args[0] ?? 15));
