/**
 * A global variable of a loaded collection.
 *
 * @module
 */
import { type Codec, compileCodec, type Value } from "../../lib/btf/mod.ts";
import { HOST_BYTE_ORDER } from "../../lib/bytes.ts";
import type { VariableSpec } from "../../lib/spec/mod.ts";
import type { MapView } from "../map/mod.ts";

/** A live global variable: what programs write is read here at once, and the other way round. */
export class Variable {
  /** What it was made from. */
  readonly spec: VariableSpec;
  readonly #data: MapView<Value>;
  readonly #codec: Codec;
  readonly #offset: number;

  /**
   * Names a part of mapped memory.
   *
   * @param spec The variable.
   * @param data The memory that it lies in.
   * @param base Where in it the variables begin, in bytes: those of an arena may be at its end.
   */
  constructor(spec: VariableSpec, data: MapView<Value>, base = 0) {
    this.spec = spec;
    this.#offset = base + spec.offset;
    this.#data = data;
    this.#codec = compileCodec(spec.type, { order: HOST_BYTE_ORDER });
  }

  /**
   * Its value now. A program that writes it meanwhile may be seen half done, as in C.
   *
   * @throws {TypeError} when the collection is closed.
   */
  get(): Value {
    return this.#data.decode(this.#codec, this.#offset);
  }

  /**
   * Changes it.
   *
   * @throws {TypeError} if programs may only read it, or `value` does not fit its type; when the collection is closed.
   */
  set(value: Value): void {
    if (this.spec.readOnly) {
      throw new TypeError(`variable "${this.spec.name}" is const: set it in the spec, before loading`);
    }
    this.#data.encode(this.#codec, value, this.#offset, this.spec.name);
  }
}
