/**
 * Types and strings as a BTF blob.
 *
 * @module
 */
import { type ByteOrder, HOST_BYTE_ORDER } from "../../bytes.ts";
import { BtfFormat } from "../../uapi/mod.ts";
import { swapWords } from "../swap_words.ts";
import { BTF_HEADER } from "../wire.ts";

/** A blob: header, type section (words in the host's order, here in `order`), string section. */
export function encodeBlob(words: Uint32Array, strings: Uint8Array, order: ByteOrder): Uint8Array {
  const typeLength = words.byteLength;
  const blob = new Uint8Array(BTF_HEADER.size + typeLength + strings.length);
  const header = new DataView(blob.buffer, 0, BTF_HEADER.size);
  const little = order === "little";
  header.setUint16(BTF_HEADER.magic, BtfFormat.BTF_MAGIC, little);
  header.setUint8(BTF_HEADER.version, BtfFormat.BTF_VERSION);
  header.setUint32(BTF_HEADER.hdrLen, BTF_HEADER.size, little);
  header.setUint32(BTF_HEADER.typeLen, typeLength, little);
  header.setUint32(BTF_HEADER.strOff, typeLength, little);
  header.setUint32(BTF_HEADER.strLen, strings.length, little);

  const types = blob.subarray(BTF_HEADER.size, BTF_HEADER.size + typeLength);
  types.set(new Uint8Array(words.buffer, words.byteOffset, typeLength));
  if (order !== HOST_BYTE_ORDER) swapWords(types);
  blob.set(strings, BTF_HEADER.size + typeLength);
  return blob;
}
