/**
 * Events from programs: ring buffers as async streams.
 *
 * @module
 */
export type { RecordHandler } from "./ring.ts";
export { RingBuffer } from "./ring_buffer.ts";
export { EventStream, type RecordDecoder, type StreamOptions } from "./stream.ts";
