/**
 * Programs that may be missing, and programs that stand in for each other.
 *
 * @module
 */
import type { CollectionSpec, ProgramSpec } from "../../lib/spec/mod.ts";
import * as sys from "../sys/mod.ts";
import type { AttachTo } from "./attach_target.ts";

/** What a collection can do without, and what it takes instead. */
export interface ChoiceOptions {
  /**
   * Targets in place of those that section names say, by name of program. Of a list of names the first that the kernel has
   * is taken: `{ handler: ["do_filp_open", "do_file_open"] }`.
   */
  readonly attachTo?: Readonly<Record<string, AttachTo>> | undefined;
  /** Programs that may be missing, by name or by what they are: what the kernel refuses is left out, and reported as skipped. */
  readonly optional?: readonly string[] | ((program: ProgramSpec) => boolean) | undefined;
  /**
   * Programs that stand in for each other, the best first: `[["open_fentry", "open_kprobe"]]`. Of each group that one is
   * attached which is the first that the kernel takes; the others are reported as skipped. `SEC("?...")` does not matter here.
   */
  readonly alternatives?: readonly (readonly string[])[] | undefined;
}

/** A program that was left out. */
export interface SkippedProgram {
  /** Its name. */
  readonly program: string;
  /** When it was left out. */
  readonly step: "load" | "attach";
  /** Why: what the kernel said, or that another one of its group was taken. */
  readonly reason: Error;
}

/** Decides which failures are to be lived with. */
export class Choices {
  /** What was left out so far. */
  readonly skipped: SkippedProgram[] = [];
  readonly #what: string;
  readonly #step: SkippedProgram["step"];
  readonly #groups: readonly (readonly string[])[];
  readonly #optional: (program: ProgramSpec) => boolean;

  /**
   * Checks that the options name programs that there are.
   *
   * @throws {TypeError} if they do not, or a program is in two groups.
   */
  constructor(spec: CollectionSpec, options: ChoiceOptions, step: SkippedProgram["step"]) {
    const { alternatives = [], optional = [], attachTo = {} } = options;
    this.#what = spec.name;
    this.#step = step;
    this.#groups = alternatives;
    this.#optional = typeof optional === "function" ? optional : (program) => optional.includes(program.name);
    const members = alternatives.flat();
    const named = [...members, ...Object.keys(attachTo), ...(typeof optional === "function" ? [] : optional)];
    for (const name of named) {
      if (spec.programs.has(name)) continue;
      const names = [...spec.programs.keys()].map((other) => `"${other}"`).join(", ") || "none";
      throw new TypeError(`${spec.name}: it has no program "${name}"; there are ${names}`);
    }
    const twice = members.find((name, index) => members.indexOf(name) !== index);
    if (twice !== undefined) throw new TypeError(`${spec.name}: program "${twice}" is in the alternatives twice`);
  }

  /** Is a program one of several that stand in for each other. */
  isAlternative(name: string): boolean {
    return this.#groups.some((group) => group.includes(name));
  }

  /** May a program fail by itself. */
  mayFail(program: ProgramSpec): boolean {
    return this.isAlternative(program.name) || this.#optional(program);
  }

  /** The groups, each without the programs that `has` does not know. */
  groups(has: (name: string) => boolean): string[][] {
    return this.#groups.map((group) => group.filter(has));
  }

  /**
   * Does something with a program; a failure that can be lived with is reported as skipped.
   *
   * @returns What `action` gave; `undefined` after such a failure.
   */
  attempt<T>(program: ProgramSpec, action: () => T): T | undefined {
    try {
      return action();
    } catch (error) {
      if (!(error instanceof Error) || isExhaustion(error) || !this.mayFail(program)) throw error;
      this.skip(program.name, error);
      return undefined;
    }
  }

  /** Reports a program as left out. */
  skip(program: string, reason: Error): void {
    this.skipped.push({ program, step: this.#step, reason });
  }

  /**
   * Fails if a group has come to nothing, unless all its programs are optional.
   *
   * @param has Whether a program was taken.
   */
  requireGroups(spec: CollectionSpec, has: (name: string) => boolean): void {
    for (const group of this.#groups) {
      if (group.some(has) || group.every((name) => this.#optional(spec.programs.get(name)!))) continue;
      const reasons = group.map((name) => this.skipped.find(({ program }) => program === name)?.reason);
      const errors = reasons.filter((reason) => reason !== undefined);
      const names = group.map((name) => `"${name}"`).join(", ");
      const why = errors.map((error) => error.message).join("\n");
      throw new AggregateError(errors, `${this.#what}: none of the alternatives ${names} can be used:\n${why}`);
    }
  }
}

/** Running out of memory or file descriptors says nothing about a program. */
function isExhaustion(error: Error): boolean {
  return error instanceof sys.SyscallError && ["ENOMEM", "EMFILE", "ENFILE"].includes(error.code);
}
