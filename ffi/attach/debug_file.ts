/**
 * Separate debug files: the names of functions that were stripped from a program or library.
 *
 * Source: gdb's manual, Separate Debug Files.
 *
 * @module
 */
import { type DebugLink, Executable } from "../../lib/elf/mod.ts";
import { DebpfError } from "../../lib/errors.ts";
import * as sys from "../sys/mod.ts";
import { realPath, type UserPath } from "./user_path.ts";

const DEBUG_FOLDER = "/usr/lib/debug";

/** Where the debug file of a program may be, in the order in which gdb looks. */
function debugPaths(executable: Executable, file: UserPath): string[] {
  const { buildId, debugLink } = executable;
  // Debug files of a container's programs may be in the container or outside.
  const roots = file.root === "" ? [""] : [file.root, ""];
  const paths: string[] = [];
  if (buildId !== undefined) {
    const name = `.build-id/${buildId.slice(0, 2)}/${buildId.slice(2)}.debug`;
    paths.push(...roots.map((root) => `${root}${DEBUG_FOLDER}/${name}`));
  }
  if (debugLink !== undefined) {
    const path = realPath(file.path.slice(file.root.length), file.root);
    const folder = path.slice(0, path.lastIndexOf("/"));
    for (const root of roots) {
      for (const place of [folder, `${folder}/.debug`, `${DEBUG_FOLDER}${folder}`]) {
        paths.push(`${root}${place}/${debugLink.name}`);
      }
    }
  }
  return paths;
}

/** The debug file of a program or library; `undefined` if there is none that belongs to it. */
export function findDebugFile(executable: Executable, file: UserPath): Executable | undefined {
  for (const path of debugPaths(executable, file)) {
    const found = path === file.path ? undefined : readDebugFile(path);
    if (found !== undefined && belongs(found, executable)) return found;
  }
  return undefined;
}

/** What is no debug file is none, whatever it is. */
function readDebugFile(path: string): Executable | undefined {
  try {
    return sys.exists(path) ? Executable.parse(sys.readFile(path), `debug file "${path}"`) : undefined;
  } catch (error) {
    if (error instanceof DebpfError) return undefined;
    throw error;
  }
}

function belongs(debug: Executable, executable: Executable): boolean {
  const { buildId, debugLink } = executable;
  if (buildId !== undefined && debug.buildId !== undefined) return debug.buildId === buildId;
  return debugLink !== undefined && hasCrc(debug.bytes, debugLink);
}

function hasCrc(bytes: Uint8Array, { crc }: DebugLink): boolean {
  return crc32(bytes) === crc;
}

let table: Uint32Array | undefined;

/** CRC-32 (IEEE 802.3), as zlib's. */
function crc32(bytes: Uint8Array): number {
  table ??= Uint32Array.from({ length: 256 }, (_, byte) => {
    for (let bit = 0; bit < 8; bit++) byte = byte & 1 ? byte >>> 1 ^ 0xedb8_8320 : byte >>> 1;
    return byte;
  });
  let crc = 0xffff_ffff;
  for (let i = 0; i < bytes.length; i++) crc = table[(crc ^ bytes[i]!) & 0xff]! ^ crc >>> 8;
  return ~crc >>> 0;
}
