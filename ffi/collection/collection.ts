/**
 * A loaded object: its maps, programs, variables, attachments and events.
 *
 * @module
 */
import type { Value } from "../../lib/btf/mod.ts";
import { type CollectionSpec, type EventTypes, findEventTypes, type ProgramSpec } from "../../lib/spec/mod.ts";
import { attachProgram, type Link } from "../attach/mod.ts";
import { EventStream, RingBuffer, type StreamOptions } from "../events/mod.ts";
import type { BpfMap, MapView } from "../map/mod.ts";
import type { BpfProgram } from "../program/mod.ts";
import { EventDecoder, type EventValue, type TypedEvent } from "./event_decoder.ts";
import { load, type Loaded, type LoadOptions } from "./load.ts";
import { Variable } from "./variable.ts";

/** Which programs {@linkcode Collection.attach} attaches. */
export interface AttachOptions {
  /** By default all that are loaded; one that cannot be attached by its section name is an error then. */
  readonly only?: ((program: ProgramSpec) => boolean) | undefined;
}

/** How events are typed and read. */
export interface EventOptions extends StreamOptions {
  /** The types of the map's records; by default what the object says. */
  readonly types?: EventTypes | undefined;
}

/** A loaded object. Closing it detaches its programs, then closes everything in reverse order of making. */
export class Collection implements Disposable {
  /** What it was loaded from. */
  readonly spec: CollectionSpec;
  /** Maps by name. */
  readonly maps: ReadonlyMap<string, BpfMap>;
  /** Loaded programs by name. */
  readonly programs: ReadonlyMap<string, BpfProgram>;
  /** Global variables by name: live memory. */
  readonly variables: ReadonlyMap<string, Variable>;
  readonly #resources: DisposableStack;
  /** Those that may be open: a program that opens one after the other must not gather closed ones. */
  readonly #streams: Set<EventStream<unknown>> = new Set();
  #eventTypes: Map<string, EventTypes> | undefined;

  private constructor(spec: CollectionSpec, loaded: Loaded) {
    this.spec = spec;
    this.maps = loaded.maps;
    this.programs = loaded.programs;
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
    return new Collection(spec, load(spec, options));
  }

  /**
   * Attaches the loaded programs where their section names say: all or none. The links belong to the collection.
   *
   * @returns The links; closing one detaches its program.
   */
  attach(options: AttachOptions = {}): Link[] {
    using cleanup = new DisposableStack();
    const links: Link[] = [];
    for (const [name, program] of this.programs) {
      const spec = this.spec.programs.get(name)!;
      if (options.only?.(spec) ?? true) links.push(cleanup.use(attachProgram(program, spec)));
    }
    this.#resources.use(cleanup.move());
    return links;
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
   * The events of a ring buffer, each a plain object of the type that the object says its records have.
   *
   * @param map Name of the ring buffer.
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
    return new EventDecoder(this.spec.name, map, options.types ?? this.#eventTypes.get(map));
  }

  #stream<T>(
    map: string,
    decode: (view: DataView, offset: number, length: number) => T,
    options: EventOptions,
  ): EventStream<T> {
    for (const other of this.#streams) if (other.closed) this.#streams.delete(other);
    const stream = new EventStream(new RingBuffer(this.map(map)), decode, options);
    this.#streams.add(stream);
    return stream;
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
    variables.set(variable.name, new Variable(variable, data));
  }
  return variables;
}
