/**
 * What libbpf would hand to bpf(2) for an object: the lines that tests/peer/libbpf_oracle.c prints. `debpf relocate -j`
 * prints lines of the same shape.
 *
 * @module
 */
import { oraclePath } from "./paths.ts";
import { run } from "./process.ts";

/** A map as `BPF_MAP_CREATE` gets it. */
export interface MapLine {
  readonly kind: "map";
  /** Cut to 15 bytes. */
  readonly name: string;
  readonly type: number;
  readonly key_size: number;
  readonly value_size: number;
  readonly max_entries: number;
  readonly map_flags: number;
  readonly map_extra: number;
  readonly btf_vmlinux_value_type_id: number;
  readonly has_inner: boolean;
}

/** The initial value of a map of global data. */
export interface DataLine {
  readonly kind: "data";
  /** Full name. */
  readonly map: string;
  /** In hex. */
  readonly value: string;
}

/** A program as `BPF_PROG_LOAD` gets it. */
export interface ProgLine {
  readonly kind: "prog";
  readonly name: string;
  readonly section: string;
  readonly prog_type: number;
  readonly expected_attach_type: number;
  readonly attach_btf_id: number;
  readonly prog_flags: number;
  readonly insn_cnt: number;
  /** In hex. */
  readonly insns: string;
  /** `struct bpf_func_info` records of 8 bytes, in hex. */
  readonly func_info: string;
  /** `struct bpf_line_info` records of 16 bytes, in hex. */
  readonly line_info: string;
  /** Instructions whose first immediate is a map's fd. */
  readonly map_refs: readonly { readonly insn: number; readonly map: string }[];
  /** Instructions whose immediate is a type id: only ours says so. */
  readonly type_refs?: readonly {
    readonly insn: number;
    readonly kind: "local" | "target";
    readonly name: string;
  }[];
}

/** A program that cannot be made ready. */
export interface ProgErrorLine {
  readonly kind: "prog_error";
  readonly name: string;
  readonly section: string;
  /** Why: only ours says so. */
  readonly error?: string;
}

/** The last line. */
export interface EndLine {
  readonly kind: "end";
  readonly programs: number;
  readonly errors: number;
}

/** One line. */
export type RelocateLine = MapLine | DataLine | ProgLine | ProgErrorLine | EndLine;

/** All that was printed about an object. */
export interface RelocateOutput {
  /** 0: all programs are ready; 1: one is not, or the object cannot be opened. */
  readonly code: number;
  readonly lines: readonly RelocateLine[];
}

/**
 * Asks libbpf.
 *
 * @param object Path of the object.
 * @param btf Path of the raw BTF that CO-RE is resolved against; by default the running kernel's.
 */
export async function runOracle(object: string, btf?: string): Promise<RelocateOutput> {
  const { code, stdout, stderr } = await run(oraclePath(), btf === undefined ? [object] : [object, btf]);
  if (code > 1) throw new Error(`the oracle ended with ${code} on ${object}: ${stderr}`);
  return { code, lines: parseLines(stdout) };
}

/** The lines of a text. */
export function parseLines(text: string): RelocateLine[] {
  return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as RelocateLine);
}
