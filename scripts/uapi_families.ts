/**
 * Which enums and macros of the kernel lib/uapi has, under which names: the table that scripts/gen_uapi.ts reads.
 *
 * @module
 */

/** One const object, and the union type of its values. */
export interface Family {
  /** Its name in TypeScript. */
  readonly name: string;
  /** Its docstring. */
  readonly doc: string;
  /** The kernel's name of the enum. */
  readonly enum?: string;
  /** A value of the enum, where the kernel gives the enum no name. */
  readonly enumWith?: string;
  /** The macros it is made of, where the kernel has no enum. */
  readonly macros?: readonly string[];
  /** Flags read better as hexadecimal numbers. */
  readonly hex?: true;
}

/** One file of lib/uapi. */
export interface UapiFile {
  /** Its name. */
  readonly name: string;
  /** The first line of its docstring. */
  readonly doc: string;
  /** What is in it. */
  readonly families: readonly Family[];
}

/** One enum, in a file of the same name. */
function enumFile(enumName: string, doc: string): UapiFile {
  const name = enumName.replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
  const families = [{ name, doc: `${doc} (\`enum ${enumName}\`).`, enum: enumName }];
  return { name: `${enumName}.ts`, doc: `\`enum ${enumName}\` (linux/bpf.h).`, families };
}

function words(text: string, prefix = ""): string[] {
  return text.trim().split(/\s+/).map((word) => prefix + word);
}

/** All generated files; mod.ts, btf_kind.ts, enum_name.ts and helper.ts are written by hand. */
export const FILES: readonly UapiFile[] = [
  enumFile("bpf_cmd", "Commands of bpf(2)"),
  enumFile("bpf_map_type", "Types of maps"),
  enumFile("bpf_prog_type", "Types of programs"),
  enumFile("bpf_attach_type", "What a program is attached to, and its `expected_attach_type`"),
  enumFile("bpf_link_type", "Types of links"),
  enumFile("bpf_func_id", "Numbers of the helpers that a program calls"),
  enumFile("bpf_core_relo_kind", "Kinds of CO-RE relocations"),
  enumFile("bpf_stats_type", "Statistics that BPF_ENABLE_STATS turns on"),
  enumFile("bpf_cgroup_iter_order", "In which order a cgroup iterator walks"),
  enumFile("bpf_task_fd_type", "What BPF_TASK_FD_QUERY finds behind a perf event"),
  enumFile("bpf_perf_event_type", "What a link of a perf event is on"),
  enumFile("bpf_stream_id", "Streams of a program that BPF_PROG_STREAM_READ_BY_FD reads"),
  {
    name: "map_flags.ts",
    doc: "Flags of map commands (linux/bpf.h).",
    families: [
      { name: "BpfMapFlag", doc: "`map_flags` of BPF_MAP_CREATE.", enumWith: "BPF_F_NO_PREALLOC", hex: true },
      { name: "BpfUpdateFlag", doc: "`flags` of lookups and updates of elements.", enumWith: "BPF_NOEXIST", hex: true },
    ],
  },
  {
    name: "prog_flags.ts",
    doc: "Flags of BPF_PROG_LOAD and BPF_PROG_TEST_RUN (linux/bpf.h).",
    families: [
      {
        name: "BpfProgFlag",
        doc: "`prog_flags` of BPF_PROG_LOAD. A token is BPF_F_TOKEN_FD of {@linkcode BpfMapFlag}'s enum.",
        macros: words(
          "STRICT_ALIGNMENT ANY_ALIGNMENT TEST_RND_HI32 TEST_STATE_FREQ SLEEPABLE XDP_HAS_FRAGS XDP_DEV_BOUND_ONLY TEST_REG_INVARIANTS",
          "BPF_F_",
        ),
        hex: true,
      },
      {
        name: "BpfTestRunFlag",
        doc: "`flags` of BPF_PROG_TEST_RUN.",
        macros: words("RUN_ON_CPU XDP_LIVE_FRAMES SKB_CHECKSUM_COMPLETE", "BPF_F_TEST_"),
        hex: true,
      },
    ],
  },
  {
    name: "attach_flags.ts",
    doc: "Flags of attaching (linux/bpf.h).",
    families: [
      {
        name: "BpfAttachFlag",
        doc: "`attach_flags` of BPF_PROG_ATTACH, and `flags` of links to cgroups, tcx and netkit.",
        macros: words("ALLOW_OVERRIDE ALLOW_MULTI REPLACE BEFORE AFTER ID PREORDER LINK", "BPF_F_"),
        hex: true,
      },
      {
        name: "BpfQueryFlag",
        doc: "`query_flags` of BPF_PROG_QUERY.",
        macros: ["BPF_F_QUERY_EFFECTIVE"],
        hex: true,
      },
      {
        name: "BpfKprobeMultiFlag",
        doc: "`kprobe_multi.flags` of BPF_LINK_CREATE.",
        enumWith: "BPF_F_KPROBE_MULTI_RETURN",
        hex: true,
      },
      {
        name: "BpfUprobeMultiFlag",
        doc: "`uprobe_multi.flags` of BPF_LINK_CREATE.",
        enumWith: "BPF_F_UPROBE_MULTI_RETURN",
        hex: true,
      },
      {
        name: "BpfNetfilterFlag",
        doc: "`netfilter.flags` of BPF_LINK_CREATE.",
        macros: ["BPF_F_NETFILTER_IP_DEFRAG"],
        hex: true,
      },
    ],
  },
  {
    name: "ring_buffer.ts",
    doc: "Ring buffers (linux/bpf.h).",
    families: [
      {
        name: "BpfRingbuf",
        doc: "Layout of a record's header: bits of its length, and the header's size in bytes.",
        enumWith: "BPF_RINGBUF_BUSY_BIT",
        hex: true,
      },
      {
        name: "BpfRingbufFlag",
        doc: "`flags` of bpf_ringbuf_submit, _discard and _output.",
        enumWith: "BPF_RB_NO_WAKEUP",
        hex: true,
      },
      { name: "BpfRingbufQuery", doc: "`flags` of bpf_ringbuf_query.", enumWith: "BPF_RB_AVAIL_DATA" },
      {
        name: "BpfPerfOutputFlag",
        doc: "`flags` of bpf_perf_event_output: an index in the map, or the current CPU.",
        enumWith: "BPF_F_INDEX_MASK",
        hex: true,
      },
    ],
  },
  {
    name: "opcode.ts",
    doc: "Parts of a BPF instruction's opcode (linux/bpf_common.h, linux/bpf.h).",
    families: [
      {
        name: "BpfClass",
        doc: "Instruction classes: the opcode's low 3 bits.",
        macros: words("LD LDX ST STX ALU JMP JMP32 ALU64", "BPF_"),
        hex: true,
      },
      {
        name: "BpfSize",
        doc: "Sizes of loads and stores: bits 3 and 4 of the opcode.",
        macros: words("W H B DW", "BPF_"),
        hex: true,
      },
      {
        name: "BpfMode",
        doc: "Modes of loads and stores: the opcode's high 3 bits.",
        macros: words("IMM ABS IND MEM MEMSX ATOMIC", "BPF_"),
        hex: true,
      },
      {
        name: "BpfAluOp",
        doc: "Operations of the classes ALU and ALU64: the opcode's high 4 bits.",
        macros: words("ADD SUB MUL DIV OR AND LSH RSH NEG MOD XOR MOV ARSH END", "BPF_"),
        hex: true,
      },
      {
        name: "BpfJmpOp",
        doc: "Operations of the classes JMP and JMP32: the opcode's high 4 bits.",
        macros: words("JA JEQ JGT JGE JSET JNE JSGT JSGE CALL EXIT JLT JLE JSLT JSLE JCOND", "BPF_"),
        hex: true,
      },
      {
        name: "BpfSource",
        doc: "Where the second operand comes from: bit 3 of the opcode. K: the immediate, X: the source register.",
        macros: words("K X", "BPF_"),
        hex: true,
      },
      {
        name: "BpfEndian",
        doc: "Direction of BPF_END, in the place of the operand's source.",
        macros: words("TO_LE TO_BE", "BPF_"),
        hex: true,
      },
      {
        name: "BpfAtomicOp",
        doc: "The immediate of an atomic instruction, beside BPF_ADD, BPF_AND, BPF_OR and BPF_XOR.",
        macros: words("FETCH XCHG CMPXCHG LOAD_ACQ STORE_REL", "BPF_"),
        hex: true,
      },
    ],
  },
  {
    name: "pseudo.ts",
    doc: "Meanings of an instruction's source register where it names no register (linux/bpf.h).",
    families: [
      {
        name: "BpfPseudo",
        doc: "`src_reg` of a 64-bit immediate load (MAP_*, BTF_ID, FUNC) and of a call (CALL, KFUNC_CALL).",
        macros: words("MAP_FD MAP_VALUE BTF_ID FUNC MAP_IDX MAP_IDX_VALUE CALL KFUNC_CALL", "BPF_PSEUDO_"),
      },
    ],
  },
  {
    name: "limits.ts",
    doc: "Fixed lengths (linux/bpf.h).",
    families: [
      {
        name: "BpfLength",
        doc: "Lengths in bytes: of an object's name with its final NUL, of a program's tag, of a build id.",
        macros: words("OBJ_NAME_LEN TAG_SIZE BUILD_ID_SIZE", "BPF_"),
      },
    ],
  },
  {
    name: "btf.ts",
    doc: "Constants of the BTF format (linux/btf.h).",
    families: [
      { name: "BtfFormat", doc: "What a BTF header begins with.", macros: words("MAGIC VERSION", "BTF_"), hex: true },
      {
        name: "BtfMax",
        doc: "Limits of what BTF can hold.",
        macros: words("KIND TYPE NAME_OFFSET VLEN", "BTF_MAX_"),
        hex: true,
      },
      {
        name: "BtfIntEncoding",
        doc: "How an integer is meant.",
        macros: words("SIGNED CHAR BOOL", "BTF_INT_"),
        hex: true,
      },
      {
        name: "BtfVarLinkage",
        doc: "Linkage of a variable.",
        macros: words("BTF_VAR_STATIC BTF_VAR_GLOBAL_ALLOCATED BTF_VAR_GLOBAL_EXTERN"),
      },
      {
        name: "BtfFuncLinkage",
        doc: "Linkage of a function.",
        macros: words("STATIC GLOBAL EXTERN", "BTF_FUNC_"),
      },
    ],
  },
  {
    name: "program_result.ts",
    doc: "What programs return (linux/bpf.h, linux/if_link.h).",
    families: [
      { name: "XdpAction", doc: "Result of an XDP program (`enum xdp_action`).", enum: "xdp_action" },
      { name: "TcxAction", doc: "Result of a tcx program (`enum tcx_action_base`).", enum: "tcx_action_base" },
      { name: "NetkitAction", doc: "Result of a netkit program (`enum netkit_action`).", enum: "netkit_action" },
      { name: "SkAction", doc: "Result of an sk_skb or sk_msg program (`enum sk_action`).", enum: "sk_action" },
      {
        name: "BpfRetCode",
        doc: "Result of an lwt, lirc or flow dissector program (`enum bpf_ret_code`).",
        enum: "bpf_ret_code",
      },
    ],
  },
  {
    name: "perf_event.ts",
    doc:
      "perf_event_open(2) (linux/perf_event.h). The ioctl numbers are those of all but alpha, mips, parisc, powerpc and sparc.",
    families: [
      { name: "PerfType", doc: "`type` of `struct perf_event_attr` (`enum perf_type_id`).", enum: "perf_type_id" },
      { name: "PerfSoftware", doc: "`config` of a software event (`enum perf_sw_ids`).", enum: "perf_sw_ids" },
      { name: "PerfHardware", doc: "`config` of a hardware event (`enum perf_hw_id`).", enum: "perf_hw_id" },
      {
        name: "PerfSample",
        doc: "`sample_type` (`enum perf_event_sample_format`).",
        enum: "perf_event_sample_format",
        hex: true,
      },
      {
        name: "PerfReadFormat",
        doc: "`read_format` (`enum perf_event_read_format`).",
        enum: "perf_event_read_format",
        hex: true,
      },
      {
        name: "PerfRecord",
        doc: "Types of records in a perf buffer (`enum perf_event_type`).",
        enum: "perf_event_type",
      },
      {
        name: "PerfIoctl",
        doc: "ioctl(2) requests on a perf event.",
        macros: words(
          "ENABLE DISABLE REFRESH RESET PERIOD SET_OUTPUT SET_FILTER ID SET_BPF PAUSE_OUTPUT QUERY_BPF",
          "PERF_EVENT_IOC_",
        ),
        hex: true,
      },
      {
        name: "PerfFlag",
        doc: "`flags` of perf_event_open(2).",
        macros: words("FD_NO_GROUP FD_OUTPUT PID_CGROUP FD_CLOEXEC", "PERF_FLAG_"),
        hex: true,
      },
      {
        name: "PerfAttrSize",
        doc: "Sizes of `struct perf_event_attr` in bytes, by version.",
        macros: Array.from({ length: 10 }, (_, version) => `PERF_ATTR_SIZE_VER${version}`),
      },
    ],
  },
];
