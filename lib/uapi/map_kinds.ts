/**
 * What types of maps have in common.
 *
 * @module
 */
import { BpfMapType } from "./bpf_map_type.ts";

/** The page size with which ring buffers are rounded where the caller names none. */
const DEFAULT_PAGE_SIZE = 4096;

/** Does the map hold other maps. */
export function isMapOfMaps(type: BpfMapType): boolean {
  return type === BpfMapType.BPF_MAP_TYPE_ARRAY_OF_MAPS || type === BpfMapType.BPF_MAP_TYPE_HASH_OF_MAPS;
}

/** Is the map a ring buffer, in either direction. */
export function isRingBuffer(type: BpfMapType): boolean {
  return type === BpfMapType.BPF_MAP_TYPE_RINGBUF || type === BpfMapType.BPF_MAP_TYPE_USER_RINGBUF;
}

/**
 * The size that the kernel takes for a ring buffer of `size` bytes: a page times a power of two. 0 stays 0, and what is
 * too large for one stays as it is: the kernel refuses both.
 */
export function ringBufferSize(size: number, pageSize: number = DEFAULT_PAGE_SIZE): number {
  if (size === 0) return 0;
  let rounded = pageSize;
  while (rounded < size) rounded *= 2;
  return rounded > 0xffffffff ? size : rounded;
}
