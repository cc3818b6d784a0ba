/**
 * Map definitions in BTF: a variable of section `.maps` whose struct type says all, in the types of its members.
 * `__uint(max_entries, 256)` is a pointer to an array of 256, `__type(key, T)` a pointer to `T`, `__ulong` an enum of one
 * value, `__array(values, T)` a flexible array of pointers. The rules are libbpf 1.8's.
 *
 * @module
 */
import { type BtfType, type Member, sizeOf, skipModifiersAndTypedefs, type StructType } from "../btf/reading/mod.ts";
import { LinkError } from "../errors.ts";
import { BpfMapType, BtfKind, enumName, isMapOfMaps, isRingBuffer, ringBufferSize } from "../uapi/mod.ts";
import type { MapPinning, MapSpec } from "./types.ts";

/** `LIBBPF_PIN_*` (bpf_helpers.h of libbpf). */
const PINNING: readonly MapPinning[] = ["none", "by-name"];

/** Size in bytes of the fd that is the value of a map of maps or programs, as programs' objects declare it. */
const FD_SIZE = 4;

/** Where a definition stands. */
export interface MapPlace {
  /** How errors call the object. */
  readonly what: string;
  /** Name of the map. */
  readonly name: string;
  /** Size of a page, by which ring buffers are rounded up. */
  readonly pageSize?: number | undefined;
}

/**
 * The map that a struct type defines.
 *
 * @param definition The variable's type, without modifiers.
 * @param place The map's name and object, for messages; ring buffers are rounded to its `pageSize`.
 * @throws {LinkError} naming map and member, for members that are unknown, contradict each other or are of a wrong type.
 */
export function readMapDefinition(definition: StructType, place: MapPlace): MapSpec {
  return new DefinitionReader(definition, place, false).read();
}

class DefinitionReader {
  readonly #definition: StructType;
  readonly #place: MapPlace;
  readonly #inner: boolean;
  readonly #map: MapSpec;

  constructor(definition: StructType, place: MapPlace, inner: boolean) {
    this.#definition = definition;
    this.#place = place;
    this.#inner = inner;
    this.#map = {
      name: place.name,
      type: BpfMapType.BPF_MAP_TYPE_UNSPEC,
      keySize: 0,
      valueSize: 0,
      maxEntries: 0,
      flags: 0,
      extra: 0n,
      pinning: "none",
      readOnly: false,
      contents: [],
      tags: [],
    };
  }

  read(): MapSpec {
    for (const member of this.#definition.members) this.#member(member);
    const map = this.#map;
    if (map.type === BpfMapType.BPF_MAP_TYPE_UNSPEC) {
      throw new LinkError(
        `${this.#place.what}: map "${this.#place.name}" has no type: add __uint(type, BPF_MAP_TYPE_...) to it`,
      );
    }
    if (isRingBuffer(map.type)) map.maxEntries = ringBufferSize(map.maxEntries, this.#place.pageSize);
    return map;
  }

  #member(member: Member): void {
    const map = this.#map;
    switch (member.name) {
      case "type":
        map.type = this.#uint(member) as BpfMapType;
        break;
      case "max_entries":
        map.maxEntries = this.#uint(member);
        break;
      case "map_flags":
        map.flags = this.#uint(member);
        break;
      case "numa_node":
        map.numaNode = this.#uint(member);
        break;
      case "map_extra":
        map.extra = this.#ulong(member);
        break;
      case "key_size":
        map.keySize = this.#agree(member, "key", map.keySize, this.#uint(member));
        break;
      case "key":
        map.key = this.#pointee(member);
        map.keySize = this.#agree(member, "key", map.keySize, this.#sizeOf(member, map.key));
        break;
      case "value_size":
        map.valueSize = this.#agree(member, "value", map.valueSize, this.#uint(member));
        break;
      case "value":
        map.value = this.#pointee(member);
        map.valueSize = this.#agree(member, "value", map.valueSize, this.#sizeOf(member, map.value));
        break;
      case "values":
        this.#values(member);
        break;
      case "pinning":
        map.pinning = this.#pinning(member);
        break;
      default:
        throw this.#error(member, "is unknown");
    }
  }

  #error(member: Member, problem: string): LinkError {
    return new LinkError(`${this.#place.what}: map "${this.#place.name}": member "${member.name}" ${problem}`);
  }

  #uint(member: Member): number {
    const pointer = skipModifiersAndTypedefs(member.type);
    if (pointer.kind !== BtfKind.Ptr || pointer.target.kind !== BtfKind.Array) {
      throw this.#error(member, `must be declared as __uint(${member.name}, ...)`);
    }
    return pointer.target.length;
  }

  #ulong(member: Member): bigint {
    const type = skipModifiersAndTypedefs(member.type);
    if (type.kind === BtfKind.Ptr) return BigInt(this.#uint(member));
    const [value, second] = type.kind === BtfKind.Enum || type.kind === BtfKind.Enum64 ? type.values : [];
    if (value === undefined || second !== undefined) {
      throw this.#error(member, `must be declared as __uint(${member.name}, ...) or __ulong(${member.name}, ...)`);
    }
    return BigInt.asUintN(64, BigInt(value.value));
  }

  #pointee(member: Member): BtfType {
    if (member.type.kind !== BtfKind.Ptr) throw this.#error(member, `must be declared as __type(${member.name}, ...)`);
    return member.type.target;
  }

  #sizeOf(member: Member, type: BtfType): number {
    const size = sizeOf(type);
    if (size === undefined) throw this.#error(member, `has a type without a size ("${type.name || "void"}")`);
    return size;
  }

  #agree(member: Member, part: "key" | "value", before: number, now: number): number {
    if (before !== 0 && before !== now) {
      throw this.#error(member, `says that the ${part} has ${now} bytes, another member says ${before}`);
    }
    return now;
  }

  #pinning(member: Member): MapPinning {
    if (this.#inner) throw this.#error(member, "is not allowed: a map inside of a map cannot be pinned by name");
    const value = this.#uint(member);
    const pinning = PINNING[value];
    if (pinning === undefined) {
      throw this.#error(member, `is ${value}, neither LIBBPF_PIN_NONE nor LIBBPF_PIN_BY_NAME`);
    }
    return pinning;
  }

  #values(member: Member): void {
    const map = this.#map;
    const ofMaps = isMapOfMaps(map.type);
    if (this.#inner) throw this.#error(member, "is not allowed: maps are nested one level deep at most");
    if (member !== this.#definition.members.at(-1)) throw this.#error(member, "must be the last");
    if (!ofMaps && map.type !== BpfMapType.BPF_MAP_TYPE_PROG_ARRAY) {
      const type = enumName(BpfMapType, map.type) ?? `type ${map.type}`;
      throw this.#error(member, `belongs to maps of maps and program arrays only, not to ${type}`);
    }
    map.valueSize = this.#agree(member, "value", map.valueSize, FD_SIZE);
    const array = member.type;
    if (array.kind !== BtfKind.Array || array.length !== 0) {
      throw this.#error(member, "must be an array of no length: __array(values, ...)");
    }
    const pointer = skipModifiersAndTypedefs(array.element);
    const element = pointer.kind === BtfKind.Ptr ? skipModifiersAndTypedefs(pointer.target) : undefined;
    if (!ofMaps) {
      if (element?.kind !== BtfKind.FuncProto) throw this.#error(member, "must be an array of pointers to functions");
      return;
    }
    if (element?.kind !== BtfKind.Struct) throw this.#error(member, "must be an array of pointers to a map definition");
    map.inner = new DefinitionReader(element, { ...this.#place, name: `${this.#place.name}.inner` }, true).read();
  }
}
