/**
 * Values of BTF types as JavaScript values: codecs and flyweight readers, compiled once per type.
 *
 * @module
 */
export { compileCodec } from "./codec.ts";
export { describeMembers, type MemberDescription, type ValueKind } from "./describe_members.ts";
export {
  compileReader,
  type Reader,
  type ReaderClass,
  type ReaderMembers,
  type ReaderMethods,
  type ReaderValue,
} from "./reader.ts";
export type { Codec, CodecOptions, StructValue, Value } from "./value.ts";
