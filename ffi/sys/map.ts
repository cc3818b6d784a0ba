/**
 * Map commands of bpf(2).
 *
 * @module
 */
import { BpfCmd, type BpfMapType } from "../../lib/uapi/mod.ts";
import { attr, bpf, bpfCharged, bpfOrThrow, MAP_BATCH, MAP_CREATE, MAP_ELEM } from "./attr.ts";
import { Errno } from "./errno.ts";
import { bpfError } from "./fail.ts";
import { Fd } from "./fd.ts";

/** What `BPF_MAP_CREATE` takes; fields are those of `union bpf_attr`, and 0 unless given. */
export interface MapCreateRequest {
  /** `BPF_MAP_TYPE_*`. */
  readonly mapType: BpfMapType;
  /** Size of a key in bytes. */
  readonly keySize?: number | undefined;
  /** Size of a value in bytes. */
  readonly valueSize?: number | undefined;
  /** Number of elements; bytes for ring buffers. */
  readonly maxEntries?: number | undefined;
  /** `BPF_F_*`. */
  readonly mapFlags?: number | undefined;
  /** A map like those that a map of maps will hold. */
  readonly innerMapFd?: number | undefined;
  /** NUMA node, with `BPF_F_NUMA_NODE`. */
  readonly numaNode?: number | undefined;
  /** Name, cut to 15 bytes: letters, digits, `_` and (5.4) `.`. */
  readonly mapName?: string | undefined;
  /** Network device to offload to. */
  readonly mapIfindex?: number | undefined;
  /** Loaded BTF that the type ids are of. */
  readonly btfFd?: number | undefined;
  /** Type id of the key in `btfFd`. */
  readonly btfKeyTypeId?: number | undefined;
  /** Type id of the value in `btfFd`. */
  readonly btfValueTypeId?: number | undefined;
  /** Type id of the kernel struct that a struct_ops map holds. */
  readonly btfVmlinuxValueTypeId?: number | undefined;
  /** Hash functions of a bloom filter (5.16), address of an arena (6.9). */
  readonly mapExtra?: number | bigint | undefined;
  /** Module BTF of `btfVmlinuxValueTypeId`, with `BPF_F_VTYPE_BTF_OBJ_FD` (6.9). */
  readonly valueTypeBtfObjFd?: number | undefined;
  /** BPF token, with `BPF_F_TOKEN_FD` (6.9). */
  readonly mapTokenFd?: number | undefined;
  /** SHA-256 of the only program that may use the map (6.18). */
  readonly exclProgHash?: Uint8Array | undefined;
}

/**
 * Creates a map (`BPF_MAP_CREATE`).
 *
 * @throws {SyscallError} if the kernel refuses it.
 */
export function mapCreate(request: MapCreateRequest): Fd {
  const about = request.mapName === undefined ? undefined : `"${request.mapName}"`;
  const result = bpfCharged(BpfCmd.BPF_MAP_CREATE, MAP_CREATE, {
    ...request,
    ...(request.exclProgHash === undefined ? {} : { exclProgHashSize: request.exclProgHash.length }),
  });
  if (result < 0) throw bpfError(BpfCmd.BPF_MAP_CREATE, result, about);
  return new Fd(result);
}

/**
 * Copies the value of `key` to `value` (`BPF_MAP_LOOKUP_ELEM`). Takes addresses at each call: in a hot path use
 * {@linkcode MapElements}.
 *
 * @param fd The map.
 * @param key Key; `null` for maps without keys (queues, stacks).
 * @param value As many bytes as the map's values have: for per-CPU maps the value size rounded up to 8, times the number of
 * possible CPUs.
 * @param flags `BPF_F_LOCK`, ...
 * @returns `false` if there is no such key.
 * @throws {SyscallError} if the kernel refuses it.
 */
export function mapLookupElem(fd: number, key: Uint8Array | null, value: Uint8Array, flags = 0): boolean {
  return found(BpfCmd.BPF_MAP_LOOKUP_ELEM, bpf(BpfCmd.BPF_MAP_LOOKUP_ELEM, MAP_ELEM, { mapFd: fd, key, value, flags }));
}

/**
 * As {@linkcode mapLookupElem}, and removes the element (`BPF_MAP_LOOKUP_AND_DELETE_ELEM`, 4.20; hash maps 5.14).
 *
 * @throws {SyscallError} if the kernel refuses it.
 */
export function mapLookupAndDeleteElem(fd: number, key: Uint8Array | null, value: Uint8Array, flags = 0): boolean {
  const cmd = BpfCmd.BPF_MAP_LOOKUP_AND_DELETE_ELEM;
  return found(cmd, bpf(cmd, MAP_ELEM, { mapFd: fd, key, value, flags }));
}

/**
 * Sets the value of `key` (`BPF_MAP_UPDATE_ELEM`).
 *
 * @param fd The map.
 * @param key Key; `null` for maps without keys.
 * @param value Value, as for {@linkcode mapLookupElem}.
 * @param flags `BPF_ANY`, `BPF_NOEXIST`, `BPF_EXIST`, `BPF_F_LOCK`.
 * @throws {SyscallError} if the kernel refuses it.
 */
export function mapUpdateElem(fd: number, key: Uint8Array | null, value: Uint8Array, flags = 0): void {
  bpfOrThrow(BpfCmd.BPF_MAP_UPDATE_ELEM, MAP_ELEM, { mapFd: fd, key, value, flags });
}

/**
 * Removes the element of `key` (`BPF_MAP_DELETE_ELEM`).
 *
 * @returns `false` if there was none.
 * @throws {SyscallError} if the kernel refuses it.
 */
export function mapDeleteElem(fd: number, key: Uint8Array): boolean {
  return found(BpfCmd.BPF_MAP_DELETE_ELEM, bpf(BpfCmd.BPF_MAP_DELETE_ELEM, MAP_ELEM, { mapFd: fd, key }));
}

/**
 * Writes the key after `key` to `nextKey` (`BPF_MAP_GET_NEXT_KEY`). Both may be the same memory.
 *
 * @param fd The map.
 * @param key `null` for the first key; a key that is gone counts as the last but one before the first again.
 * @param nextKey Memory for a key.
 * @returns `false` if `key` was the last.
 * @throws {SyscallError} if the kernel refuses it.
 */
export function mapGetNextKey(fd: number, key: Uint8Array | null, nextKey: Uint8Array): boolean {
  const cmd = BpfCmd.BPF_MAP_GET_NEXT_KEY;
  return found(cmd, bpf(cmd, MAP_ELEM, { mapFd: fd, key, value: nextKey }));
}

/**
 * From now on user space can only read the map (`BPF_MAP_FREEZE`, 5.2).
 *
 * @throws {SyscallError} if the kernel refuses it.
 */
export function mapFreeze(fd: number): void {
  bpfOrThrow(BpfCmd.BPF_MAP_FREEZE, MAP_ELEM, { mapFd: fd });
}

/** Memory for a batch of elements. */
export interface MapBatch {
  /** Where the last batch ended: its `outBatch`; `null` for the first. */
  readonly inBatch: Uint8Array | null;
  /** Receives where this batch ends: as large as a key, and at least 4 bytes. May be the same memory as `inBatch`. */
  readonly outBatch: Uint8Array;
  /** Keys, one after the other. */
  readonly keys: Uint8Array;
  /** Values, one after the other; per-CPU values as for {@linkcode mapLookupElem}. */
  readonly values: Uint8Array;
  /** How many elements there is room for. */
  readonly count: number;
  /** `BPF_F_LOCK`. */
  readonly elemFlags?: number | undefined;
}

/** What a batch brought. */
export interface MapBatchResult {
  /** How many elements were read. */
  readonly count: number;
  /** Was it the last batch. */
  readonly done: boolean;
}

/**
 * Reads many elements at once (`BPF_MAP_LOOKUP_BATCH`, 5.6).
 *
 * @throws {SyscallError} with code `ENOSPC` if a hash bucket has more elements than `count`, `ENOTSUPP` if the map's type
 * knows no batches, and whatever else the kernel says.
 */
export function mapLookupBatch(fd: number, batch: MapBatch): MapBatchResult {
  return readBatch(BpfCmd.BPF_MAP_LOOKUP_BATCH, fd, batch);
}

/**
 * As {@linkcode mapLookupBatch}, and removes them (`BPF_MAP_LOOKUP_AND_DELETE_BATCH`, 5.6).
 *
 * @throws {SyscallError} as {@linkcode mapLookupBatch}.
 */
export function mapLookupAndDeleteBatch(fd: number, batch: MapBatch): MapBatchResult {
  return readBatch(BpfCmd.BPF_MAP_LOOKUP_AND_DELETE_BATCH, fd, batch);
}

/** What batches of updates and removals take. */
export interface MapBatchFlags {
  /** `BPF_F_LOCK`, `BPF_ANY`, ... for each element. */
  readonly elemFlags?: number | undefined;
}

/**
 * Sets `count` elements at once (`BPF_MAP_UPDATE_BATCH`, 5.6).
 *
 * @returns How many were set: all.
 * @throws {SyscallError} if the kernel refuses one; those before it are set.
 */
export function mapUpdateBatch(
  fd: number,
  keys: Uint8Array,
  values: Uint8Array,
  count: number,
  options: MapBatchFlags = {},
): number {
  bpfOrThrow(BpfCmd.BPF_MAP_UPDATE_BATCH, MAP_BATCH, { mapFd: fd, keys, values, count, elemFlags: options.elemFlags });
  return attr().get(MAP_BATCH, "count");
}

/**
 * Removes `count` elements at once (`BPF_MAP_DELETE_BATCH`, 5.6).
 *
 * @returns How many were removed: all.
 * @throws {SyscallError} if one is not there (`ENOENT`) or the kernel refuses; those before it are removed.
 */
export function mapDeleteBatch(fd: number, keys: Uint8Array, count: number, options: MapBatchFlags = {}): number {
  bpfOrThrow(BpfCmd.BPF_MAP_DELETE_BATCH, MAP_BATCH, { mapFd: fd, keys, count, elemFlags: options.elemFlags });
  return attr().get(MAP_BATCH, "count");
}

/**
 * As {@linkcode mapDeleteBatch}, going on where an element is not there.
 *
 * @param fd The map.
 * @param keys Keys, one after the other.
 * @param keySize Size of a key in bytes.
 * @returns How many were removed.
 * @throws {SyscallError} if the kernel refuses it: code `ENOTSUPP` if the map's type knows no batches.
 */
export function mapDeletePresent(fd: number, keys: Uint8Array, keySize: number): number {
  let removed = 0;
  for (let at = 0; at < keys.length;) {
    const rest = keys.subarray(at);
    const result = bpf(BpfCmd.BPF_MAP_DELETE_BATCH, MAP_BATCH, { mapFd: fd, keys: rest, count: rest.length / keySize });
    if (result < 0 && result !== -Errno.ENOENT) throw bpfError(BpfCmd.BPF_MAP_DELETE_BATCH, result);
    const count = attr().get(MAP_BATCH, "count");
    removed += count;
    if (result >= 0) break;
    at += (count + 1) * keySize;
  }
  return removed;
}

function readBatch(cmd: BpfCmd, fd: number, batch: MapBatch): MapBatchResult {
  const result = bpf(cmd, MAP_BATCH, { mapFd: fd, ...batch });
  // The last batch says ENOENT and yet may bring elements.
  if (result < 0 && result !== -Errno.ENOENT) throw bpfError(cmd, result);
  return { count: attr().get(MAP_BATCH, "count"), done: result < 0 };
}

function found(cmd: BpfCmd, result: number): boolean {
  if (result >= 0) return true;
  if (result === -Errno.ENOENT) return false;
  throw bpfError(cmd, result);
}
