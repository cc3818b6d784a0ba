/**
 * BTF that is loaded into the kernel: by the kernel itself, its modules, or somebody who loaded a program or a map.
 *
 * @module
 */
import { Btf } from "../../lib/btf/mod.ts";
import {
  btfBytes,
  btfGetFdById,
  btfGetNextId,
  type BtfInfo,
  btfInfo,
  type Fd,
  mapFile,
  SyscallError,
} from "../sys/mod.ts";
import { hostBtf, VMLINUX_BTF } from "./host.ts";

/** Options of {@linkcode loadedBtf} and {@linkcode moduleBtf}. */
export interface LoadedBtfOptions {
  /** What a module's BTF continues; the running kernel's by default. */
  base?: Btf;
}

/**
 * What the kernel says of each BTF that is loaded, in the order of their ids. What is unloaded meanwhile is left out.
 *
 * @throws {SyscallError} if the kernel refuses it: it wants CAP_SYS_ADMIN.
 */
export function loadedBtfInfos(): BtfInfo[] {
  const infos: BtfInfo[] = [];
  for (let id = btfGetNextId(0); id !== undefined; id = btfGetNextId(id)) {
    try {
      using fd = btfGetFdById(id);
      infos.push(btfInfo(fd.value));
    } catch (error) {
      if (!(error instanceof SyscallError) || error.code !== "ENOENT") throw error;
    }
  }
  return infos;
}

/**
 * Loaded BTF by its id.
 *
 * @throws {SyscallError} if the kernel refuses it: code `ENOENT` if there is none.
 * @throws {FormatError} if it does not continue `base`.
 */
export function loadedBtf(id: number, options: LoadedBtfOptions = {}): Btf {
  using fd = btfGetFdById(id);
  const { name, kernelBtf } = btfInfo(fd.value);
  const { base } = options;
  if (kernelBtf && name === "vmlinux") return hostBtf();
  const what = name === "" ? `BTF id ${id}` : `${name} (BTF id ${id})`;
  if (kernelBtf) return Btf.parse(btfBytes(fd.value), { what, base: base ?? hostBtf() });
  return Btf.parse(btfBytes(fd.value), { what, ...(base === undefined ? {} : { base }) });
}

/**
 * The BTF of a module that is loaded, by the module's name.
 *
 * @throws {SyscallError} if there is none: code `ENOENT`.
 * @throws {FormatError} if it does not continue `base`.
 */
export function moduleBtf(name: string, options: LoadedBtfOptions = {}): Btf {
  if (name === "vmlinux") return hostBtf();
  const folder = VMLINUX_BTF.slice(0, VMLINUX_BTF.lastIndexOf("/"));
  // The mapping is kept for as long as the process lives: its types may be asked for at any time.
  const { bytes } = mapFile(`${folder}/${name}`);
  return Btf.parse(bytes, { what: name, base: options.base ?? hostBtf() });
}

/**
 * Opens the BTF of a module that is loaded: what programs and maps that need its types are given (5.11).
 *
 * @throws {Error} if no module of that name has any.
 * @throws {SyscallError} if the kernel refuses it: it wants CAP_SYS_ADMIN.
 */
export function openModuleBtf(name: string): Fd {
  const info = loadedBtfInfos().find((other) => other.kernelBtf && other.name === name);
  if (info === undefined) throw new Error(`module "${name}": it is not loaded, or was built without BTF`);
  return btfGetFdById(info.id);
}
