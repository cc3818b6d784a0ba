/**
 * Specs of USDT probes in the map `__bpf_usdt_specs`, by which programs find the arguments of a probe: numbers of specs in use,
 * and a spec as a value of the map's type.
 *
 * The struct has had more than one layout in libbpf's `usdt.bpf.h` (1.7 put bit fields into it, and moved what follows), so
 * the object's BTF says where its members are.
 *
 * @module
 */
import {
  type BtfType,
  compileCodec,
  skipModifiersAndTypedefs,
  type StructValue,
  type Value,
} from "../../lib/btf/mod.ts";
import { HOST_BYTE_ORDER } from "../../lib/bytes.ts";
import { UnsupportedError } from "../../lib/errors.ts";
import { BtfKind } from "../../lib/uapi/mod.ts";
import type { UsdtArgument } from "../../lib/usdt/mod.ts";
import type { BpfMap } from "../map/mod.ts";

/** `enum __bpf_usdt_arg_type` */
const KINDS = { constant: 0, register: 1, memory: 2, indexed: 3 } as const;

/** What of a struct has to be there for it to be `struct __bpf_usdt_spec`. */
const MEMBERS = ["args", "usdt_cookie", "arg_cnt"] as const;

/**
 * A spec as a value of the map's type.
 *
 * @param map The map `__bpf_usdt_specs`.
 * @param args The arguments.
 * @param cookie What `bpf_usdt_cookie()` gives the program.
 * @param place What messages begin with.
 * @throws {UnsupportedError} if the struct holds fewer arguments, or cannot say where one is.
 */
export function usdtSpecValue(
  map: BpfMap,
  args: readonly UsdtArgument[],
  cookie: bigint,
  place: string,
): StructValue {
  const spec = zero(map.spec.value, place);
  const room = Array.isArray(spec.args) ? spec.args as StructValue[] : [];
  if (args.length > room.length) {
    throw new UnsupportedError(
      "so many USDT arguments",
      `${place}: has ${args.length} arguments, and programs can read only ${room.length}`,
    );
  }
  for (const [i, argument] of args.entries()) Object.assign(room[i]!, argumentValue(argument, room[i]!, place));
  return { ...spec, args: room, usdt_cookie: BigInt.asUintN(64, cookie), arg_cnt: args.length };
}

/** A spec without arguments: the value that the type has where all bytes are 0. */
function zero(type: BtfType | undefined, place: string): StructValue {
  const struct = type && skipModifiersAndTypedefs(type);
  if (struct?.kind === BtfKind.Struct) {
    const codec = compileCodec(struct, { order: HOST_BYTE_ORDER });
    const value = codec.decode(new DataView(new ArrayBuffer(codec.size)), 0) as StructValue;
    if (MEMBERS.every((member) => member in value)) return value;
  }
  throw new UnsupportedError(
    "this kind of USDT programs",
    `${place}: the values of its map "__bpf_usdt_specs" are not those of libbpf's usdt.bpf.h`,
  );
}

function argumentValue({ size, signed, location }: UsdtArgument, old: StructValue, place: string): StructValue {
  const offset = location.kind === "constant" ? location.value : location.kind === "register" ? 0n : location.offset;
  const value: Record<string, Value> = {
    val_off: BigInt.asUintN(64, offset),
    arg_type: KINDS[location.kind],
    reg_off: location.kind === "constant" ? 0 : location.register,
    arg_signed: signed,
    arg_bitshift: 64 - size * 8,
  };
  if (location.kind !== "indexed") return value;
  if (!("idx_reg_off" in old)) {
    throw new UnsupportedError(
      "USDT arguments with an index register",
      `${place}: has an argument in memory at two registers: build the object with usdt.bpf.h of libbpf 1.7 or newer`,
    );
  }
  return { ...value, idx_reg_off: location.index, scale_bitshift: Math.log2(location.scale) };
}

/** Numbers of specs: each of the map's elements is in use or not. */
export class UsdtSpecIds {
  /** The allocators that there are: one for each map. */
  static readonly #all: WeakMap<BpfMap, UsdtSpecIds> = new WeakMap();
  readonly #limit: number;
  readonly #free: number[] = [];
  #next = 0;

  private constructor(limit: number) {
    this.#limit = limit;
  }

  /** Those of a map; attachments of all its programs share them. */
  static of(map: BpfMap): UsdtSpecIds {
    const found = UsdtSpecIds.#all.get(map) ?? new UsdtSpecIds(map.spec.maxEntries);
    UsdtSpecIds.#all.set(map, found);
    return found;
  }

  /**
   * A number that is not in use.
   *
   * @throws {Error} if all are.
   */
  take(place: string): number {
    const id = this.#free.pop() ?? this.#next;
    if (id >= this.#limit) {
      throw new Error(
        `${place}: all ${this.#limit} elements of the map "__bpf_usdt_specs" are in use: define BPF_USDT_MAX_SPEC_CNT ` +
          "before usdt.bpf.h is included, or set its maxEntries before loading",
      );
    }
    if (id === this.#next) this.#next++;
    return id;
  }

  /** Gives numbers back: nothing may use their specs any more. */
  release(ids: Iterable<number>): void {
    this.#free.push(...ids);
  }
}
