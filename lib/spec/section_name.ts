/**
 * From the name of a program's section to the kind of program.
 *
 * @module
 */
import { BpfAttachType, BpfProgFlag, BpfProgType } from "../uapi/mod.ts";
import { SECTION_TABLE, type SectionRow } from "./section_table.ts";
import type { ProgramSpec } from "./types.ts";

/** What a section's name says about the programs in it: fields of their {@linkcode ProgramSpec}. */
export type SectionMeaning = Pick<
  ProgramSpec,
  | "section"
  | "type"
  | "expectedAttachType"
  | "expectedAttachTypeOptional"
  | "attach"
  | "attachTo"
  | "attachByBtf"
  | "sleepable"
  | "flags"
  | "autoload"
  | "autoAttach"
>;

/** Rows by the name they match, so that an object of hundreds of programs does not search the table for each. */
const EXACT: ReadonlyMap<string, SectionRow> = firstByName((row) => !row.pattern.endsWith("+"));
const WITH_REST: ReadonlyMap<string, SectionRow> = firstByName((row) => row.pattern.endsWith("+"));

function firstByName(wanted: (row: SectionRow) => boolean): Map<string, SectionRow> {
  const byName = new Map<string, SectionRow>();
  for (const row of SECTION_TABLE) {
    const name = row.pattern.replace("+", "");
    if (wanted(row) && !byName.has(name)) byName.set(name, row);
  }
  return byName;
}

/**
 * What the section name `name` says; of a name that is in no row, the type is `BPF_PROG_TYPE_UNSPEC`. A leading `?`
 * means: not loaded unless asked for.
 */
export function sectionMeaning(name: string): SectionMeaning {
  const autoload = !name.startsWith("?");
  const section = autoload ? name : name.slice(1);
  const slash = section.indexOf("/");
  const head = slash < 0 ? section : section.slice(0, slash);
  const attachTo = slash < 0 ? "" : section.slice(slash + 1);
  const row = EXACT.get(section) ?? WITH_REST.get(head);
  const has = (flag: SectionRow["flags"][number]) => row !== undefined && row.flags.includes(flag);
  return {
    section,
    type: row === undefined ? BpfProgType.BPF_PROG_TYPE_UNSPEC : BpfProgType[`BPF_PROG_TYPE_${row.type}`],
    expectedAttachType: row?.expected === undefined ? 0 : BpfAttachType[`BPF_${row.expected}`],
    expectedAttachTypeOptional: has("optional"),
    attach: row?.attach,
    attachTo,
    attachByBtf: has("btf"),
    sleepable: has("sleepable"),
    flags: (has("sleepable") ? BpfProgFlag.BPF_F_SLEEPABLE : 0) | (has("frags") ? BpfProgFlag.BPF_F_XDP_HAS_FRAGS : 0),
    autoload,
    autoAttach: has("auto") && attachTo !== "",
  };
}
