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
    return this.#compiled().decode(this.#view(), this.offset);
  }

  set(value: Value): void {
    this.#compiled().encode(value, this.#view(), this.offset);
  }

  // Most variables are never touched, and a codec costs far more than this object.
  #compiled(): Codec {
    return this.#codec ??= compileCodec(this.type, { order: this.#order });
  }

  #view(): DataView {
    const data = this.#map.data;
    if (data === undefined || this.offset + this.size > data.length) {
      throw new RangeError(
        `variable "${this.name}": map "${this.#map.name}" holds ${data?.length ?? 0} bytes of data, too few for it`,
      );
    }
    return new DataView(data.buffer, data.byteOffset, data.byteLength);
  }
}

/** Adds the variables of a data map to `variables`; of several with one name the first stays. */
export function collectVariables(map: MapSpec, order: ByteOrder, variables: Map<string, VariableSpec>): void {
  if (map.value?.kind !== BtfKind.Datasec) return;
  for (const { type, offset, size } of map.value.entries) {
    if (type.kind !== BtfKind.Var || type.linkage === "extern" || variables.has(type.name)) continue;
    variables.set(type.name, new DataVariable(map, order, type.name, type.target, offset, size));
  }
}
