/**
 * What an object file describes, as plain data: maps, programs, functions, variables. A user may edit all of it before
 * loading; loading never changes it, so one collection can be loaded many times and for many kernels.
 *
 * @module
 */
import type { ByteOrder } from "../bytes.ts";
import type { Instruction, Label } from "../asm/mod.ts";
import type { Btf, BtfType, DatasecType, StructType, Value } from "../btf/mod.ts";
import type { BpfAttachType, BpfMapType, BpfProgType } from "../uapi/mod.ts";

/** An object file that was read. */
export interface CollectionSpec {
  /** The file's base name up to its first dot: it begins the names of the maps that hold global data. */
  name: string;
  /** Order of bytes of instructions, BTF and data. */
  order: ByteOrder;
  /** Text of the `license` section; empty without one. */
  license: string;
  /** `LINUX_VERSION_CODE` of the `version` section (kernels before 5.0 compare it for kprobes); 0 without one. */
  kernelVersion: number;
  /** The object's types; `undefined` if it was built without `-g`. */
  btf: Btf | undefined;
  /** Maps by name, in the order in which libbpf creates them: declared ones, then global data. */
  maps: Map<string, MapSpec>;
  /** Programs by the name of their function, in the order of the file. */
  programs: Map<string, ProgramSpec>;
  /** Functions of `.text`: the linker appends those that a program reaches. */
  functions: FunctionSpec[];
  /** Global variables by name; of static variables that share a name only the first is here. */
  variables: Map<string, VariableSpec>;
  /**
   * What the object expects from outside, by name: options of the kernel's configuration, kernel symbols and functions, in
   * the order in which libbpf numbers them; then what other objects define.
   */
  externs: Map<string, ExternSpec>;
}

/** Where a map is pinned when it is created: nowhere, or under its name in the BPF file system. */
export type MapPinning = "none" | "by-name";

/** A declared element of a map that holds maps or programs. */
export interface MapContent {
  /** Index in the `values` array, which is the key. */
  index: number;
  /** What the element is. */
  kind: "map" | "program";
  /** Name of the map or program in the collection. */
  name: string;
}

/** A map to be created. */
export interface MapSpec {
  /** Name in the collection: the variable's, or for global data the name that libbpf gives it: `"execsnoo.rodata"`. */
  name: string;
  /** Name given to the kernel if it is not `name` cut to 15 bytes. */
  kernelName?: string | undefined;
  /** `BPF_MAP_TYPE_*`. */
  type: BpfMapType;
  /** Size of a key in bytes. */
  keySize: number;
  /** Size of a value in bytes. */
  valueSize: number;
  /** Number of elements; bytes for ring buffers. 0 in a `BPF_MAP_TYPE_PERF_EVENT_ARRAY` stands for one per possible CPU. */
  maxEntries: number;
  /** `BPF_F_*` flags of `BPF_MAP_CREATE`. */
  flags: number;
  /** `map_extra`: number of hashes of a bloom filter, address of an arena. */
  extra: bigint;
  /** NUMA node to allocate from; counts only with `BPF_F_NUMA_NODE` in `flags`. */
  numaNode?: number | undefined;
  /** Where it is pinned. */
  pinning: MapPinning;
  /** What the maps inside are like, for maps in maps. */
  inner?: MapSpec | undefined;
  /** Type of a key, where the declaration says it. */
  key?: BtfType | undefined;
  /** Type of a value, where the declaration says it; for global data the `BTF_KIND_DATASEC`. */
  value?: BtfType | undefined;
  /** Initial bytes of the only value, for global data. */
  data?: Uint8Array | undefined;
  /** Programs may only read it: filled, then frozen, before programs are verified. */
  readOnly: boolean;
  /** The section that it stands for, for global data: `".rodata"`. */
  section?: string | undefined;
  /** Declared elements of a map of maps or programs. */
  contents: MapContent[];
  /** Texts of `btf_decl_tag`s on the declaration. */
  tags: string[];
  /** Is it created with the collection: by default; not for `SEC("?.struct_ops")`. */
  autocreate?: boolean | undefined;
  /** The variables that lie in it, for `BPF_MAP_TYPE_ARENA`. */
  arena?: ArenaSpec | undefined;
  /** The kernel struct that it holds, for `BPF_MAP_TYPE_STRUCT_OPS`. */
  structOps?: StructOpsSpec | undefined;
}

/** Variables that lie in an arena. */
export interface ArenaSpec {
  /** Their initial bytes. */
  data: Uint8Array;
  /** Which they are, where BTF says so. */
  variables?: DatasecType | undefined;
  /** Where in the arena they begin, in bytes: what a kernel is given decides, and changes it in a copy. */
  offset: number;
}

/**
 * The value of a struct_ops map: members of the struct by name. A pointer to a function is the name of a program or `null`, any
 * other pointer `null`; other members are values as everywhere.
 */
export interface StructOpsValue {
  /** A member. */
  [member: string]: Value | null;
}

/** A kernel struct that programs implement. */
export interface StructOpsSpec {
  /**
   * The struct as the object declares it: it may leave out members of the kernel's, order them otherwise, have a flavour
   * (`tcp_congestion_ops___mine`), and have members that are not in the kernel as long as they are zero.
   */
  readonly type: StructType;
  /** Its value, to be edited before loading. */
  value: StructOpsValue;
  /** Names of the programs that the declaration puts into it: they are loaded if a map that is created uses them. */
  programs: string[];
}

/** The way in which a program is attached, as its section name tells. */
export type AttachKind =
  | "kprobe"
  | "kretprobe"
  | "ksyscall"
  | "kretsyscall"
  | "kprobe_multi"
  | "kretprobe_multi"
  | "kprobe_session"
  | "uprobe"
  | "uretprobe"
  | "uprobe_multi"
  | "uretprobe_multi"
  | "uprobe_session"
  | "usdt"
  | "tracepoint"
  | "raw_tracepoint"
  | "trace"
  | "trace_multi"
  | "freplace"
  | "lsm"
  | "lsm_cgroup"
  | "iter"
  | "tcx"
  | "netkit"
  | "tc"
  | "action"
  | "xdp"
  | "cgroup"
  | "struct_ops"
  | "syscall"
  | "netfilter"
  | "sk_lookup"
  | "sk_reuseport"
  | "sk_skb"
  | "sk_msg"
  | "sock_ops"
  | "socket_filter"
  | "perf_event"
  | "lwt"
  | "lirc"
  | "flow_dissector";

/** A program to be loaded. */
export interface ProgramSpec {
  /** Name of its function. */
  name: string;
  /** Its section, without the `?`. */
  section: string;
  /** `BPF_PROG_TYPE_*`; `BPF_PROG_TYPE_UNSPEC` if the section name says nothing: to be set before loading. */
  type: BpfProgType;
  /** `BPF_*` attach type that the kernel is told at load; 0 where there is none to tell. */
  expectedAttachType: BpfAttachType | 0;
  /** A kernel that does not know `expectedAttachType` may be given 0. */
  expectedAttachTypeOptional: boolean;
  /** The section name after its first `/`: what it is attached to; empty without one. */
  attachTo: string;
  /** How it is attached; `undefined` if the section name says nothing. */
  attach: AttachKind | undefined;
  /** The kernel is told at load, by BTF id, what it will be attached to. */
  attachByBtf: boolean;
  /** May it sleep (`BPF_F_SLEEPABLE` is in `flags`). */
  sleepable: boolean;
  /** `BPF_F_*` flags of `BPF_PROG_LOAD`. */
  flags: number;
  /** Is it loaded with the collection: not for a section whose name begins with `?`. */
  autoload: boolean;
  /** Is it attached with the collection: its section name tells all that is needed. */
  autoAttach: boolean;
  /** The label of its first instruction. */
  label: Label;
  /**
   * Its instructions before linking. `LABEL` is on the first, `REFERENCE` on calls and function pointers, `MAP` and
   * `EXTERN` on 64-bit loads and calls, `FUNC_INFO`, `SOURCE` and `CORE_RELOCATION` wherever `.BTF.ext` says so.
   */
  instructions: readonly Instruction[];
}

/** A function that programs call. */
export interface FunctionSpec {
  /** The label of its first instruction. */
  label: Label;
  /** Its section: `".text"`. */
  section: string;
  /** Its instructions before linking; metadata as in {@linkcode ProgramSpec}. */
  instructions: readonly Instruction[];
}

/** A global variable. */
export interface VariableSpec {
  /** Its name. */
  readonly name: string;
  /** Name of the map that holds it. */
  readonly map: string;
  /** Offset in bytes in the map's value; in an arena from the first variable on. */
  readonly offset: number;
  /** Size in bytes. */
  readonly size: number;
  /** Its type; may be `const` or `volatile`. */
  readonly type: BtfType;
  /** Programs may only read it. */
  readonly readOnly: boolean;
  /** Its initial value, decoded from the map's `data`. */
  get(): Value;
  /**
   * Changes its initial value in the map's `data`.
   *
   * @throws {TypeError} if `value` does not fit the variable's type.
   * @throws {RangeError} if a number does not fit.
   */
  set(value: Value): void;
}

/**
 * What an extern is: an option of the kernel's configuration, the address of a kernel symbol, a kernel variable, a kernel
 * function; or something that another object file defines: a map, a variable, a function; `unknown` without BTF.
 */
export type ExternKind = "kconfig" | "ksym" | "ksym_var" | "kfunc" | "map" | "variable" | "function" | "unknown";

/**
 * What an option of the kernel's configuration is read as: `y` and `n`; `y`, `m` and `n` as libbpf's `enum libbpf_tristate`;
 * the letter itself, or a number of a byte; a number; a text in quotes.
 */
export type KconfigValueKind = "bool" | "tristate" | "char" | "int" | "text";

/** Where the value of an option lies, and how. */
export interface KconfigSlot {
  /** Name of the map, which holds nothing else. */
  readonly map: string;
  /** Offset in bytes in the map's value. */
  readonly offset: number;
  /** Size in bytes. */
  readonly size: number;
  /** What is read of it. */
  readonly kind: KconfigValueKind;
  /** May the number be negative. */
  readonly signed: boolean;
}

/** Something that the object expects from outside. */
export interface ExternSpec {
  /** Its name. */
  name: string;
  /** What it is. */
  kind: ExternKind;
  /** The section that its declaration names: `".kconfig"`, `".ksyms"`; empty if BTF does not know it. */
  section: string;
  /** May it be missing. */
  weak: boolean;
  /** Type of the variable or function, where BTF knows it. */
  type?: BtfType | undefined;
  /** Where its value goes, for an option of the kernel's configuration. */
  kconfig?: KconfigSlot | undefined;
}
