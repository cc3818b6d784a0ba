/**
 * Events from programs: ring buffers and perf buffers as async streams, what programs print, and what they are told.
 *
 * @module
 */
export { BpfIterator } from "./iterator.ts";
export { describeLosses, type EventLosses, type LossPlace } from "./losses.ts";
export { OverwriteRing } from "./overwrite_ring.ts";
export { PerfBuffer, type PerfBufferOptions, PerfSnapshot } from "./perf_buffer.ts";
export type { PerfOptions } from "./perf_cpus.ts";
export { perfRecordTime } from "./perf_ring.ts";
export { ProgramStream, type ProgramStreamName, type ProgramStreamOptions } from "./program_stream.ts";
export { RecordBatch } from "./record_batch.ts";
export type { RecordSource } from "./record_source.ts";
export type { RecordHandler } from "./ring.ts";
export { RingBuffer, type RingBufferOptions } from "./ring_buffer.ts";
export { EventStream, type RecordDecoder, type StreamOptions } from "./stream.ts";
export { parseTraceLine, type TraceLine } from "./trace_line.ts";
export { TracePipe, type TracePipeOptions } from "./trace_pipe.ts";
export { UserRingBuffer } from "./user_ring_buffer.ts";
