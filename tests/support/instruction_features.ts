/**
 * Features of kernels that tests of instructions need: forms that the verifier learned one by one, each found by loading a
 * program of it.
 *
 * @module
 */
import * as sys from "../../ffi/sys/mod.ts";
import { encode } from "../../lib/asm/mod.ts";
import { assemble } from "../../lib/asm/text/mod.ts";
import { BpfMapType, BpfProgType } from "../../lib/uapi/mod.ts";

/** By the name that tests ask for them with; the shape is that of `KernelFeature`. */
export const INSTRUCTION_FEATURES = {
  atomics: {
    words: "atomic and, or, xor, and atomic operations with a result",
    since: "5.12",
    has: () => takes("r1 = 1\n*(u64 *)(r10 -8) = r1\nr1 = atomic64_fetch_add((u64 *)(r10 -8), r1)\nr0 = 0\nexit"),
  },
  instructionsV4: {
    words: "signed division, sign extension, byte swaps and long jumps",
    since: "6.6",
    has: () => takes("r0 = 6\nr0 s/= 2\nr0 = (s8)r0\nr0 = bswap16 r0\ngotol pc+0\nexit"),
  },
  mayGoto: {
    words: "may_goto",
    since: "6.9",
    has: () => takes("r0 = 0\nmay_goto pc+1\nr0 = 1\nexit"),
  },
  orderedAtomics: {
    words: "load-acquire and store-release",
    since: "6.15",
    has: () => takes("r1 = 1\n*(u64 *)(r10 -8) = r1\nr0 = load_acquire((u64 *)(r10 -8))\nexit"),
  },
  fdArray: {
    words: "maps by index in fd_array",
    since: "5.14",
    has: () => {
      using map = sys.mapCreate({ mapType: BpfMapType.BPF_MAP_TYPE_ARRAY, keySize: 4, valueSize: 4, maxEntries: 1 });
      return takes("r1 = map[idx:0]\nr0 = 0\nexit", { fdArray: Int32Array.of(map.value) });
    },
  },
  sha256Tags: {
    words: "tags of programs by SHA-256",
    since: "6.18",
    has: tagsAreSha256,
  },
} as const;

/** `r0 = 0; exit` has this tag by SHA-256, and a04f5eef06a7f555 by SHA-1. */
const RETURN_0_TAG = "59f4a931744dcdc6";

function load(text: string, more: Partial<sys.ProgLoadOptions> = {}): sys.Fd {
  const insns = encode(assemble(text), "little");
  return sys.progLoad({ progType: BpfProgType.BPF_PROG_TYPE_SOCKET_FILTER, insns, license: "GPL", ...more });
}

function takes(text: string, more: Partial<sys.ProgLoadOptions> = {}): boolean {
  try {
    load(text, more).close();
    return true;
  } catch (error) {
    if (error instanceof sys.SyscallError) return false;
    throw error;
  }
}

function tagsAreSha256(): boolean {
  using program = load("r0 = 0\nexit");
  return sys.progInfo(program.value).tag.toHex() === RETURN_0_TAG;
}
