/**
 * Memory: what opening the kernel's BTF adds to the heap, and what loading and streaming add to the process.
 *
 *     deno run -A tests/bench/memory_bench.ts
 *
 * The heap is what is reachable, in V8's heap and in buffers outside of it, less the mapped file: that is memory of the
 * kernel's which it lends. The process is its resident set (VmRSS), beside itself before anything was imported.
 */
const MIB = 1 << 20;
const EVENTS = 5000;
const VMLINUX = "/sys/kernel/btf/vmlinux";

function heap(): number {
  const { gc } = globalThis as { gc?: () => void };
  if (gc === undefined) throw new Error("run this with --v8-flags=--expose-gc");
  gc();
  gc();
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}

function residentSet(): number {
  const line = /^VmRSS:\s*(\d+) kB$/m.exec(Deno.readTextFileSync("/proc/self/status"));
  return Number(line?.[1]) * 1024;
}

function report(what: string, bytes: number): void {
  console.log(`${what.padEnd(60)} ${(bytes / MIB).toFixed(2).padStart(7)} MiB`);
}

async function benchHeap(): Promise<void> {
  const { Btf } = await import("../../lib/btf/mod.ts");
  const { mapFile } = await import("../../ffi/sys/mod.ts");
  const { BtfKind } = await import("../../lib/uapi/mod.ts");
  // libc is open before, and what is mapped does not count.
  using file = mapFile(VMLINUX);
  const before = heap();
  const btf = Btf.parse(file.bytes, { what: "vmlinux" });
  btf.find("task_struct", BtfKind.Struct);
  btf.find("no_such_struct", BtfKind.Struct);
  report("heap: kernel's BTF opened, one struct found, one missing", heap() - before);
  btf.findEssential("task_struct", BtfKind.Struct);
  report("heap: and all names indexed", heap() - before);
}

async function benchStream(): Promise<void> {
  const before = residentSet();
  const { Collection, openCollectionSpec } = await import("../../mod.ts");
  report("process: mod.ts imported", residentSet() - before);
  using collection = Collection.load(openCollectionSpec("examples/execsnoop/execsnoop.bpf.o"));
  collection.attach();
  const stream = collection.events("events");
  report("process: a collection loaded, attached, and listened to", residentSet() - before);
  const producer = new Deno.Command("sh", {
    args: ["-c", `i=0; while [ $i -lt ${EVENTS} ]; do /bin/true; i=$((i+1)); done`],
  }).spawn();
  let seen = 0;
  for await (const _ of stream) if (++seen === EVENTS) break;
  await producer.status;
  report(`process: after ${EVENTS} events`, residentSet() - before);
}

if (Deno.args[0] === "heap") await benchHeap();
else if (Deno.args[0] === "stream") await benchStream();
else {
  for (const part of ["heap", "stream"]) {
    const args = ["run", "-A", "--v8-flags=--expose-gc", import.meta.filename ?? "", part];
    await new Deno.Command(Deno.execPath(), { args, stdout: "inherit", stderr: "inherit" }).spawn().status;
  }
}
