/**
 * A global variable of a loaded collection.
 *
 * @module
 */
import { type Codec, compileCodec, type Value } from "../../lib/btf/mod.ts";
import { HOST_BYTE_ORDER } from "../../lib/bytes.ts";
import type { VariableSpec } from "../../lib/spec/mod.ts";
import type { BpfMap } from "../map/mod.ts";
import * as sys from "../sys/mod.ts";

/** The memory of a map that holds global data, shared with the kernel. */
export class GlobalData implements Disposable {
  /** A view of the memory; its methods throw once the memory is unmapped. */
  readonly view: DataView;
  readonly #memory: sys.Mapping;

  /** Maps the memory; only readable where programs may only read it, since the kernel has frozen it. */
  constructor(map: BpfMap) {
    const page = sys.pageSize();
    this.#memory = sys.mapMemory({
      fd: map.fd,
      length: Math.ceil(map.spec.valueSize / page) * page,
      offset: 0,
      writable: !map.spec.readOnly,
    });
    this.view = new DataView(this.#memory.buffer);
  }

  /** Unmaps the memory. */
  [Symbol.dispose](): void {
    this.#memory.close();
  }
}

/** A live global variable: what programs write is read here at once, and the other way round. */
export class Variable {
  /** What it was made from. */
  readonly spec: VariableSpec;
  readonly #data: GlobalData;
  readonly #codec: Codec;

  /**
   * Names a part of mapped memory.
   *
   * @param spec The variable.
   * @param data The memory that it lies in.
   */
  constructor(spec: VariableSpec, data: GlobalData) {
    this.spec = spec;
    this.#data = data;
    this.#codec = compileCodec(spec.type, { order: HOST_BYTE_ORDER });
  }

  /** Its value now. A program that writes it meanwhile may be seen half done, as in C. */
  get(): Value {
    return this.#codec.decode(this.#data.view, this.spec.offset);
  }

  /**
   * Changes it.
   *
   * @throws {TypeError} if programs may only read it, or `value` does not fit its type.
   */
  set(value: Value): void {
    if (this.spec.readOnly) {
      throw new TypeError(`variable "${this.spec.name}" is const: set it in the spec, before loading`);
    }
    this.#codec.encode(value, this.#data.view, this.spec.offset);
  }
}
