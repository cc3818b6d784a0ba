/**
 * What has to be equal between libbpf and us, out of what each prints: without the numbers that differ by nature.
 *
 * An fd of a map is a number of one process, so the map's name stands for it; libbpf's maps of jump tables are in no list of
 * its maps, so ours say where they are. A local type id is a number in the BTF
 * that is loaded, which each builds for itself, so the type's name stands for it; likewise the type ids and string
 * offsets of func and line infos.
 *
 * @module
 */
import type { Btf } from "../../lib/btf/mod.ts";
import type { DataLine, MapLine, ProgErrorLine, ProgLine, RelocateLine, RelocateOutput } from "../support/oracle.ts";

/** A program without what differs by nature. */
export interface NormalProgram {
  readonly name: string;
  readonly section: string;
  readonly prog_type: number;
  readonly expected_attach_type: number;
  readonly attach_btf_id: number;
  readonly prog_flags: number;
  readonly insn_cnt: number;
  /** One text a slot: hex, with the names of maps and local types for their numbers. */
  readonly insns: readonly string[];
  /** Slots at which functions begin. */
  readonly func_info: readonly number[];
  /** `slot line:column`. */
  readonly line_info: readonly string[];
}

/** All that has to be equal. */
export interface NormalForm {
  readonly code: number;
  readonly maps: readonly MapLine[];
  readonly data: readonly DataLine[];
  readonly programs: readonly NormalProgram[];
  /** Names and sections of programs that failed. */
  readonly failures: readonly string[];
}

const SLOT_DIGITS = 16;
/** `struct bpf_insn`: the immediate is the second half of a slot. */
const IMM_DIGIT = 8;

/** The records of func_info or line_info as 32-bit words. */
export function records(hex: string, wordsPerRecord: number): number[][] {
  const bytes = Uint8Array.fromHex(hex);
  const view = new DataView(bytes.buffer);
  const found: number[][] = [];
  for (let at = 0; at < bytes.length; at += wordsPerRecord * 4) {
    found.push(Array.from({ length: wordsPerRecord }, (_, word) => view.getUint32(at + word * 4, true)));
  }
  return found;
}

/** Gives the name of the local type of an id. */
export type LocalName = (id: number) => string;

function normalProgram(
  line: ProgLine,
  localSlots: ReadonlyMap<number, string>,
  jumpTables: readonly number[],
  localName?: LocalName,
): NormalProgram {
  const insns = Array.from(
    { length: line.insns.length / SLOT_DIGITS },
    (_, slot) => line.insns.slice(slot * SLOT_DIGITS, (slot + 1) * SLOT_DIGITS),
  );
  const rename = (slot: number, name: string) => insns[slot] = `${insns[slot]!.slice(0, IMM_DIGIT)} ${name}`;
  for (const { insn, map } of line.map_refs) rename(insn, `map ${map}`);
  for (const slot of jumpTables) rename(slot, "jump table");
  for (const [slot, name] of localSlots) {
    const id = new DataView(Uint8Array.fromHex(insns[slot]!).buffer).getUint32(4, true);
    rename(slot, `type ${localName === undefined ? name : localName(id)}`);
  }
  const { name, section, prog_type, expected_attach_type, attach_btf_id, prog_flags, insn_cnt } = line;
  return {
    name,
    section,
    prog_type,
    expected_attach_type,
    attach_btf_id,
    prog_flags,
    insn_cnt,
    insns,
    func_info: records(line.func_info, 2).map(([slot]) => slot!),
    // struct bpf_line_info: insn_off, file_name_off, line_off, line_col (line << 10 | column).
    line_info: records(line.line_info, 4).map(([slot, , , at]) => `${slot} ${at! >>> 10}:${at! & 0x3ff}`),
  };
}

/** Where each program of ours refers to a jump table. */
function jumpTables(lines: readonly RelocateLine[]): Map<string, number[]> {
  const programs = new Map<string, number[]>();
  for (const line of lines) {
    if (line.kind !== "prog") continue;
    programs.set(line.name, line.map_refs.filter(({ map }) => map === ".jumptables").map(({ insn }) => insn));
  }
  return programs;
}

/** Where each program of ours has local type ids, and the names of those types. */
function localSlots(lines: readonly RelocateLine[]): Map<string, Map<number, string>> {
  const programs = new Map<string, Map<number, string>>();
  for (const line of lines) {
    if (line.kind !== "prog") continue;
    const local = (line.type_refs ?? []).filter(({ kind }) => kind === "local");
    programs.set(line.name, new Map(local.map(({ insn, name }) => [insn, name])));
  }
  return programs;
}

function normalForm(
  output: RelocateOutput,
  local: ReadonlyMap<string, ReadonlyMap<number, string>>,
  tables: ReadonlyMap<string, readonly number[]>,
  localName?: LocalName,
): NormalForm {
  const { code, lines } = output;
  const programs = lines.filter((line): line is ProgLine => line.kind === "prog");
  return {
    code,
    maps: lines.filter((line): line is MapLine => line.kind === "map").map((map) => ({
      kind: "map",
      name: map.name,
      type: map.type,
      key_size: map.key_size,
      value_size: map.value_size,
      max_entries: map.max_entries,
      map_flags: map.map_flags,
      map_extra: map.map_extra,
      btf_vmlinux_value_type_id: map.btf_vmlinux_value_type_id,
      has_inner: map.has_inner,
    })),
    data: lines.filter((line): line is DataLine => line.kind === "data"),
    programs: programs.map((line) =>
      normalProgram(line, local.get(line.name) ?? new Map(), tables.get(line.name) ?? [], localName)
    )
      .sort((a, b) => a.name < b.name ? -1 : 1),
    failures: lines.filter((line): line is ProgErrorLine => line.kind === "prog_error")
      .map(({ name, section }) => `${name} (${section})`).sort(),
  };
}

/**
 * Ours and libbpf's, ready to be compared.
 *
 * @param ours What `debpf relocate -j` printed.
 * @param theirs What the oracle printed about the same object.
 * @param btf The object's own BTF, which libbpf's local type ids are of.
 */
export function normalForms(
  ours: RelocateOutput,
  theirs: RelocateOutput,
  btf: Btf | undefined,
): { ours: NormalForm; theirs: NormalForm } {
  const local = localSlots(ours.lines);
  const tables = jumpTables(ours.lines);
  return {
    ours: normalForm(ours, local, tables),
    theirs: normalForm(theirs, local, tables, (id) => btf === undefined ? "" : btf.nameOf(id)),
  };
}
