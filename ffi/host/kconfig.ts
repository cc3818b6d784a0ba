/**
 * The running kernel's configuration: where distributions put it, or where the kernel itself shows it
 * (CONFIG_IKCONFIG_PROC).
 *
 * @module
 */
import { decodeText } from "../../lib/bytes.ts";
import { FormatError } from "../../lib/errors.ts";
import type { KernelConfig } from "../../lib/linker/mod.ts";
import { readFile, SyscallError, uname } from "../sys/mod.ts";
import { gunzip } from "./gunzip.ts";

/** In the order of libbpf. */
function places(): string[] {
  return [`/boot/config-${uname().release}`, "/proc/config.gz"];
}

let known: KernelConfig | undefined;

/**
 * The running kernel's configuration. It is read once: a kernel does not change its own.
 *
 * @throws {FormatError} if a file is compressed and broken.
 */
export function kernelConfig(): KernelConfig {
  return known ??= readKernelConfig(places());
}

/**
 * The configuration in the first of `paths` that can be read; may be compressed by gzip.
 *
 * @throws {FormatError} if it is compressed and broken.
 */
export function readKernelConfig(paths: readonly string[]): KernelConfig {
  for (const path of paths) {
    const bytes = readIfThere(path);
    if (bytes !== undefined) return { text: decodeText(unpacked(bytes, path)), files: [path] };
  }
  return { text: undefined, files: paths };
}

function readIfThere(path: string): Uint8Array | undefined {
  try {
    return readFile(path);
  } catch (error) {
    // Whoever may not read one file may yet read the other.
    if (error instanceof SyscallError) return undefined;
    throw error;
  }
}

function unpacked(bytes: Uint8Array, path: string): Uint8Array {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzip(bytes);
  } catch (error) {
    throw new FormatError(`${path}: its compressed data is broken`, { cause: error });
  }
}
