/**
 * Elements of maps: one at a time, by batches, all of them. Where `DEBPF_PEERS` has peer-bench, `peer-bench map 200000` gives
 * libbpf's figures for the same map: 65,536 elements of 4 bytes to 8.
 *
 * @module
 */
import { BpfMap, compileReader, type ElementCodec, sys } from "../../mod.ts";
import { mapSpec, U32 } from "../kernel/maps.ts";
import {
  layOut,
  U16 as U16_TYPE,
  U32 as U32_TYPE,
  U64 as U64_TYPE,
  U8 as U8_TYPE,
} from "../lib/btf/value/make_types.ts";

const N = 65_536;

const U64: ElementCodec<bigint> = {
  size: 8,
  decode: (view, offset) => view.getBigUint64(offset, true),
  encode: (value, view, offset) => view.setBigUint64(offset, value, true),
};

/** A multiplier that spreads keys, as peer-bench has it. */
const spread = (i: number) => Math.imul(i, 40503) & N - 1;

const wide = BpfMap.create(mapSpec({ valueSize: 8, maxEntries: N })).withCodecs({ key: U32, value: U64 });
wide.setBatch(Array.from({ length: N }, (_, i) => [i, BigInt(i)] as const));

let at = 0;
const key = new Uint8Array(4);
const keyView = new DataView(key.buffer);
const value = new Uint8Array(8);
const { raw } = wide;

Deno.bench("lookup raw: getInto() of bytes", { group: "one" }, () => {
  keyView.setUint32(0, spread(at++), true);
  raw.getInto(key, value);
});

Deno.bench("lookup: get() of a u64", { group: "one" }, () => {
  wide.get(spread(at++));
});

Deno.bench("update raw: set() of bytes", { group: "one" }, () => {
  keyView.setUint32(0, spread(at++), true);
  raw.set(key, value);
});

const FLOW = layOut("flow", [["bytes", U64_TYPE], ["packets", U32_TYPE], ["first", U32_TYPE], ["last", U32_TYPE], [
  "port",
  U16_TYPE,
], ["state", U8_TYPE]]);
const typed = BpfMap.create(mapSpec({ valueSize: FLOW.size, maxEntries: N, key: U32_TYPE, value: FLOW }));
const flow = { bytes: 1n << 40n, packets: 2, first: 3, last: 4, port: 443, state: 1 };
typed.setBatch(Array.from({ length: N }, (_, i) => [i, flow] as const));
const Flow = compileReader<{ packets: number; port: number }>(FLOW, { order: "little" });
const reader = new Flow();
let total = 0;

Deno.bench("lookup of a struct of 6 fields: get()", { group: "one" }, () => {
  typed.get(spread(at++));
});

Deno.bench("lookup of a struct of 6 fields: getInto() of a reader, 2 fields", { group: "one" }, () => {
  typed.getInto(spread(at++), reader);
  total += reader.packets + reader.port;
});

Deno.bench("update of a struct of 6 fields: set()", { group: "one" }, () => {
  typed.set(spread(at++), flow);
});

const BATCH = 4096;
const keys = new Uint8Array(BATCH * 4);
const values = new Uint8Array(BATCH * 8);
const cursor = new Uint8Array(4);

Deno.bench("batches of 4096 over 65,536: raw", { group: "all" }, () => {
  let inBatch: Uint8Array | null = null;
  for (;;) {
    const { done } = sys.mapLookupBatch(wide.fd, { inBatch, outBatch: cursor, keys, values, count: BATCH });
    if (done) return;
    inBatch = cursor;
  }
});

Deno.bench("iterate 65,536: u32 to u64", { group: "all" }, () => {
  for (const [key] of wide) total += key;
});

Deno.bench("iterate 65,536: structs of 6 fields", { group: "all" }, () => {
  for (const [, { packets }] of typed as unknown as Iterable<[number, typeof flow]>) total += packets;
});

Deno.bench("count() of 65,536", { group: "all" }, () => {
  total += wide.count();
});
