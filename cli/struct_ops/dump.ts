/**
 * The value of a struct_ops map in words: bpftool's, so that scripts carry over.
 *
 * @module
 */
import { hostBtf, loadedBtf } from "../../ffi/btf/mod.ts";
import type { MapDescription } from "../../ffi/info/mod.ts";
import { BpfMap } from "../../ffi/map/mod.ts";
import { progArrays, progGetFdById, progInfo, SyscallError } from "../../ffi/sys/mod.ts";
import {
  type Btf,
  type BtfType,
  compileCodec,
  parseKernelFuncInfos,
  skipModifiersAndTypedefs,
  type StructType,
} from "../../lib/btf/mod.ts";
import { formatDeclaration } from "../../lib/btf/questions/mod.ts";
import { HOST_BYTE_ORDER } from "../../lib/bytes.ts";
import { BtfKind } from "../../lib/uapi/mod.ts";

const VALUE_PREFIX = "bpf_struct_ops_";

/** Name of the kernel's struct: `tcp_congestion_ops`. */
export function structName(map: MapDescription): string {
  return valueType(map).name.replace(VALUE_PREFIX, "");
}

/** The kernel's or a module's type of the value. */
function valueType({ btfVmlinuxId, btfVmlinuxValueTypeId }: MapDescription): StructType {
  // Kernels before 6.9 do not say which BTF, and know only their own.
  const btf: Btf = btfVmlinuxId === 0 ? hostBtf() : loadedBtf(btfVmlinuxId);
  return btf.type(btfVmlinuxValueTypeId) as StructType;
}

/** What the kernel says of the map, then its value. */
export function dumpJson(map: MapDescription): object[] {
  const type = valueType(map);
  using live = BpfMap.fromId(map.id);
  const value = live.raw.get(new Uint8Array(4)) ?? new Uint8Array(map.valueSize);
  return [{ bpf_map_info: infoJson(map) }, { [type.name]: typedJson(type, new DataView(value.buffer), 0) }];
}

/** All members of the kernel's `struct bpf_map_info`; one that is newer than this library is 0. */
function infoJson(map: MapDescription): Record<string, unknown> {
  const type = hostBtf().find("bpf_map_info", BtfKind.Struct) as StructType;
  const known = map as unknown as Readonly<Record<string, unknown>>;
  const camel = (name: string) => name.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase());
  const members = type.members.filter(({ name }) => name !== "");
  return Object.fromEntries(members.map(({ name }) => [name, known[camel(name)] ?? 0]));
}

function typedJson(type: BtfType, view: DataView, offset: number): unknown {
  const own = skipModifiersAndTypedefs(type);
  if (own.kind === BtfKind.Struct) {
    return Object.fromEntries(
      own.members.map((member) => [
        member.name,
        member.bitfieldBits === 0 ? typedJson(member.type, view, offset + member.offsetBits / 8) : null,
      ]),
    );
  }
  const value = compileCodec(type, { order: HOST_BYTE_ORDER }).decode(view, offset);
  const target = own.kind === BtfKind.Ptr ? skipModifiersAndTypedefs(own.target) : undefined;
  return target?.kind === BtfKind.FuncProto ? `${formatDeclaration(target)} ${programText(Number(value))}` : value;
}

/** `ssthresh/prog_id:107`: the kernel gives ids of programs for pointers to functions. */
function programText(id: number): string {
  return id === 0 ? "0" : `${programName(id)}/prog_id:${id}`;
}

/** The name of its function, where its BTF tells; the kernel itself keeps 15 bytes. */
function programName(id: number): string {
  try {
    using fd = progGetFdById(id);
    const { btfId, funcInfoRecSize, name } = progInfo(fd.value);
    const { funcInfo } = btfId === 0 ? { funcInfo: undefined } : progArrays(fd.value, ["funcInfo"]);
    if (funcInfo === undefined) return name;
    return parseKernelFuncInfos(funcInfo, loadedBtf(btfId), { recordSize: funcInfoRecSize })[0]?.func.name ?? name;
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    return "<unknown>";
  }
}
