/**
 * Reading a ring buffer: 10,000 records of 64 bytes that are there already, so that only the reader counts; beside libbpf's
 * ring_buffer__consume() with the same object, where it is built (`deno task peer`) and this is root. Rounds alternate;
 * figures are medians. Aims, as multiples of libbpf: raw 1.2, six members by a reader 6, objects of six members 10.
 *
 * Each way runs in a process of its own: a reader that has seen several handlers no longer inlines them.
 */
import {
  Collection,
  compileCodec,
  compileReader,
  findEventTypes,
  openCollectionSpec,
  RingBuffer,
  type StructType,
  type StructValue,
} from "../../mod.ts";
import { HOST_BYTE_ORDER } from "../../lib/bytes.ts";
import { BtfKind } from "../../lib/uapi/mod.ts";
import { inRepository, needs, peersDir, run } from "../support/mod.ts";

const RECORDS = 10_000;
const ROUNDS = 15;
const RUNS_A_ROUND = 20;
/** Rounds that only warm up. */
const COLD_ROUNDS = 5;

const OBJECT = inRepository("testdata", "clang19", "ringbench.bpf.o");
const PEER = `${peersDir()}/libbpf-bench`;

interface BenchRecord {
  sequence: bigint;
  time: bigint;
  pid: number;
  cpu: number;
  delta: bigint;
  comm: string;
}

/** Reads what is there; gives the number of records. */
type Way = () => number;

/** The record without the bytes at its end, which nobody asks for: six members. */
function sixMembers(collection: Collection): StructType {
  const type = findEventTypes(collection.spec).get("records")!.bySize.get(64)!;
  return { id: type.id, kind: BtfKind.Struct, name: type.name, size: type.size, members: type.members.slice(0, 6) };
}

function makeWays(ring: RingBuffer, type: StructType): Map<string, Way> {
  const options = { order: HOST_BYTE_ORDER };
  const record = new (compileReader<BenchRecord>(type, options))();
  const codec = compileCodec(type, options);
  // Close at hand: a variable of the module would cost a handler more (3 ns) than all else.
  const sum = new Uint32Array(1);
  const wide = new BigUint64Array(1);
  const kept: StructValue[] = [];
  return new Map<string, Way>([
    ["raw", () =>
      ring.drain((view, offset) => {
        sum[0]! += view.getUint32(offset, true);
      })],
    ["reader: pid, cpu", () =>
      ring.drain((view, offset) => {
        record.at(view, offset);
        sum[0]! += record.pid + record.cpu;
      })],
    ["reader: six members", () =>
      ring.drain((view, offset) => {
        record.at(view, offset);
        wide[0] = record.sequence ^ record.time ^ record.delta;
        sum[0]! += record.pid + record.cpu + record.comm.length;
      })],
    ["objects of six members", () =>
      ring.drain((view, offset) => {
        // Kept: V8 would not make an object of which only one member is looked at.
        kept[0] = codec.decode(view, offset) as StructValue;
      })],
  ]);
}

function median(figures: number[]): number {
  const sorted = figures.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1]!;
}

async function peerRound(): Promise<number[]> {
  const { code, stdout, stderr } = await run(PEER, ["ring", OBJECT, "records", `${RECORDS}`, `${RUNS_A_ROUND + 2}`]);
  if (code !== 0) throw new Error(`${PEER}: ${stderr}`);
  return stdout.trimEnd().split("\n").slice(2).map((line) => Number(line.split(" ")[1]));
}

async function hasPeer(): Promise<boolean> {
  return await Deno.stat(PEER).then(({ isFile }) => isFile, () => false);
}

/** Measures one way, and libbpf between its rounds. */
async function measure(name: string): Promise<void> {
  using collection = Collection.load(openCollectionSpec(OBJECT));
  using ring = new RingBuffer(collection.map("records"));
  const way = makeWays(ring, sixMembers(collection)).get(name)!;
  const fill = collection.program("fill");
  const args = new Uint8Array(BigUint64Array.of(BigInt(RECORDS), 0n).buffer);
  const withPeer = await hasPeer();
  const ours: number[] = [];
  const peers: number[] = [];
  for (let round = -COLD_ROUNDS; round < ROUNDS; round++) {
    if (withPeer && round >= 0) peers.push(...await peerRound());
    for (let i = 0; i < RUNS_A_ROUND; i++) {
      fill.run({ ctx: args });
      const began = performance.now();
      const read = way();
      const figure = (performance.now() - began) * 1e6 / RECORDS;
      if (read !== RECORDS) throw new Error(`${name}: read ${read} of ${RECORDS} records`);
      if (round >= 0) ours.push(figure);
    }
  }
  const line = `${name.padEnd(24)} ${median(ours).toFixed(1).padStart(5)} ns`;
  if (!withPeer) return console.log(line);
  const ratio = (median(ours) / median(peers)).toFixed(2);
  console.log(`${line}   libbpf, raw ${median(peers).toFixed(1).padStart(5)} ns   ratio ${ratio.padStart(5)}`);
}

const WAYS = ["raw", "reader: pid, cpu", "reader: six members", "objects of six members"];
const [chosen] = Deno.args;

if (needs({ bpf: true, btf: true }).ignore) console.log("nothing measured");
else if (chosen !== undefined) await measure(chosen);
else {
  for (const way of WAYS) {
    const { code, stdout, stderr } = await run(Deno.execPath(), ["run", "-A", import.meta.filename!, way]);
    if (code !== 0) throw new Error(`${way}: ${stderr}`);
    console.log(stdout.trimEnd());
  }
}
