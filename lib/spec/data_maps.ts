/**
 * Global variables as maps: each section of them is an array map with one value. Names and flags are those of libbpf
 * 1.8, since users, tools and the kernel's listings know such maps by them.
 *
 * @module
 */
import type { DatasecType } from "../btf/mod.ts";
import { type Section, sectionPlace } from "../elf/mod.ts";
import { LinkError } from "../errors.ts";
import { BpfMapFlag, BpfMapType, BtfKind } from "../uapi/mod.ts";
import type { DataKind } from "./sections.ts";
import type { MapSpec } from "./types.ts";

/** `BPF_OBJ_NAME_LEN`, less the terminating NUL. */
const MAX_KERNEL_NAME = 15;
/** `INT_MAX`: what the kernel takes at most as the size of an array's value. */
const MAX_VALUE_SIZE = 0x7fffffff;
/** libbpf reserves as much for the section's name, also if it is shorter: room for `.rodata`. */
const MIN_SUFFIX = 7;

/**
 * The kernel's name of the map for `section`: up to 8 characters of the object's name and the section's name. A section
 * that has a name of its own (`.data.foo`) gives all of it, and the object none.
 */
export function dataMapKernelName(object: string, section: string): string {
  const suffixLength = Math.min(Math.max(MIN_SUFFIX, section.length), MAX_KERNEL_NAME);
  const prefix = section.indexOf(".", 1) >= 0 ? "" : kernelText(object).slice(0, MAX_KERNEL_NAME - suffixLength);
  return prefix + kernelText(section).slice(0, suffixLength);
}

/** `name` with an underscore for each byte, not character, that the kernel takes in no name. */
function kernelText(name: string): string {
  const text = Array.from(new TextEncoder().encode(name), (byte) => String.fromCharCode(byte)).join("");
  return text.replaceAll(/[^A-Za-z0-9_.]/g, "_");
}

/** The name by which users know the map: the section's for `.data.foo` and `.rodata.foo`, else the kernel's. */
export function dataMapName(object: string, kind: DataKind, section: string): string {
  const own = kind !== "bss" && section !== `.${kind}`;
  return own ? section : dataMapKernelName(object, section);
}

/** The base name of a file up to its first dot: what names of data maps begin with. */
export function objectName(file: string): string {
  const base = file.slice(file.lastIndexOf("/") + 1);
  const dot = base.indexOf(".");
  return dot < 0 ? base : base.slice(0, dot);
}

/** Can user space map it: only if it shows a variable that is not static. */
function isMmapable(datasec: DatasecType | undefined): boolean {
  return datasec?.entries.some(({ type }) => type.kind === BtfKind.Var && type.linkage !== "static") ?? false;
}

/** A copy of the section's bytes, since users may change them. */
function initialData(kind: DataKind, section: Section, what: string): Uint8Array {
  const problem = `${what}: ${sectionPlace(section)} has ${section.size} bytes of global data`;
  if (section.size > MAX_VALUE_SIZE) throw new LinkError(`${problem}: a map's value has at most ${MAX_VALUE_SIZE}`);
  if (kind !== "bss") return section.bytes().slice();
  try {
    return new Uint8Array(section.size);
  } catch (error) {
    throw new LinkError(`${problem}: more than there is memory for`, { cause: error });
  }
}

/**
 * The map of a section of global variables.
 *
 * @param object The object's name, and how errors call it.
 * @param datasec Its variables, complete; `undefined` for sections that BTF does not describe: string literals.
 * @throws {LinkError} if the section is too large for a map.
 */
export function dataMap(
  object: { readonly name: string; readonly what: string },
  kind: DataKind,
  section: Section,
  datasec: DatasecType | undefined,
): MapSpec {
  const name = dataMapName(object.name, kind, section.name);
  const kernelName = dataMapKernelName(object.name, section.name);
  const data = initialData(kind, section, object.what);
  const readOnly = kind === "rodata";
  return {
    name,
    kernelName,
    type: BpfMapType.BPF_MAP_TYPE_ARRAY,
    keySize: 4,
    valueSize: section.size,
    maxEntries: 1,
    flags: (readOnly ? BpfMapFlag.BPF_F_RDONLY_PROG : 0) | (isMmapable(datasec) ? BpfMapFlag.BPF_F_MMAPABLE : 0),
    extra: 0n,
    pinning: "none",
    // clang 19 describes a section of nothing but literals as one without variables, which kernels before 5.12 refuse.
    value: datasec?.entries.length === 0 ? undefined : datasec,
    data,
    readOnly,
    section: section.name,
    contents: [],
    tags: [],
  };
}
