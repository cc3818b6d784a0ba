/**
 * Finds the BTF in a kernel's image, of any architecture and however it is compressed.
 *
 * @module
 */
import { Btf } from "../../lib/btf/mod.ts";
import { FormatError } from "../../lib/errors.ts";

/** Ways to compress a kernel: what such data begin with, and a program that unpacks what it can and ignores the rest. */
const COMPRESSIONS: readonly { readonly magic: readonly number[]; readonly command: readonly string[] }[] = [
  { magic: [0x1f, 0x8b, 0x08], command: ["gzip", "-dcq"] },
  { magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], command: ["xz", "-dcqq", "--single-stream"] },
  { magic: [0x28, 0xb5, 0x2f, 0xfd], command: ["zstd", "-dcq"] },
  { magic: [0x02, 0x21, 0x4c, 0x18], command: ["lz4", "-dcq"] },
  { magic: [0x5d, 0x00, 0x00, 0x00], command: ["xz", "-dcqq", "--format=lzma"] },
  { magic: [0x42, 0x5a, 0x68], command: ["bzip2", "-dcq"] },
];

/** `struct btf_header` (linux/btf.h): magic, version 1, flags 0, then words. */
const HEADER = { bytes: 24, hdrLen: 4, typeOff: 8, typeLen: 12, strOff: 16, strLen: 20 } as const;
const MAGICS = [[0x9f, 0xeb, 0x01, 0x00], [0xeb, 0x9f, 0x01, 0x00]] as const;
/** A kernel has tens of thousands of types; what is smaller is something else. */
const LEAST_TYPES = 100_000;
/** A kernel is larger than this, unpacked. */
const LEAST_IMAGE = 1 << 20;

/**
 * The BTF of a kernel.
 *
 * @param image A vmlinuz, vmlinux or Image.
 * @throws {FormatError} where there is none, or none that can be unpacked here.
 */
export async function extractBtf(image: Uint8Array<ArrayBuffer>, what: string): Promise<Uint8Array<ArrayBuffer>> {
  const plain = findBtf(image);
  if (plain) return plain;
  const lacking = new Set<string>();
  for (const { magic, command } of COMPRESSIONS) {
    for (const at of positionsOf(image, magic)) {
      const unpacked = await unpack(command, image.subarray(at));
      if (unpacked === undefined) {
        lacking.add(command[0] ?? "");
        break;
      }
      const btf = unpacked.length < LEAST_IMAGE ? undefined : findBtf(unpacked);
      if (btf) return btf;
    }
  }
  const hint = lacking.size > 0 ? `; what ${[...lacking].join(", ")} would unpack was not looked into: install it` : "";
  throw new FormatError(`${what}: no BTF in it${hint}`);
}

/** The largest BTF of a kernel's size that lies somewhere in `bytes`. */
export function findBtf(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | undefined {
  let best: Uint8Array<ArrayBuffer> | undefined;
  for (const magic of MAGICS) {
    for (const at of positionsOf(bytes, magic)) {
      const btf = btfAt(bytes, at, magic[0] === 0x9f);
      if (btf && btf.length > (best?.length ?? 0)) best = btf;
    }
  }
  return best;
}

function btfAt(bytes: Uint8Array<ArrayBuffer>, at: number, little: boolean): Uint8Array<ArrayBuffer> | undefined {
  if (at + HEADER.bytes > bytes.length) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, HEADER.bytes);
  const word = (offset: number) => view.getUint32(offset, little);
  if (word(HEADER.typeLen) < LEAST_TYPES) return undefined;
  const end = at + word(HEADER.hdrLen) + Math.max(
    word(HEADER.typeOff) + word(HEADER.typeLen),
    word(HEADER.strOff) + word(HEADER.strLen),
  );
  if (end > bytes.length) return undefined;
  const found = bytes.slice(at, end);
  try {
    return Btf.parse(found).find("task_struct") === undefined ? undefined : found;
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

function* positionsOf(bytes: Uint8Array, magic: readonly number[]): Generator<number> {
  const [first = 0, ...rest] = magic;
  for (let at = bytes.indexOf(first); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (rest.every((byte, index) => bytes[at + 1 + index] === byte)) yield at;
  }
}

/** What a program makes of `bytes`, up to where it gives up; undefined where it is not installed. */
async function unpack(
  [program = "", ...args]: readonly string[],
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(program, { args, stdin: "piped", stdout: "piped", stderr: "null" }).spawn();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  // It stops reading where its own data end: what it does not take is no loss.
  const written = ReadableStream.from([bytes]).pipeTo(child.stdin).catch(() => {});
  const { stdout } = await child.output();
  await written;
  return stdout;
}
