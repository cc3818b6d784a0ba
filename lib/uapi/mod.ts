/**
 * The kernel's user-space interface: enums and flags of linux/bpf.h, linux/btf.h and linux/perf_event.h.
 *
 * An enum is a const object whose keys are the kernel's names, and a union type of the same name. Numbers never change
 * from one kernel to the next; a newer kernel may know more.
 *
 * @module
 */
export * from "./attach_flags.ts";
export * from "./bpf_attach_type.ts";
export * from "./bpf_cgroup_iter_order.ts";
export * from "./bpf_cmd.ts";
export * from "./bpf_core_relo_kind.ts";
export * from "./bpf_func_id.ts";
export * from "./bpf_link_type.ts";
export * from "./bpf_map_type.ts";
export * from "./bpf_perf_event_type.ts";
export * from "./bpf_prog_type.ts";
export * from "./bpf_stats_type.ts";
export * from "./bpf_stream_id.ts";
export * from "./bpf_task_fd_type.ts";
export * from "./btf.ts";
export * from "./btf_kind.ts";
export * from "./enum_name.ts";
export * from "./helper.ts";
export * from "./limits.ts";
export * from "./map_flags.ts";
export * from "./map_kinds.ts";
export * from "./opcode.ts";
export * from "./perf_event.ts";
export * from "./prog_flags.ts";
export * from "./program_result.ts";
export * from "./pseudo.ts";
export * from "./ring_buffer.ts";
