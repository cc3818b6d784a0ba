/**
 * A loaded object: its maps, programs, variables, attachments and events.
 *
 * @module
 */
import type { Value } from "../../lib/btf/mod.ts";
import {
  type CollectionSpec,
  type EventTypes,
  findEventTypes,
  findLostCounters,
  type LostCounter,
  type MapSpec,
} from "../../lib/spec/mod.ts";
import { BpfMapType } from "../../lib/uapi/mod.ts";
import type { Link } from "../attach/mod.ts";
import { EventStream, PerfBuffer, type PerfBufferOptions, RingBuffer, type StreamOptions } from "../events/mod.ts";
import type { BpfMap, MapView } from "../map/mod.ts";
import type { BpfProgram } from "../program/mod.ts";
import type { StructOps } from "../struct_ops/mod.ts";
import { attachPrograms, type AttachProgramsOptions } from "./attach_programs.ts";
import type { ChoiceOptions, SkippedProgram } from "./choices.ts";
import { EventDecoder, type EventValue, type TypeChooser, type TypedEvent } from "./event_decoder.ts";
import { load, type Loaded, type LoadOptions } from "./load.ts";
import { readLostCounters } from "./lost_counters.ts";
import { Variable } from "./variable.ts";

/** Which programs {@linkcode Collection.attach} attaches; choices are those of the load unless they are given. */
export interface AttachOptions extends AttachProgramsOptions {
  /** Which struct_ops maps are registered: by default all that were created. */
  readonly structOps?: ((map: MapSpec) => boolean) | undefined;
}

/** How events are typed and read. */
export interface EventOptions extends StreamOptions {
  /** The types of the map's records; by default what the object says. */
  readonly types?: EventTypes | undefined;
  /** Of several types a record can have: which one it is, where its length does not tell. */
  readonly typeOf?: TypeChooser | undefined;
  /** How the buffers of a perf event array are made. */
  readonly perf?: PerfBufferOptions | undefined;
}

/** A loaded object. Closing it detaches its programs, then closes everything in reverse order of making. */
export class Collection implements Disposable {
  /** What it was loaded from. */
  readonly spec: CollectionSpec;
  /** Maps by name. */
  readonly maps: ReadonlyMap<string, BpfMap>;
  /** Loaded programs by name. */
  readonly programs: ReadonlyMap<string, BpfProgram>;
  /** Struct_ops by name of their map. */
  readonly structOps: ReadonlyMap<string, StructOps>;
  /** Global variables by name: live memory. */
  readonly variables: ReadonlyMap<string, Variable>;
  readonly #loaded: Loaded;
  readonly #choices: ChoiceOptions;
  #skipped: readonly SkippedProgram[];
  readonly #resources: DisposableStack;
  /** Those that may be open: a program that opens one after the other must not gather closed ones. */
  readonly #streams: Set<EventStream<unknown>> = new Set();
  #eventTypes: Map<string, EventTypes> | undefined;
  #lostCounters: Map<string, LostCounter[]> | undefined;
  /** What programs had counted as lost when the last stream of a map was closed. */
  readonly #lostBefore = new Map<string, number>();

  private constructor(spec: CollectionSpec, loaded: Loaded, choices: ChoiceOptions) {
    this.spec = spec;
    this.maps = loaded.maps;
    this.programs = loaded.programs;
    this.structOps = loaded.structOps;
    this.#loaded = loaded;
    this.#skipped = loaded.skipped;
    const { attachTo, optional, alternatives } = choices;
    this.#choices = { attachTo, optional, alternatives };
    using cleanup = loaded.resources;
    using undo = loaded.undo;
    this.variables = mapVariables(spec, loaded.maps, cleanup);
    // Nothing can fail any more: what was pinned stays.
    undo.move();
    cleanup.defer(() => {
      for (const stream of this.#streams) stream.close();
    });
    this.#resources = cleanup.move();
  }

  /**
   * Creates all maps and loads all programs of `spec`, which is not changed. After a failure nothing is left.
   *
   * @throws {VerifierError} if the verifier refuses a program.
   * @throws {SyscallError} if the kernel refuses anything else.
   * @throws {UnsupportedError} if the object needs what this library or kernel cannot do.
   * @throws {LinkError} if a function is missing.
   */
  static load(spec: CollectionSpec, options: LoadOptions = {}): Collection {
    return new Collection(spec, load(spec, options), options);
  }

  /**
   * Attaches the loaded programs where their section names say, then registers struct_ops: all or none, but for programs that
   * are optional or have an alternative ({@linkcode Collection.skipped} tells which). The links belong to the collection.
   *
   * @throws {Error} saying why a program that is needed cannot be attached; nothing is attached then.
   * @returns The links; closing one detaches its program or unregisters its struct_ops.
   */
  attach(options: AttachOptions = {}): Link[] {
    using cleanup = new DisposableStack();
    const { spec, programs, structOps } = this;
    const chosen = { ...this.#choices, ...options };
    const { links, skipped } = attachPrograms({ spec, programs, attachTo: this.#loaded.attachTo }, chosen, cleanup);
    const all = [...links];
    for (const each of structOps.values()) {
      if (options.structOps?.(each.map.spec) ?? true) all.push(cleanup.use(each.attach()));
    }
    this.#skipped = [...this.#loaded.skipped, ...skipped];
    this.#resources.use(cleanup.move());
    return all;
  }

  /**
   * Programs that were left out when the collection was loaded, and when it was attached last: those that were declared
   * optional, those whose alternative was taken, those whose section names do not say where to attach them.
   */
  get skipped(): readonly SkippedProgram[] {
    return this.#skipped;
  }

  /**
   * The map of that name.
   *
   * @throws {Error} naming the maps that there are.
   */
  map(name: string): BpfMap {
    return this.#named("map", this.maps, name);
  }

  /** The program of that name. */
  program(name: string): BpfProgram {
    return this.#named("program", this.programs, name);
  }

  /** The variable of that name. */
  variable(name: string): Variable {
    return this.#named("variable", this.variables, name);
  }

  /**
   * The events of a ring buffer or perf event array, each a plain object of the type that the object says its records have.
   *
   * @param map Name of the map.
   * @throws {UnsupportedError} if no type is known: with the line of C to add.
   */
  events(map: string, options: EventOptions = {}): EventStream<EventValue> {
    const decoder = this.#decoder(map, options);
    if (!decoder.typed) throw decoder.untyped();
    return this.#stream(map, (view, offset, length) => decoder.value(view, offset, length), options);
  }

  /** As {@linkcode Collection.events}, each event with its type; those of no known type as bytes. */
  typedEvents(map: string, options: EventOptions = {}): EventStream<TypedEvent> {
    const decoder = this.#decoder(map, options);
    return this.#stream(map, (view, offset, length) => decoder.event(view, offset, length), options);
  }

  /** Closes everything. Closing again does nothing. */
  close(): void {
    this.#resources.dispose();
  }

  /** As {@linkcode Collection.close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  #decoder(map: string, options: EventOptions): EventDecoder {
    this.#eventTypes ??= findEventTypes(this.spec);
    return new EventDecoder(this.spec.name, map, options.types ?? this.#eventTypes.get(map), options.typeOf);
  }

  #stream<T>(
    map: string,
    decode: (view: DataView, offset: number, length: number) => T,
    options: EventOptions,
  ): EventStream<T> {
    for (const other of this.#streams) if (other.closed) this.#streams.delete(other);
    const target = this.map(map);
    const perf = target.type === BpfMapType.BPF_MAP_TYPE_PERF_EVENT_ARRAY;
    const source = perf ? new PerfBuffer(target, options.perf) : new RingBuffer(target);
    const stream = new EventStream(source, decode, { programLost: this.#programLost(map), ...options });
    this.#streams.add(stream);
    return stream;
  }

  /** Counts what the program could not send since the last stream of `map` was closed, or the collection was loaded. */
  #programLost(map: string): (() => number) | undefined {
    this.#lostCounters ??= findLostCounters(this.spec);
    const counters = this.#lostCounters.get(map);
    if (counters === undefined) return undefined;
    const before = this.#lostBefore.get(map) ?? 0;
    return () => {
      // The last call is made when the stream is closed.
      const now = readLostCounters(counters, this);
      this.#lostBefore.set(map, now);
      return now - before;
    };
  }

  #named<T>(what: string, all: ReadonlyMap<string, T>, name: string): T {
    const found = all.get(name);
    if (found !== undefined) return found;
    const names = [...all.keys()].map((other) => `"${other}"`).join(", ") || "none";
    throw new Error(`${this.spec.name}: no ${what} "${name}" is loaded; there are ${names}`);
  }
}

function mapVariables(
  spec: CollectionSpec,
  maps: ReadonlyMap<string, BpfMap>,
  cleanup: DisposableStack,
): Map<string, Variable> {
  const memory = new Map<string, MapView<Value>>();
  const variables = new Map<string, Variable>();
  for (const variable of spec.variables.values()) {
    const map = maps.get(variable.map);
    if (map === undefined || !map.mmapable) continue;
    let data = memory.get(variable.map);
    if (data === undefined) memory.set(variable.map, data = cleanup.use(map.view()));
    variables.set(variable.name, new Variable(variable, data, map.spec.arena?.offset));
  }
  return variables;
}
