/**
 * Reading and writing values: 1,024 records of 64 bytes that lie one after another, as in a ring buffer. The figure to
 * watch is the time divided by 1,024 (aims, beside libbpf's 3.3 ns for a raw record: 6 members by a reader 20 ns, as an
 * object 33 ns).
 */
import { type BtfType, compileCodec, compileReader, type StructType, type StructValue } from "../../lib/btf/mod.ts";
import { BtfKind } from "../../lib/uapi/mod.ts";
import { array, CHAR, enumeration, layOut, U16, U32, U64, U8 } from "../lib/btf/value/make_types.ts";

const RECORDS = 1024;

/** Six numbers, and padding that is not read. */
const NUMBERS: StructType = {
  ...layOut("numbers", [["ts", U64], ["pid", U32], ["ppid", U32], ["uid", U32], ["port", U16], ["family", U8]]),
  kind: BtfKind.Struct,
  size: 64,
};

/** What tools send: numbers and a name. */
const EXEC = layOut("exec", [
  ["ts", U64],
  ["pid", U32],
  ["ppid", U32],
  ["uid", U32],
  ["state", enumeration("state", { STARTED: 0, ENDED: 1 })],
  ["comm", array(CHAR, 16)],
  ["file", array(CHAR, 24)],
]);
const numbers = fill(NUMBERS, (i) => ({
  ts: 1_700_000_000_000_000_000n + BigInt(i),
  pid: i,
  ppid: 1,
  uid: 1000,
  port: i & 0xffff,
  family: 2,
}));
const NAMES = ["bash", "cat", "systemd-journal", "kworker/0:1", "deno", "python3", "sshd", "ls"];
const exec = fill(EXEC, (i) => ({
  ts: BigInt(i),
  pid: i,
  ppid: 1,
  uid: 1000,
  state: "ENDED",
  comm: NAMES[i % NAMES.length]!,
  file: `/usr/bin/${NAMES[i % NAMES.length]!}`.slice(0, 24),
}));

function fill(type: BtfType, value: (index: number) => StructValue): DataView {
  const view = new DataView(new ArrayBuffer(RECORDS * 64));
  const codec = compileCodec(type, { order: "little" });
  for (let i = 0; i < RECORDS; i++) codec.encode(value(i), view, i * 64);
  return view;
}

interface Numbers {
  ts: bigint;
  pid: number;
  ppid: number;
  uid: number;
  port: number;
  family: number;
}

interface Exec {
  ts: bigint;
  pid: number;
  ppid: number;
  uid: number;
  state: string;
  comm: string;
  file: string;
}

let sink = 0;

for (const interpreted of [false, true]) {
  const how = interpreted ? "interpreted" : "compiled";
  const numbersCodec = compileCodec(NUMBERS, { order: "little", interpreted });
  const execCodec = compileCodec(EXEC, { order: "little", interpreted });
  const numbersReader = new (compileReader<Numbers>(NUMBERS, { order: "little", interpreted }))();
  const execReader = new (compileReader<Exec>(EXEC, { order: "little", interpreted }))();
  const group = how;

  Deno.bench(`reader, ${how}: 5 numbers`, { group, baseline: true }, () => {
    for (let offset = 0; offset < numbers.byteLength; offset += 64) {
      const event = numbersReader.at(numbers, offset);
      sink += event.pid + event.ppid + event.uid + event.port + event.family;
    }
  });

  Deno.bench(`reader, ${how}: 5 numbers and a bigint`, { group }, () => {
    for (let offset = 0; offset < numbers.byteLength; offset += 64) {
      const event = numbersReader.at(numbers, offset);
      if (event.ts > 0n) sink += event.pid + event.ppid + event.uid + event.port + event.family;
    }
  });

  Deno.bench(`reader, ${how}: 4 numbers, enum, comm[16]`, { group }, () => {
    for (let offset = 0; offset < exec.byteLength; offset += 64) {
      const event = execReader.at(exec, offset);
      sink += event.pid + event.ppid + event.uid + event.comm.length + event.state.length;
    }
  });

  Deno.bench(`object, ${how}: 5 numbers and a bigint`, { group }, () => {
    for (let offset = 0; offset < numbers.byteLength; offset += 64) {
      const event = numbersCodec.decode(numbers, offset) as unknown as Numbers;
      sink += event.pid;
    }
  });

  Deno.bench(`object, ${how}: bigint, 3 numbers, enum, comm[16], file[24]`, { group }, () => {
    for (let offset = 0; offset < exec.byteLength; offset += 64) {
      const event = execCodec.decode(exec, offset) as unknown as Exec;
      sink += event.pid;
    }
  });

  const out = new DataView(new ArrayBuffer(64));
  const plain = numbersCodec.decode(numbers, 0);
  Deno.bench(`write, ${how}: 5 numbers and a bigint`, { group }, () => {
    for (let i = 0; i < RECORDS; i++) numbersCodec.encode(plain, out, 0);
  });

  const value = execCodec.decode(exec, 0);
  Deno.bench(`write, ${how}: bigint, 3 numbers, enum, comm[16], file[24]`, { group }, () => {
    for (let i = 0; i < RECORDS; i++) execCodec.encode(value, out, 0);
  });
}

Deno.bench("compile a codec and read one record", { group: "compile" }, () => {
  const type = { ...NUMBERS };
  sink += (compileCodec(type, { order: "little" }).decode(numbers, 0) as unknown as Numbers).pid;
});

if (sink < 0) console.log(sink);
