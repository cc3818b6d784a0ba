/**
 * `BPF_MAP_CREATE` from a spec.
 *
 * @module
 */
import type { MapTypeIds } from "../../lib/linker/mod.ts";
import { isRingBuffer, ringBufferSize } from "../../lib/uapi/mod.ts";
import type { MapSpec } from "../../lib/spec/mod.ts";
import { BpfMapFlag, BpfMapType } from "../../lib/uapi/mod.ts";
import * as sys from "../sys/mod.ts";

/** What creating a map needs besides its spec: things that only exist in the kernel. */
export interface MapCreateOptions {
  /** The loaded BTF that `types` are of. */
  readonly btf?: sys.Fd | undefined;
  /** Ids in `btf` of the types of key and value; left out for maps that take none. */
  readonly types?: MapTypeIds | undefined;
  /** The kernel's type of the value, for struct_ops. */
  readonly kernelType?: KernelType | undefined;
  /** File descriptor of a BPF token, which stands for the caller's rights (6.9). */
  readonly token?: number | undefined;
}

/** A type of the kernel's, or of a module's. */
export interface KernelType {
  /** Its id. */
  readonly id: number;
  /** The BTF of the module that has it (6.9). */
  readonly module?: sys.Fd | undefined;
}

/**
 * Creates the map that `spec` describes, and the template of its inner maps if it has one.
 *
 * A kernel that does not want types for a map (or not these) gets none, as with libbpf: they only describe the map, unless
 * they hold locks, timers or kernel pointers, which the verifier then says.
 *
 * @throws {sys.SyscallError} if the kernel refuses it.
 */
export function createMap(spec: MapSpec, options: MapCreateOptions = {}): sys.Fd {
  const { btf, types, kernelType, token } = options;
  using inner = spec.inner === undefined ? undefined : createMap(spec.inner, { btf, types: types?.inner, token });
  const request: sys.MapCreateRequest = {
    mapType: spec.type,
    keySize: spec.keySize,
    valueSize: spec.valueSize,
    maxEntries: maxEntries(spec),
    mapFlags: spec.flags | (token === undefined ? 0 : BpfMapFlag.BPF_F_TOKEN_FD) |
      (kernelType?.module === undefined ? 0 : BpfMapFlag.BPF_F_VTYPE_BTF_OBJ_FD),
    mapName: spec.kernelName ?? spec.name,
    mapExtra: spec.extra,
    numaNode: spec.numaNode,
    innerMapFd: inner?.value,
    mapTokenFd: token,
    // The kernel wants some BTF beside a type of its own, though it reads nothing of it.
    btfFd: kernelType === undefined ? undefined : btf?.value,
    btfVmlinuxValueTypeId: kernelType?.id,
    valueTypeBtfObjFd: kernelType?.module?.value,
  };
  const place = `map "${spec.name}"`;
  if (btf === undefined || types === undefined || (types.key === 0 && types.value === 0)) return create(request, place);
  try {
    return create({ ...request, btfFd: btf.value, btfKeyTypeId: types.key, btfValueTypeId: types.value }, place);
  } catch (error) {
    if (!(error instanceof sys.SyscallError) || !MAY_BE_TYPES.has(error.code)) throw error;
    return createWithout(request, place, error);
  }
}

/** What the kernel says to types that it does not want (map_check_btf of kernel/bpf/syscall.c and of each map type). */
const MAY_BE_TYPES: ReadonlySet<string> = new Set(["EINVAL", "ENOTSUPP", "EOPNOTSUPP", "EACCES", "E2BIG"]);

function createWithout(request: sys.MapCreateRequest, place: string, first: sys.SyscallError): sys.Fd {
  try {
    return create(request, place);
  } catch {
    // It was not the types: what the kernel said first is what is wrong.
    throw first;
  }
}

function create(request: sys.MapCreateRequest, place: string): sys.Fd {
  try {
    return sys.mapCreate(request);
  } catch (error) {
    throw error instanceof sys.SyscallError ? error.at(place) : error;
  }
}

/** 0 in a perf event array stands for one entry per possible CPU; a ring buffer is a power of 2 of this kernel's pages. */
export function maxEntries(spec: MapSpec): number {
  if (spec.type === BpfMapType.BPF_MAP_TYPE_PERF_EVENT_ARRAY && spec.maxEntries === 0) return sys.possibleCpus();
  return isRingBuffer(spec.type) ? ringBufferSize(spec.maxEntries, sys.pageSize()) : spec.maxEntries;
}
