/**
 * Unpacking gzip, synchronously: the Web's way is asynchronous, and loading is not.
 *
 * @module
 */

/** Of `node:zlib`, what is used. */
interface Zlib {
  gunzipSync(bytes: Uint8Array): Uint8Array<ArrayBuffer>;
}

/** Deno has it as Node does. */
interface NodeProcess {
  getBuiltinModule(name: "node:zlib"): Zlib;
}

/**
 * The bytes that `packed` was made of.
 *
 * @throws {Error} if it is broken.
 */
export function gunzip(packed: Uint8Array): Uint8Array<ArrayBuffer> {
  // An import would be paid for by every program at its start, and hardly any unpacks something.
  const { process } = globalThis as unknown as { process: NodeProcess };
  return process.getBuiltinModule("node:zlib").gunzipSync(packed);
}
