/**
 * Externs in section `.kconfig`: which types they may have, and how their values lie in the map that holds them. The rules
 * are libbpf 1.8's, down to the offsets: tools know the map by its layout.
 *
 * @module
 */
import {
  type BtfType,
  type DatasecEntry,
  type DatasecType,
  skipModifiersAndTypedefs,
  type VarType,
} from "../btf/mod.ts";
import { LinkError, UnsupportedError } from "../errors.ts";
import { BpfMapFlag, BpfMapType, BtfKind } from "../uapi/mod.ts";
import { dataMapKernelName } from "./data_maps.ts";
import type { ExternSpec, KconfigSlot, KconfigValueKind, MapSpec } from "./types.ts";

/** The section of options of the kernel's configuration. */
export const KCONFIG_SECTION = ".kconfig";
/** The enum of libbpf's bpf_helpers.h: `TRI_NO` 0, `TRI_YES` 1, `TRI_MODULE` 2. */
const TRISTATE = "libbpf_tristate";
/** Largest alignment of a BPF target's types. */
const MAX_ALIGNMENT = 8;

/** What an extern of a type holds, as its bytes are concerned. */
interface KconfigType {
  readonly kind: KconfigValueKind;
  readonly size: number;
  readonly alignment: number;
  readonly signed: boolean;
}

/** `undefined` for a type that no option has a value for. */
function kconfigType(type: BtfType): KconfigType | undefined {
  const behind = skipModifiersAndTypedefs(type);
  switch (behind.kind) {
    case BtfKind.Int: {
      const { size, bool } = behind;
      const signed = behind.signed && !bool;
      const alignment = Math.min(size, MAX_ALIGNMENT);
      if (bool) return size === 1 ? { kind: "bool", size, alignment, signed } : undefined;
      if (size === 1) return { kind: "char", size, alignment, signed };
      return size === 2 || size === 4 || size === 8 ? { kind: "int", size, alignment, signed } : undefined;
    }
    case BtfKind.Enum:
    case BtfKind.Enum64: {
      const { name, size } = behind;
      if (name !== TRISTATE || (size !== 4 && size !== 8)) return undefined;
      return { kind: "tristate", size, alignment: size, signed: false };
    }
    case BtfKind.Array: {
      if (behind.length === 0 || kconfigType(behind.element)?.kind !== "char") return undefined;
      return { kind: "text", size: behind.length, alignment: 1, signed: false };
    }
    default:
      return undefined;
  }
}

/** What the options of an object lie in: its map, and a slot of it for each. */
export interface KconfigLayout {
  readonly map: MapSpec;
  /** By name, in the order of their offsets. */
  readonly slots: ReadonlyMap<string, KconfigSlot>;
}

/**
 * Lays out the options of an object: the largest alignment first, of those of one alignment the smallest size, then by name.
 *
 * @param object The object's name, and how errors call it.
 * @param externs The externs of section `.kconfig`.
 * @throws {UnsupportedError} for a type that no option can have.
 * @throws {LinkError} for a function.
 */
export function layOutKconfig(
  object: { readonly name: string; readonly what: string },
  externs: readonly ExternSpec[],
): KconfigLayout | undefined {
  if (externs.length === 0) return undefined;
  const typed = externs.map((extern) => ({ name: extern.name, ...variableOf(extern, object.what) }));
  typed.sort((a, b) => b.alignment - a.alignment || a.size - b.size || (a.name < b.name ? -1 : 1));
  const map = dataMapKernelName(object.name, KCONFIG_SECTION);
  const slots = new Map<string, KconfigSlot>();
  const entries: DatasecEntry[] = [];
  let end = 0;
  for (const { name, variable, kind, size, alignment, signed } of typed) {
    const offset = Math.ceil(end / alignment) * alignment;
    end = offset + size;
    slots.set(name, { map, offset, size, kind, signed });
    // The kernel takes no variable that is defined nowhere.
    const type: VarType = { kind: BtfKind.Var, id: 0, name, target: variable.target, linkage: "global" };
    entries.push({ type, offset, size });
  }
  const value: DatasecType = { kind: BtfKind.Datasec, id: 0, name: KCONFIG_SECTION, size: end, entries };
  return { map: kconfigMap(map, value), slots };
}

function variableOf(extern: ExternSpec, what: string): KconfigType & { readonly variable: VarType } {
  const { name, type: variable } = extern;
  if (variable?.kind !== BtfKind.Var) {
    throw new LinkError(`${what}: extern function "${name}" is in section "${KCONFIG_SECTION}": only variables can be`);
  }
  const type = kconfigType(variable.target);
  if (type !== undefined) return { ...type, variable };
  throw new UnsupportedError(
    "type of a kconfig extern",
    `${what}: extern "${name}" in section "${KCONFIG_SECTION}" has a type that no option has: use bool, enum ` +
      `${TRISTATE}, char, char[N], or an integer of 2, 4 or 8 bytes`,
  );
}

function kconfigMap(name: string, value: DatasecType): MapSpec {
  return {
    name,
    kernelName: name,
    type: BpfMapType.BPF_MAP_TYPE_ARRAY,
    keySize: 4,
    valueSize: value.size,
    maxEntries: 1,
    flags: BpfMapFlag.BPF_F_RDONLY_PROG | BpfMapFlag.BPF_F_MMAPABLE,
    extra: 0n,
    pinning: "none",
    value,
    // What the options are is known only when it is known which kernel it is for.
    data: new Uint8Array(value.size),
    readOnly: true,
    section: KCONFIG_SECTION,
    contents: [],
    tags: [],
  };
}
