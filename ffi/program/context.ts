/**
 * Contexts of test runs: what the kernel takes for each program type, as plain objects. Fields are the kernel's (linux/bpf.h,
 * Linux 6.18), which only ever get more; those that the kernel does not take for a run have to be 0.
 *
 * @module
 */
import { compileCodec, FUNC_INFO, skipModifiersAndTypedefs, type StructValue, type Value } from "../../lib/btf/mod.ts";
import type { Instruction } from "../../lib/asm/mod.ts";
import { HOST_BYTE_ORDER } from "../../lib/bytes.ts";
import { UnsupportedError } from "../../lib/errors.ts";
import { BpfProgType, BtfKind, enumName } from "../../lib/uapi/mod.ts";
import type { ContextInput, ContextOutput, SkBuffContext, SkLookupContext, XdpContext } from "./context_types.ts";

/** A field: its offset, its size in bytes, and how many of them where it is an array. */
type Field = readonly [offset: number, size: 1 | 2 | 4 | 8, count?: number];
/** A struct. */
type ContextTable = { readonly [field: string]: Field };

/** `struct __sk_buff` */
export const SK_BUFF: Readonly<Record<keyof SkBuffContext, Field>> = {
  len: [0, 4],
  pkt_type: [4, 4],
  mark: [8, 4],
  queue_mapping: [12, 4],
  protocol: [16, 4],
  vlan_present: [20, 4],
  vlan_tci: [24, 4],
  vlan_proto: [28, 4],
  priority: [32, 4],
  ingress_ifindex: [36, 4],
  ifindex: [40, 4],
  tc_index: [44, 4],
  cb: [48, 4, 5],
  hash: [68, 4],
  tc_classid: [72, 4],
  data: [76, 4],
  data_end: [80, 4],
  napi_id: [84, 4],
  family: [88, 4],
  remote_ip4: [92, 4],
  local_ip4: [96, 4],
  remote_ip6: [100, 4, 4],
  local_ip6: [116, 4, 4],
  remote_port: [132, 4],
  local_port: [136, 4],
  data_meta: [140, 4],
  tstamp: [152, 8],
  wire_len: [160, 4],
  gso_segs: [164, 4],
  gso_size: [176, 4],
  tstamp_type: [180, 1],
  hwtstamp: [184, 8],
};

/** `struct xdp_md` */
export const XDP_MD: Readonly<Record<keyof XdpContext, Field>> = {
  data: [0, 4],
  data_end: [4, 4],
  data_meta: [8, 4],
  ingress_ifindex: [12, 4],
  rx_queue_index: [16, 4],
  egress_ifindex: [20, 4],
};

/** `struct bpf_sk_lookup`; `cookie` is that of the socket that was selected, 0 without one. */
export const SK_LOOKUP: Readonly<Record<keyof SkLookupContext, Field>> = {
  cookie: [0, 8],
  family: [8, 4],
  protocol: [12, 4],
  remote_ip4: [16, 4],
  remote_ip6: [20, 4, 4],
  remote_port: [36, 2],
  local_ip4: [40, 4],
  local_ip6: [44, 4, 4],
  local_port: [60, 4],
  ingress_ifindex: [64, 4],
};

/** Sizes in bytes of those structs. */
const SIZES = { skBuff: 192, xdpMd: 24, skLookup: 72 } as const;

const LITTLE = HOST_BYTE_ORDER === "little";
const MAX_TRACEPOINT_ARGS = 12;

/** Reads and writes contexts of one program. */
export interface ContextCodec {
  encode(value: ContextInput, dataLength: number | undefined): Uint8Array;
  /** `undefined` where the kernel gives nothing back. */
  decode(bytes: Uint8Array): ContextOutput | undefined;
}

/** How contexts of a program are given and come back. */
export function contextCodec(type: BpfProgType, insns: readonly Instruction[] | undefined): ContextCodec {
  switch (type) {
    case BpfProgType.BPF_PROG_TYPE_XDP:
      return tableCodec("xdp_md", XDP_MD, SIZES.xdpMd);
    case BpfProgType.BPF_PROG_TYPE_SK_LOOKUP:
      return tableCodec("bpf_sk_lookup", SK_LOOKUP, SIZES.skLookup);
    case BpfProgType.BPF_PROG_TYPE_SOCKET_FILTER:
    case BpfProgType.BPF_PROG_TYPE_SCHED_CLS:
    case BpfProgType.BPF_PROG_TYPE_SCHED_ACT:
    case BpfProgType.BPF_PROG_TYPE_CGROUP_SKB:
    case BpfProgType.BPF_PROG_TYPE_LWT_IN:
    case BpfProgType.BPF_PROG_TYPE_LWT_OUT:
    case BpfProgType.BPF_PROG_TYPE_LWT_XMIT:
    case BpfProgType.BPF_PROG_TYPE_LWT_SEG6LOCAL:
    case BpfProgType.BPF_PROG_TYPE_SK_SKB:
      return tableCodec("__sk_buff", SK_BUFF, SIZES.skBuff);
    case BpfProgType.BPF_PROG_TYPE_RAW_TRACEPOINT:
    case BpfProgType.BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE:
      return ARGS;
    default:
      return argumentCodec(insns) ?? bytesOnly(type);
  }
}

function tableCodec(name: string, table: ContextTable, size: number): ContextCodec {
  return {
    encode(value, dataLength) {
      const bytes = new Uint8Array(size);
      const view = new DataView(bytes.buffer);
      for (const [field, content] of Object.entries(asObject(name, value))) {
        const entry = Object.hasOwn(table, field) ? table[field] : undefined;
        if (entry === undefined) throw new TypeError(`struct ${name} has no field "${field}"`);
        if (content !== undefined) putField(view, `${name}.${field}`, entry, content);
      }
      // The packet ends where its data ends: to say so is all that XDP wants to be told of it.
      if (table === XDP_MD && view.getUint32(XDP_MD.data_end[0], LITTLE) === 0 && dataLength !== undefined) {
        view.setUint32(XDP_MD.data_end[0], dataLength, LITTLE);
      }
      return bytes;
    },
    decode(bytes) {
      if (bytes.length === 0) return undefined;
      // A kernel that knows fewer fields gives fewer bytes.
      const whole = new Uint8Array(size);
      whole.set(bytes.subarray(0, size));
      const view = new DataView(whole.buffer);
      const entries = Object.entries(table).map(([field, entry]) => [field, getField(view, entry)]);
      return Object.fromEntries(entries) as ContextOutput;
    },
  };
}

function asObject(name: string, value: ContextInput): Record<string, unknown> {
  if (typeof value === "object" && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new TypeError(`the context is a struct ${name}: give its fields as an object`);
}

function putField(view: DataView, place: string, [offset, size, count]: Field, value: unknown): void {
  const values = count === undefined ? [value] : value;
  if (!Array.isArray(values) || values.length !== (count ?? 1)) {
    throw new TypeError(`${place}: not an array of ${count}`);
  }
  values.forEach((one: unknown, index) => {
    if (typeof one !== "number" && typeof one !== "bigint") throw new TypeError(`${place}: not a number`);
    const number = BigInt(one);
    if (number < 0n || number >> BigInt(size * 8) !== 0n) {
      throw new RangeError(`${place}: ${one} does not fit ${size * 8} bits`);
    }
    const at = offset + index * size;
    if (size === 8) view.setBigUint64(at, number, LITTLE);
    else if (size === 4) view.setUint32(at, Number(number), LITTLE);
    else if (size === 2) view.setUint16(at, Number(number), LITTLE);
    else view.setUint8(at, Number(number));
  });
}

function getField(view: DataView, [offset, size, count]: Field): number | bigint | number[] {
  if (count !== undefined) {
    return Array.from({ length: count }, (_, index) => view.getUint32(offset + index * size, LITTLE));
  }
  switch (size) {
    case 8:
      return view.getBigUint64(offset, LITTLE);
    case 4:
      return view.getUint32(offset, LITTLE);
    case 2:
      return view.getUint16(offset, LITTLE);
    case 1:
      return view.getUint8(offset);
    default:
      return size satisfies never;
  }
}

const ARGS: ContextCodec = {
  encode(value) {
    if (!Array.isArray(value)) {
      throw new TypeError("the context is the arguments of a tracepoint: give an array of numbers");
    }
    if (value.length > MAX_TRACEPOINT_ARGS) {
      throw new RangeError(`a tracepoint has at most ${MAX_TRACEPOINT_ARGS} arguments, not ${value.length}`);
    }
    return new Uint8Array(
      BigUint64Array.from(value as (number | bigint)[], (arg) => BigInt.asUintN(64, BigInt(arg))).buffer,
    );
  },
  decode: () => undefined,
};

/** The struct that the program's function takes, where its BTF says so. */
function argumentCodec(insns: readonly Instruction[] | undefined): ContextCodec | undefined {
  const proto = insns?.[0]?.get(FUNC_INFO)?.target;
  const argument = proto?.kind === BtfKind.FuncProto ? proto.params[0]?.type : undefined;
  const pointer = argument === undefined ? undefined : skipModifiersAndTypedefs(argument);
  const struct = pointer?.kind === BtfKind.Ptr ? skipModifiersAndTypedefs(pointer.target) : undefined;
  if (struct?.kind !== BtfKind.Struct) return undefined;
  const codec = compileCodec(struct, { order: HOST_BYTE_ORDER });
  return {
    encode: (value) => codec.encodeBytes(value as Value, struct.name),
    decode: (bytes) => bytes.length < codec.size ? undefined : codec.decodeBytes(bytes) as StructValue,
  };
}

function bytesOnly(type: BpfProgType): ContextCodec {
  const name = enumName(BpfProgType, type) ?? `program type ${type}`;
  return {
    encode() {
      throw new UnsupportedError(
        "contexts as objects",
        `what the context of such programs (${name}) looks like is not known here: give its bytes`,
      );
    },
    decode: () => undefined,
  };
}
