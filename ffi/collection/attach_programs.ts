/**
 * Attaching the programs of a collection: all or none, but for those that may be missing.
 *
 * @module
 */
import { UnsupportedError } from "../../lib/errors.ts";
import type { CollectionSpec, ProgramSpec } from "../../lib/spec/mod.ts";
import { attachProgram, type Link, prepareAttach } from "../attach/mod.ts";
import type { BpfProgram } from "../program/mod.ts";
import { isProgramFunction } from "./attach_target.ts";
import { type ChoiceOptions, Choices, type SkippedProgram } from "./choices.ts";

/** Which programs are attached, and how. */
export interface AttachProgramsOptions extends ChoiceOptions {
  /**
   * By default those whose section names (or `attachTo`) say where; the others are reported as skipped. One that is chosen
   * here and does not say where is an error. Struct_ops programs are none of them.
   */
  readonly only?: ((program: ProgramSpec) => boolean) | undefined;
  /** What `bpf_get_attach_cookie()` gives programs, by their names. */
  readonly cookies?: Readonly<Record<string, bigint>> | undefined;
}

/** A collection that was loaded. */
export interface LoadedPrograms {
  readonly spec: CollectionSpec;
  /** Programs by name. */
  readonly programs: ReadonlyMap<string, BpfProgram>;
  /** What programs are attached to that were loaded for something, by name of program. */
  readonly attachTo: ReadonlyMap<string, string>;
}

/** What was attached. */
export interface AttachedPrograms {
  readonly links: readonly Link[];
  readonly skipped: readonly SkippedProgram[];
}

/**
 * Attaches programs.
 *
 * @param owned Gets the links; if this fails it is for the caller to close them.
 */
export function attachPrograms(
  loaded: LoadedPrograms,
  options: AttachProgramsOptions,
  owned: DisposableStack,
): AttachedPrograms {
  const choices = new Choices(loaded.spec, options, "attach");
  const links: Link[] = [];
  const chosen = chosenPrograms(loaded, options, choices);
  prepareAttach(chosen.flatMap((spec) => placesOf(spec, loaded, options)));
  const groups = choices.groups((name) => chosen.some((spec) => spec.name === name));
  const taken = new Map<string, string>();
  for (const spec of chosen) {
    const group = groups.findIndex((names) => names.includes(spec.name));
    // A group comes where its first program stands, in the order that the caller gave it.
    const members = group < 0 ? [spec.name] : groups[group]!;
    if (members.some((name) => taken.has(name))) continue;
    for (const name of members) taken.set(name, spec.name);
    for (const [index, name] of members.entries()) {
      const member = loaded.spec.programs.get(name)!;
      const link = choices.attempt(member, () => attachOne(member, loaded, options));
      if (link === undefined) continue;
      links.push(owned.use(link));
      for (const other of members.slice(index + 1)) {
        choices.skip(other, new Error(`program "${other}": "${name}" is attached in its place`));
      }
      break;
    }
  }
  const attached = new Set(links.map(({ program }) => program));
  choices.requireGroups(loaded.spec, (name) => attached.has(name) || !taken.has(name));
  return { links, skipped: choices.skipped };
}

function chosenPrograms(loaded: LoadedPrograms, options: AttachProgramsOptions, choices: Choices): ProgramSpec[] {
  const chosen: ProgramSpec[] = [];
  for (const name of loaded.programs.keys()) {
    const spec = loaded.spec.programs.get(name)!;
    // The map that refers to such a program is what is attached.
    if (spec.attach === "struct_ops") continue;
    if (options.only !== undefined) {
      if (options.only(spec)) chosen.push(spec);
    } else if (spec.autoAttach || options.attachTo?.[name] !== undefined) {
      chosen.push(spec);
    } else {
      const place = `program "${name}" (section "${spec.section}")`;
      const reason = `${place}: the section name does not say all that is needed to attach it`;
      choices.skip(name, new UnsupportedError("attaching by section name", reason));
    }
  }
  return chosen;
}

/** Specs of a program with the places that it may be attached to, the best first. */
function placesOf(spec: ProgramSpec, loaded: LoadedPrograms, options: AttachProgramsOptions): ProgramSpec[] {
  const to = options.attachTo?.[spec.name];
  const known = loaded.attachTo.get(spec.name);
  if (known !== undefined) return [{ ...spec, attachTo: known }];
  if (to === undefined) return [spec];
  const place = `program "${spec.name}" (section "${spec.section}")`;
  if (isProgramFunction(to)) throw new TypeError(`${place}: programs of this kind are not attached to other programs`);
  return (typeof to === "string" ? [to] : to).map((attachTo) => ({ ...spec, attachTo }));
}

function attachOne(spec: ProgramSpec, loaded: LoadedPrograms, options: AttachProgramsOptions): Link {
  const program = loaded.programs.get(spec.name)!;
  const cookie = options.cookies?.[spec.name];
  const places = placesOf(spec, loaded, options);
  const errors: Error[] = [];
  for (const place of places) {
    try {
      return attachProgram(program, place, { cookie });
    } catch (error) {
      if (places.length === 1 || !(error instanceof Error)) throw error;
      errors.push(error);
    }
  }
  const names = places.map(({ attachTo }) => `"${attachTo}"`).join(", ");
  const why = errors.map((error) => error.message).join("\n");
  throw new AggregateError(errors, `program "${spec.name}": it cannot be attached to any of ${names}:\n${why}`);
}
