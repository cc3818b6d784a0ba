/**
 * A collection that may call what other collections define. Nothing is copied but arrays of instructions: what is
 * known of an instruction (its line of C, its CO-RE relocation, the function that it begins) goes with it.
 *
 * @module
 */
import { BPF_PSEUDO, type Instruction, isCall, isLoadImm64, MAP, REFERENCE } from "../../asm/mod.ts";
import { type BtfType, FUNC_INFO } from "../../btf/mod.ts";
import { LinkError, UnsupportedError } from "../../errors.ts";
import {
  type CollectionSpec,
  EXTERN,
  type ExternSpec,
  type FunctionSpec,
  type MapSpec,
  type ProgramSpec,
  type VariableSpec,
} from "../../spec/mod.ts";
import { BtfKind } from "../../uapi/mod.ts";
import { checkSameMap, checkSameType } from "../static/agreement.ts";

/**
 * `spec` with the functions of other collections, and the maps and variables that those use. What `spec` declares extern
 * is found in `libraries`, and what they declare in each other and in `spec`. Their programs are left out.
 *
 * Map and variable specs are shared with the libraries, not copied: a change before loading is seen by both.
 *
 * @param spec The collection whose programs are to be loaded. It does not change.
 * @param libraries Collections whose functions they call, of other names than `spec`: names of data maps begin with it.
 * @throws {LinkError} if collections contradict each other: two strong definitions of one name, types that differ,
 * licenses that differ, byte orders that differ, an extern of the kernel that one of them defines.
 * @throws {UnsupportedError} if a map that comes along holds programs of its own collection.
 *
 * @example
 * ```ts ignore
 * import { Collection, openCollectionSpec, withFunctions } from "jsr:@debpf/debpf";
 *
 * const spec = withFunctions(openCollectionSpec("main.bpf.o"), openCollectionSpec("library.bpf.o"));
 * using collection = Collection.load(spec);
 * ```
 */
export function withFunctions(spec: CollectionSpec, ...libraries: readonly CollectionSpec[]): CollectionSpec {
  return new Join(spec, libraries).result();
}

/** A definition, and the collection that has it. */
interface Owned<T> {
  readonly owner: CollectionSpec;
  readonly value: T;
}

class Join {
  readonly #spec: CollectionSpec;
  readonly #all: readonly CollectionSpec[];
  readonly #functions = new Map<string, Owned<FunctionSpec>>();
  /** Maps of the result, and names of maps in it by collection and name there. */
  readonly #maps: Map<string, MapSpec>;
  readonly #names = new Map<CollectionSpec, Map<string, string>>();
  readonly #externs = new Map<string, ExternSpec>();
  /** Externs of libraries, and what they are in the result. */
  readonly #kept = new Map<ExternSpec, ExternSpec>();

  constructor(spec: CollectionSpec, libraries: readonly CollectionSpec[]) {
    this.#spec = spec;
    this.#all = [spec, ...libraries];
    this.#maps = new Map(spec.maps);
    for (const library of libraries) this.#checkWhole(library);
    for (const owner of this.#all) for (const fn of owner.functions) this.#addFunction(fn, owner);
  }

  result(): CollectionSpec {
    const spec = this.#spec;
    for (const [name, extern] of spec.externs) if (!this.#isDefined(extern, spec)) this.#externs.set(name, extern);
    const programs = [...spec.programs].map(([name, program]): [string, ProgramSpec] => {
      return [name, { ...program, instructions: this.#resolved(program.instructions, spec) }];
    });
    const functions = this.#all.flatMap((owner) =>
      owner.functions.map((fn) => ({ ...fn, instructions: this.#resolved(fn.instructions, owner) }))
    );
    return {
      ...spec,
      programs: new Map(programs),
      functions,
      maps: this.#maps,
      variables: this.#variables(),
      externs: this.#externs,
    };
  }

  #checkWhole(library: CollectionSpec): void {
    const { name, order, license } = this.#spec;
    if (library.order !== order) {
      throw new LinkError(`${library.name}: is ${library.order}-endian, but ${name} is ${order}-endian`);
    }
    if (library.license !== "" && library.license !== license) {
      throw new LinkError(
        `${library.name}: its license is "${library.license}", that of ${name} is "${license}": programs have one`,
      );
    }
  }

  /** The first strong function of a name stays, else the first weak one. */
  #addFunction(fn: FunctionSpec, owner: CollectionSpec): void {
    const { name, binding } = fn.label;
    if (binding === "local") return;
    const known = this.#functions.get(name);
    if (known !== undefined && known.value.label.binding === "global" && binding === "global") {
      throw new LinkError(
        `${owner.name}: defines function "${name}", which ${known.owner.name} defines too: make one of them static or __weak`,
      );
    }
    if (known === undefined || (known.value.label.binding === "weak" && binding === "global")) {
      this.#functions.set(name, { owner, value: fn });
    }
  }

  #resolved(insns: readonly Instruction[], owner: CollectionSpec): Instruction[] {
    return insns.map((insn) => {
      const extern = insn.get(EXTERN);
      if (extern !== undefined) return this.#resolve(insn, extern, owner);
      const map = owner === this.#spec ? undefined : insn.get(MAP);
      return map === undefined ? insn : insn.with(MAP, this.#nameOf(map, owner));
    });
  }

  /** The instruction with what its extern means, if a collection defines it; else with the extern, which is kept. */
  #resolve(insn: Instruction, extern: ExternSpec, user: CollectionSpec): Instruction {
    if (!this.#isDefined(extern, user)) return user === this.#spec ? insn : insn.with(EXTERN, this.#keep(extern, user));
    const { name, kind } = extern;
    const fn = this.#functions.get(name);
    if (fn !== undefined) {
      this.#refuseKernels(extern, user, fn.owner);
      checkSameType(name, typeOf(fn), { what: user.name, type: extern.type });
      const { label } = fn.value;
      if (isCall(insn)) return insn.edit({ imm: -1 }).with(EXTERN, undefined).with(REFERENCE, label);
      return insn.edit({ src: BPF_PSEUDO.FUNC, imm: 0, immHigh: 0 }).with(EXTERN, undefined).with(REFERENCE, label);
    }
    if (!isLoadImm64(insn)) return insn;
    const map = this.#find(name, user, ({ maps }) => maps.get(name));
    if (kind === "map" && map !== undefined) {
      checkSameMap(name, { what: map.owner.name, map: map.value }, { what: user.name, type: extern.type });
      return insn.edit({ src: BPF_PSEUDO.MAP_FD, imm: 0, immHigh: 0 }).with(EXTERN, undefined)
        .with(MAP, this.#nameOf(name, map.owner));
    }
    const variable = this.#find(name, user, (other) => globalVariable(other, name));
    if (variable === undefined) return insn;
    this.#refuseKernels(extern, user, variable.owner);
    const { type, offset, map: home } = variable.value;
    checkSameType(name, { what: variable.owner.name, type: asVariable(name, type) }, {
      what: user.name,
      type: extern.type,
    });
    return insn.edit({ src: BPF_PSEUDO.MAP_VALUE, imm: 0, immHigh: (offset + insn.imm) | 0 }).with(EXTERN, undefined)
      .with(MAP, this.#nameOf(home, variable.owner));
  }

  /** What another collection has. Specs do not tell weak variables and maps from strong ones, so there may be one only. */
  #find<T>(name: string, user: CollectionSpec, find: (spec: CollectionSpec) => T | undefined): Owned<T> | undefined {
    let found: Owned<T> | undefined;
    for (const owner of this.#all) {
      const value = owner === user ? undefined : find(owner);
      if (value === undefined) continue;
      if (found !== undefined) throw this.#twice(name, owner, found.owner);
      found = { owner, value };
    }
    return found;
  }

  #twice(name: string, owner: CollectionSpec, first: CollectionSpec): LinkError {
    return new LinkError(
      `${owner.name}: defines "${name}", which ${first.name} defines too: declare it extern in one of them, or link the ` +
        "objects, which knows what is __weak",
    );
  }

  #refuseKernels({ name, section }: ExternSpec, user: CollectionSpec, owner: CollectionSpec): void {
    if (section !== ".ksyms" && section !== ".kconfig") return;
    throw new LinkError(
      `${user.name}: expects "${name}" of the kernel (section "${section}"), but ${owner.name} defines it`,
    );
  }

  /** The name that a map of a library has in the result, to which it is added. */
  #nameOf(name: string, owner: CollectionSpec): string {
    if (owner === this.#spec) return name;
    let names = this.#names.get(owner);
    if (names === undefined) this.#names.set(owner, names = new Map());
    const known = names.get(name);
    if (known !== undefined) return known;
    const map = owner.maps.get(name);
    if (map === undefined) throw new LinkError(`${owner.name}: a function refers to map "${name}", which is not there`);
    // String literals of all objects lie in sections of one name, which is that of the map.
    const own = map.section !== undefined && this.#maps.has(name) ? `${owner.name}${map.section}` : name;
    if (this.#maps.has(own)) {
      const advice = map.section === undefined
        ? "declare it extern in one of them"
        : "read one of the objects under another name";
      throw new LinkError(`${owner.name}: has a map "${own}", as ${this.#ownerOf(own)} has: ${advice}`);
    }
    names.set(name, own);
    this.#maps.set(own, own === name ? map : { ...map, name: own });
    for (const { kind, name: element } of map.contents) {
      if (kind === "map") this.#nameOf(element, owner);
      else {
        throw new UnsupportedError(
          "program arrays of libraries",
          `${owner.name}: map "${name}" holds program "${element}", which does not come along`,
        );
      }
    }
    return own;
  }

  #ownerOf(name: string): string {
    const [library] = [...this.#names].find(([, names]) => [...names.values()].includes(name)) ?? [this.#spec];
    return library.name;
  }

  /** Those of the collection, then those in maps that came along. */
  #variables(): Map<string, VariableSpec> {
    const variables = new Map(this.#spec.variables);
    for (const [owner, names] of this.#names) {
      for (const [name, variable] of owner.variables) {
        const map = names.get(variable.map);
        if (map === undefined) continue;
        const first = this.#all.find((other) => other !== owner && this.#comesAlong(name, other));
        if (first !== undefined && globalVariable(owner, name) !== undefined) throw this.#twice(name, owner, first);
        if (variables.has(name)) continue;
        variables.set(name, map === variable.map ? variable : inMap(variable, map));
      }
    }
    return variables;
  }

  /** Does a collection have a global variable of that name, in a map that is in the result. */
  #comesAlong(name: string, owner: CollectionSpec): boolean {
    const variable = globalVariable(owner, name);
    return variable !== undefined && (owner === this.#spec || this.#names.get(owner)?.has(variable.map) === true);
  }

  #isDefined({ name, kind }: ExternSpec, user: CollectionSpec): boolean {
    if (this.#functions.has(name)) return true;
    if (kind === "map") return this.#find(name, user, ({ maps }) => maps.get(name)) !== undefined;
    return this.#find(name, user, (other) => globalVariable(other, name)) !== undefined;
  }

  /** Keeps an extern of a library that no collection defines. Of one name, each collection has its own. */
  #keep(extern: ExternSpec, owner: CollectionSpec): ExternSpec {
    const known = this.#kept.get(extern);
    if (known !== undefined) return known;
    const { name, kconfig } = extern;
    const map = kconfig === undefined ? undefined : this.#nameOf(kconfig.map, owner);
    const kept = map === undefined || map === kconfig?.map ? extern : { ...extern, kconfig: { ...kconfig!, map } };
    this.#kept.set(extern, kept);
    this.#externs.set(this.#externs.has(name) ? `${owner.name}:${name}` : name, kept);
    return kept;
  }
}

/** A variable that is seen from outside. */
function globalVariable(spec: CollectionSpec, name: string): VariableSpec | undefined {
  const variable = spec.variables.get(name);
  if (variable === undefined) return undefined;
  const datasec = spec.maps.get(variable.map)?.value;
  const entries = datasec !== undefined && "entries" in datasec ? datasec.entries : [];
  const isStatic = entries.some(({ type }) => type.name === name && "linkage" in type && type.linkage === "static");
  return isStatic ? undefined : variable;
}

function typeOf({ owner, value }: Owned<FunctionSpec>): { what: string; type: BtfType | undefined } {
  return { what: owner.name, type: value.instructions[0]?.get(FUNC_INFO) };
}

/** The variable as it is declared, to be compared with an extern. */
function asVariable(name: string, target: BtfType): BtfType {
  return { kind: BtfKind.Var, id: 0, name, target, linkage: "global" };
}

/** The same variable, whose map has another name. */
function inMap(variable: VariableSpec, map: string): VariableSpec {
  const { name, offset, size, type, readOnly } = variable;
  return { name, map, offset, size, type, readOnly, get: () => variable.get(), set: (value) => variable.set(value) };
}
