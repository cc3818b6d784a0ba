/**
 * `debpf inspect`: what is in an object file. Needs no kernel.
 *
 * @module
 */
import { CORE_RELOCATION } from "../lib/btf/mod.ts";
import { slotCount } from "../lib/asm/mod.ts";
import type { Instruction } from "../lib/asm/mod.ts";
import type { CollectionNeeds, Need, ProgramNeeds } from "../lib/spec/needs/mod.ts";
import type { CollectionSpec, MapSpec, ProgramSpec } from "../lib/spec/mod.ts";
import { collectionNeeds } from "../lib/spec/needs/mod.ts";
import { findEventTypes } from "../lib/spec/mod.ts";
import { attachTypeName, coreRelocationName, mapTypeName, programTypeName } from "./kernel_names.ts";
import { readArgs } from "./args.ts";
import { type Command, EXIT } from "./command.ts";
import { resolvedExterns } from "./externs.ts";
import { readObject } from "./object_file.ts";
import { type Output, toJson } from "./output.ts";
import { type Column, tableLines } from "./table.ts";
import { describeType } from "../lib/core/mod.ts";

/** The command. */
export const command: Command = {
  usage: `usage: debpf inspect OBJECT

Prints the programs, maps, variables, externs and CO-RE relocations of an object file, the types of its events, and
what it needs of a kernel: the oldest one that can run it, and why. With FFI allowed, also what its externs are in the
running kernel.`,
  async run(args, { output }) {
    const { positional } = readArgs(args, { positional: ["OBJECT"] });
    const spec = await readObject(positional[0] ?? "");
    const resolved = await resolvedExterns(spec);
    if (output.json) output.value(inspectJson(spec, resolved));
    else print(spec, resolved, output);
    return EXIT.done;
  },
};

/** Number of CO-RE relocations of each kind. */
function coreCounts(insns: readonly Instruction[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const insn of insns) {
    const relocation = insn.get(CORE_RELOCATION);
    if (relocation === undefined) continue;
    const name = coreRelocationName(relocation.kind);
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

function coreCount(insns: readonly Instruction[]): number {
  return Object.values(coreCounts(insns)).reduce((sum, count) => sum + count, 0);
}

function programJson(program: ProgramSpec): Record<string, unknown> {
  return {
    name: program.name,
    section: program.section,
    type: programTypeName(program.type),
    ...(program.expectedAttachType === 0 ? {} : { attach_type: attachTypeName(program.expectedAttachType) }),
    autoload: program.autoload,
    sleepable: program.sleepable,
    insns: slotCount(program.instructions),
    core_relocations: coreCounts(program.instructions),
  };
}

function mapJson(map: MapSpec): Record<string, unknown> {
  return {
    name: map.name,
    type: mapTypeName(map.type),
    key_size: map.keySize,
    value_size: map.valueSize,
    max_entries: map.maxEntries,
    flags: map.flags,
    ...(map.extra === 0n ? {} : { map_extra: map.extra }),
    ...(map.pinning === "none" ? {} : { pinning: map.pinning }),
    ...(map.key === undefined ? {} : { key: describeType(map.key) }),
    ...(map.value === undefined ? {} : { value: describeType(map.value) }),
    ...(map.inner === undefined ? {} : { inner: mapJson(map.inner) }),
    ...(map.contents.length === 0 ? {} : { contents: map.contents }),
    ...(map.autocreate === false ? { autocreate: false } : {}),
    ...(map.structOps === undefined ? {} : { struct_ops: map.structOps.value }),
  };
}

function inspectJson(spec: CollectionSpec, resolved: ReadonlyMap<string, string>): Record<string, unknown> {
  return {
    name: spec.name,
    byte_order: spec.order,
    license: spec.license,
    btf: spec.btf !== undefined,
    programs: [...spec.programs.values()].map(programJson),
    functions: spec.functions.map(({ label, section, instructions }) => ({
      name: label.name,
      section,
      insns: slotCount(instructions),
      core_relocations: coreCounts(instructions),
    })),
    maps: [...spec.maps.values()].map(mapJson),
    variables: [...spec.variables.values()].map((variable) => ({
      name: variable.name,
      map: variable.map,
      offset: variable.offset,
      size: variable.size,
      type: describeType(variable.type),
      read_only: variable.readOnly,
      value: variable.get(),
    })),
    externs: [...spec.externs.values()].map(({ name, kind, section, weak }) => ({
      name,
      kind,
      section,
      weak,
      ...(resolved.has(name) ? { resolved: resolved.get(name) } : {}),
    })),
    needs: needsJson(collectionNeeds(spec)),
    events: [...findEventTypes(spec)].map(([map, events]) => ({
      map,
      types: events.candidates.map((type) => type.name),
      sizes: events.sizes,
      ...(events.hint === undefined ? {} : { hint: events.hint }),
    })),
  };
}

function needJson({ kind, name, since, where }: Need): Record<string, unknown> {
  return { kind, name, since: since ?? null, where };
}

function needsJson(needs: CollectionNeeds): Record<string, unknown> {
  return {
    since: needs.since ?? null,
    reasons: needs.reasons.map(needJson),
    unknown: needs.unknown.map(needJson),
    programs: [...needs.programs.values()].map((program) => ({
      name: program.name,
      since: program.since ?? null,
      instruction_set: program.cpu,
      tail_calls: program.tailCalls,
      stack: program.stack,
      maps: program.maps,
      needs: program.needs.map(needJson),
    })),
  };
}

/** A heading and a table under it; nothing at all for an empty one. */
function section(
  output: Output,
  heading: string,
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): void {
  if (rows.length === 0) return;
  output.line(`\n${heading}`);
  for (const line of tableLines(columns, rows, 2)) output.line(line);
}

function print(spec: CollectionSpec, resolved: ReadonlyMap<string, string>, output: Output): void {
  const order = `${spec.order}-endian`;
  output.line(
    `${spec.name}: ${order}, license "${spec.license}", ${spec.btf === undefined ? "without BTF" : "with BTF"}`,
  );
  const number = (heading: string): Column => ({ heading, right: true });
  const text = (heading: string): Column => ({ heading });
  section(
    output,
    "Programs",
    [text("name"), text("section"), text("type"), text("attach type"), number("insns"), number("CO-RE")],
    [...spec.programs.values()].map((program) => [
      program.name,
      (program.autoload ? "" : "?") + program.section,
      programTypeName(program.type),
      program.expectedAttachType === 0 ? "" : attachTypeName(program.expectedAttachType),
      String(slotCount(program.instructions)),
      String(coreCount(program.instructions)),
    ]),
  );
  section(
    output,
    "Functions",
    [text("name"), text("linkage"), number("insns"), number("CO-RE")],
    spec.functions.map(({ label, instructions }) => [
      label.name,
      label.binding,
      String(slotCount(instructions)),
      String(coreCount(instructions)),
    ]),
  );
  section(
    output,
    "Maps",
    [text("name"), text("type"), number("key"), number("value"), number("max entries"), text("value type")],
    [...spec.maps.values()].map((map) => [
      map.name,
      mapTypeName(map.type),
      String(map.keySize),
      String(map.valueSize),
      String(map.maxEntries),
      map.value === undefined || map.data !== undefined ? "" : describeType(map.value),
    ]),
  );
  section(
    output,
    "Struct ops",
    [text("map"), text("member"), text("value")],
    [...spec.maps.values()].flatMap(({ name, structOps }) =>
      Object.entries(structOps?.value ?? {}).filter(([, value]) => value !== null)
        .map(([member, value]) => [name, member, shortValue(value)])
    ),
  );
  printVariables(spec, resolved, output, text);
  printNeeds(collectionNeeds(spec), output, text);
}

function printVariables(
  spec: CollectionSpec,
  resolved: ReadonlyMap<string, string>,
  output: Output,
  text: (heading: string) => Column,
): void {
  section(
    output,
    "Variables",
    [text("name"), text("map"), text("type"), text("value")],
    [...spec.variables.values()].map((variable) => [
      variable.name,
      variable.map,
      describeType(variable.type),
      shortValue(variable.get()),
    ]),
  );
  section(
    output,
    "Externs",
    [text("name"), text("kind"), text(""), text("in this kernel")],
    [...spec.externs.values()].map((
      { name, kind, weak },
    ) => [name, kind, weak ? "weak" : "", resolved.get(name) ?? ""]),
  );
  section(
    output,
    "Events",
    [text("map"), text("record"), text("")],
    [...findEventTypes(spec)].map(([map, events]) => [
      map,
      events.candidates.map((type) => `struct ${type.name} (${type.size} bytes)`).join(", ") ||
      (events.sizes.length === 0 ? "unknown" : `${events.sizes.join(", ")} bytes, shown as hex`),
      events.hint ?? "",
    ]),
  );
}

function printNeeds(needs: CollectionNeeds, output: Output, text: (heading: string) => Column): void {
  if (needs.programs.size === 0 && needs.maps.length === 0) return;
  const names = (program: ProgramNeeds, kind: Need["kind"]) =>
    program.needs.filter((need) => need.kind === kind).map(({ name }) => name.replace(/^bpf_/, "")).join(" ");
  section(
    output,
    "Needs",
    [text("program"), text("kernel"), text("cpu"), text("stack"), text("helpers"), text("kernel functions")],
    [...needs.programs.values()].map((program) => [
      program.name,
      program.since ?? "none",
      `v${program.cpu}`,
      program.stack.map(({ bytes }) => bytes).join("+"),
      names(program, "helper"),
      names(program, "kfunc"),
    ]),
  );
  const because = ({ kind, name, where }: Need) => [`${kind} ${name}`, where];
  output.line(
    needs.since === undefined ? "\nNo kernel can run it" : `\nOldest kernel that can run it: ${needs.since}`,
  );
  for (const line of tableLines([text("because of"), text("in")], needs.reasons.map(because), 2)) output.line(line);
  if (needs.unknown.length === 0) return;
  output.line("\nNot known since when");
  for (const line of tableLines([text("what"), text("in")], needs.unknown.map(because), 2)) output.line(line);
}

function shortValue(value: unknown): string {
  const shown = typeof value === "bigint" ? String(value) : toJson(value);
  return shown.length > 60 ? `${shown.slice(0, 57)}...` : shown;
}
