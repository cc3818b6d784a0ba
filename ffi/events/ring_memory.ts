/**
 * The memory of a ring buffer, in either direction (kernel/bpf/ringbuf.c): a page with the consumer's position, one with the
 * producer's, and the data twice, so that a record is in one piece wherever it begins.
 *
 * @module
 */
import * as sys from "../sys/mod.ts";

/** Memory that is shared with the kernel. */
export interface RingMemory {
  /** A file descriptor of the map, to wait for it; the memory needs none. */
  readonly fd: number;
  /** The consumer's page. */
  readonly consumer: sys.Mapping;
  /** The producer's page, then both copies of the data. */
  readonly rest: sys.Mapping;
  /** Where the data begins in `rest`, in bytes. */
  readonly dataOffset: number;
}

/**
 * Maps the memory of a ring buffer, which may be closed afterwards.
 *
 * @param mapFd The map.
 * @param sizeBytes Size of its data.
 * @param writes Whose pages this process writes: the kernel lets it write no others.
 * @param owned Gets what is opened.
 * @throws {SyscallError} if it cannot be mapped.
 */
export function mapRing(
  mapFd: number,
  sizeBytes: number,
  writes: "consumer" | "producer",
  owned: DisposableStack,
): RingMemory {
  const page = sys.pageSize();
  const fd = owned.use(sys.duplicateFd(mapFd)).value;
  const consumer = owned.use(sys.mapMemory({ fd, length: page, offset: 0, writable: writes === "consumer" }));
  const rest = owned.use(
    sys.mapMemory({ fd, length: page + 2 * sizeBytes, offset: page, writable: writes === "producer" }),
  );
  return { fd, consumer, rest, dataOffset: page };
}
