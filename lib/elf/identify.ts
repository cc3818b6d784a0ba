/**
 * Telling what a file is that should be a BPF object, so that the message says what to do instead.
 *
 * @module
 */
import type { ByteOrder } from "../bytes.ts";
import { FormatError } from "../errors.ts";
import { EM, ET, machineName } from "./constants.ts";

/** `e_ident`: offsets and values. */
const IDENT = {
  class: 4,
  data: 5,
  version: 6,
  size: 16,
  class32: 1,
  class64: 2,
  little: 1,
  big: 2,
} as const;

/** First bytes of every ELF file. */
const ELF_MAGIC = [0x7f, 0x45, 0x4c, 0x46] as const;

/** Whether `bytes` begin like an ELF file of any kind. */
export function isElf(bytes: Uint8Array): boolean {
  return startsWith(bytes, ELF_MAGIC);
}

/** What the first bytes of an ELF file say. */
export interface ElfIdentity {
  /** Byte order. */
  readonly order: ByteOrder;
  /** Is it a 64-bit file. */
  readonly wide: boolean;
  /** `EM.*`. */
  readonly machine: number;
}

/** What the first bytes say; `undefined` if they are not those of an ELF file. */
export function elfIdentity(bytes: Uint8Array): ElfIdentity | undefined {
  const data = bytes[IDENT.data];
  if (!isElf(bytes) || (data !== IDENT.little && data !== IDENT.big)) return undefined;
  const order = data === IDENT.little ? "little" : "big";
  const [first = 0, second = 0] = bytes.subarray(MACHINE_OFFSET, MACHINE_OFFSET + 2);
  const machine = order === "little" ? second << 8 | first : first << 8 | second;
  return { order, wide: bytes[IDENT.class] === IDENT.class64, machine };
}

/** Where `e_machine` is, in both classes. */
const MACHINE_OFFSET = 18;

/** First bytes of other files that end up where an object is expected. */
const OTHER_FILES: readonly {
  readonly magic: readonly number[];
  readonly is: string;
}[] = [
  {
    magic: [0x42, 0x43, 0xc0, 0xde],
    is: "LLVM bitcode: run llc -march=bpf -filetype=obj on it",
  },
  {
    magic: [0x21, 0x3c, 0x61, 0x72, 0x63, 0x68, 0x3e],
    is: "an archive: extract the object with llvm-ar x",
  },
  { magic: [0x1f, 0x8b], is: "gzip data: unpack it first" },
  { magic: [0x28, 0xb5, 0x2f, 0xfd], is: "zstd data: unpack it first" },
  {
    magic: [0x9f, 0xeb],
    is: "raw BTF, which holds types only: give the BPF object itself",
  },
  {
    magic: [0xeb, 0x9f],
    is: "raw BTF, which holds types only: give the BPF object itself",
  },
  {
    magic: [0x00, 0x61, 0x73, 0x6d],
    is: "a WebAssembly module: compile with clang -target bpf -c",
  },
];

function startsWith(bytes: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, i) => bytes[i] === byte);
}

/**
 * The byte order of `bytes`, if they begin like an ELF64 file.
 *
 * @throws {FormatError} saying what the file is instead.
 */
export function checkElf64(bytes: Uint8Array, what: string): ByteOrder {
  if (!isElf(bytes)) {
    const other = OTHER_FILES.find((file) => startsWith(bytes, file.magic));
    if (other !== undefined) throw new FormatError(`${what}: is ${other.is}`);
    if (bytes.length === 0) {
      throw new FormatError(
        `${what}: is empty: compile with clang -target bpf -g -c`,
      );
    }
    const start = Array.from(
      bytes.subarray(0, 4),
      (byte) => byte.toString(16).padStart(2, "0"),
    ).join(" ");
    throw new FormatError(
      `${what}: is not an ELF file (it starts with ${start}): compile C source with clang -target bpf -g -c`,
    );
  }
  if (bytes.length < IDENT.size) {
    throw new FormatError(
      `${what}: is truncated: its ${bytes.length} bytes do not hold an ELF header`,
    );
  }
  const data = bytes[IDENT.data];
  if (data !== IDENT.little && data !== IDENT.big) {
    throw new FormatError(
      `${what}: unknown byte order ${data} at offset ${IDENT.data}, neither 1 (little) nor 2 (big)`,
    );
  }
  const order = data === IDENT.little ? "little" : "big";
  const elfClass = bytes[IDENT.class];
  if (elfClass === IDENT.class32) {
    const low = bytes[MACHINE_OFFSET + (order === "little" ? 0 : 1)] ?? 0;
    const high = bytes[MACHINE_OFFSET + (order === "little" ? 1 : 0)] ?? 0;
    throw new FormatError(
      `${what}: is a 32-bit ELF file for ${
        machineName(high << 8 | low)
      }, not a BPF object (those are 64-bit): compile with clang -target bpf -c`,
    );
  }
  if (elfClass !== IDENT.class64) {
    throw new FormatError(
      `${what}: unknown ELF class ${elfClass} at offset ${IDENT.class}, neither 1 nor 2 (64-bit)`,
    );
  }
  if (bytes[IDENT.version] !== 1) {
    throw new FormatError(
      `${what}: unknown ELF version ${bytes[IDENT.version]} at offset ${IDENT.version}, not 1`,
    );
  }
  return order;
}

const FILE_TYPES: ReadonlyMap<number, string> = new Map([
  [ET.NONE, "an ELF file of no type"],
  [ET.REL, "an object"],
  [ET.EXEC, "an executable"],
  [ET.DYN, "an executable or shared library"],
  [ET.CORE, "a core dump"],
]);

/**
 * Fails unless `elf` is what clang -target bpf -c makes: relocatable, for the machine BPF.
 *
 * @throws {FormatError} saying what the file is instead, and what to do.
 */
export function assertBpfObject(
  elf: {
    readonly what: string;
    readonly type: number;
    readonly machine: number;
  },
): void {
  // llc of clang 3.x left the machine empty; libbpf takes such objects too.
  const bpf = elf.machine === EM.BPF || elf.machine === EM.NONE;
  if (bpf && elf.type === ET.REL) return;
  const type = FILE_TYPES.get(elf.type) ?? `an ELF file of type ${elf.type}`;
  const advice = bpf ? "compile with clang -target bpf -c, without linking" : "compile with clang -target bpf -c";
  const kind = bpf ? "a relocatable BPF object" : "a BPF object";
  throw new FormatError(
    `${elf.what}: is ${type} for ${bpf ? "BPF" : machineName(elf.machine)}, not ${kind}: ${advice}`,
  );
}
