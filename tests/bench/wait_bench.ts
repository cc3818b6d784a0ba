/**
 * Waiting for events, beside libbpf's ring_buffer__poll() (`deno task peer`; as root): what waiting for nothing costs in
 * 10 s; latency from the sending of a record to its handler, wake-ups and CPU time an event, at 1,000 and 100,000 a second.
 * The same process sends, for the one and for the other.
 */
import { Collection, openCollectionSpec, RingBuffer, sys } from "../../mod.ts";
import { inRepository, needs, peersDir, run } from "../support/mod.ts";

const PEER = `${peersDir()}/libbpf-bench`;
const SECONDS = 5;
const IDLE_SECONDS = 10;
const RATES = [1_000, 100_000];

interface Figures {
  events: number;
  polls: number;
  p50: number;
  p99: number;
  cpu: number;
}

/** Nanoseconds that all threads of this process have run. */
function cpuNs(): number {
  let sum = 0;
  for (const { name } of Deno.readDirSync("/proc/self/task")) {
    sum += Number(Deno.readTextFileSync(`/proc/self/task/${name}/schedstat`).split(" ")[0]);
  }
  return sum;
}

async function ours(ring: RingBuffer, seconds: number): Promise<Figures> {
  const latencies: number[] = [];
  let polls = 0;
  const timer = setTimeout(() => ring.close(), seconds * 1000);
  const began = cpuNs();
  while (!ring.closed) {
    let now = 0n;
    const count = ring.drain((view, offset) => {
      // One look at the clock for each batch: the time of its first record's handler.
      if (now === 0n) now = sys.clockGettime(sys.Clock.CLOCK_MONOTONIC);
      latencies.push(Number(now - view.getBigUint64(offset, true)));
    });
    if (count > 0) polls++;
    await ring.readable();
  }
  clearTimeout(timer);
  const cpu = cpuNs() - began;
  latencies.sort((a, b) => a - b);
  const at = (share: number) => latencies[Math.floor(latencies.length * share)] ?? 0;
  return { events: latencies.length, polls, p50: at(0.5), p99: at(0.99), cpu };
}

async function theirs(mapId: number, seconds: number): Promise<Figures> {
  const { stdout } = await run(PEER, ["wait", `${mapId}`, `${seconds}`]);
  const figures = Object.fromEntries(stdout.trimEnd().split("\n").map((line) => line.split(" ")));
  const number = (name: string) => Number(figures[name]);
  return {
    events: number("events"),
    polls: number("polls"),
    p50: number("p50"),
    p99: number("p99"),
    cpu: number("cpu"),
  };
}

function show(who: string, rate: number, { events, polls, p50, p99, cpu }: Figures): void {
  const us = (ns: number) => (ns / 1000).toFixed(1).padStart(8);
  console.log(
    `${who.padEnd(8)} ${String(rate).padStart(7)}/s  ${events} events  ${
      (polls / (events || 1)).toFixed(3)
    } wake-ups an event` +
      `  p50 ${us(p50)} us  p99 ${us(p99)} us  cpu ${(cpu / (events || 1) / 1000).toFixed(2)} us an event`,
  );
}

if (needs({ bpf: true, btf: true }).ignore) console.log("nothing measured");
else {
  using collection = Collection.load(openCollectionSpec(inRepository("testdata", "clang19", "ring_pace.bpf.o")));
  const map = collection.map("stamps");
  {
    const { cpu } = await ours(new RingBuffer(map), IDLE_SECONDS);
    console.log(`idle     ${(cpu / IDLE_SECONDS / 1e7).toFixed(3)} % of a CPU over ${IDLE_SECONDS} s`);
  }
  const withPeer = await Deno.stat(PEER).then(({ isFile }) => isFile, () => false);
  for (const rate of withPeer ? RATES : []) {
    const send = () => run(PEER, ["send", `${collection.program("send").id}`, `${rate}`, `${SECONDS + 1}`]);
    const read = {
      libbpf: () => theirs(map.id, SECONDS),
      debpf: () => ours(new RingBuffer(map), SECONDS),
    };
    for (const who of ["libbpf", "debpf"] as const) {
      const sending = send();
      show(who, rate, await read[who]());
      await sending;
      using rest = new RingBuffer(map);
      while (rest.drain(() => {}) > 0);
    }
  }
}
