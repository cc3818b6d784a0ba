/**
 * Global variables by name: windows on the data of their map.
 *
 * @module
 */
import type { ByteOrder } from "../bytes.ts";
import { type BtfType, type Codec, compileCodec, type Value } from "../btf/mod.ts";
import { BtfKind } from "../uapi/mod.ts";
import type { MapSpec, VariableSpec } from "./types.ts";

/** A variable in the data of a {@linkcode MapSpec}. */
class DataVariable implements VariableSpec {
  readonly #map: MapSpec;
  readonly #order: ByteOrder;
  #codec: Codec | undefined;

  constructor(
    map: MapSpec,
    order: ByteOrder,
    readonly name: string,
    readonly type: BtfType,
    readonly offset: number,
    readonly size: number,
  ) {
    this.#map = map;
    this.#order = order;
  }

  get map(): string {
    return this.#map.name;
  }

  get readOnly(): boolean {
    return this.#map.readOnly;
  }

  get(): Value {
    const bytes = this.#bytes();
    return this.#compiled().decode(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0);
  }

  set(value: Value): void {
    const bytes = this.#bytes();
    // On a copy: a value that is refused half-way must not leave half of it.
    const changed = bytes.slice();
    this.#compiled().encode(value, new DataView(changed.buffer), 0, this.name);
    bytes.set(changed);
  }

  // Most variables are never touched, and a codec costs far more than this object.
  #compiled(): Codec {
    return this.#codec ??= compileCodec(this.type, { order: this.#order });
  }

  #bytes(): Uint8Array {
    const data = this.#map.arena?.data ?? this.#map.data;
    if (data === undefined || this.offset + this.size > data.length) {
      throw new RangeError(
        `variable "${this.name}": map "${this.#map.name}" holds ${data?.length ?? 0} bytes of data, too few for it`,
      );
    }
    return data.subarray(this.offset, this.offset + this.size);
  }
}

/** Adds the variables of a data map or an arena to `variables`; of several with one name the first stays. */
export function collectVariables(map: MapSpec, order: ByteOrder, variables: Map<string, VariableSpec>): void {
  const datasec = map.arena === undefined ? map.value : map.arena.variables;
  if (datasec?.kind !== BtfKind.Datasec) return;
  for (const { type, offset, size } of datasec.entries) {
    if (type.kind !== BtfKind.Var || type.linkage === "extern" || variables.has(type.name)) continue;
    variables.set(type.name, new DataVariable(map, order, type.name, type.target, offset, size));
  }
}
