/**
 * What all lazy types share: where they read from, their name, what they refer to.
 *
 * @module
 */
import { FormatError } from "../../errors.ts";
import type { BtfType, Linkage } from "../types.ts";
import { BTF_TYPE } from "../wire.ts";

/** What a lazy type reads from: words and strings of its BTF, and the types it refers to. */
export interface TypeSource {
  /** The type section. */
  readonly words: Uint32Array;
  /** How errors call the BTF. */
  readonly what: string;
  /** The string at an offset. */
  string(offset: number): string;
  /** The type of an id. */
  type(id: number): BtfType;
}

const LINKAGES: readonly Linkage[] = ["static", "global", "extern"];

/** What types of every kind have. */
export abstract class LazyType {
  readonly id: number;
  protected readonly source: TypeSource;
  /** Word offset of the type's record. */
  protected readonly at: number;
  #name: string | undefined;

  constructor(source: TypeSource, id: number, at: number) {
    this.source = source;
    this.id = id;
    this.at = at;
  }

  get name(): string {
    return this.#name ??= this.source.string(this.source.words[this.at]!);
  }

  protected get info(): number {
    return this.source.words[this.at + BTF_TYPE.info]!;
  }

  /** `size` or `type`, whichever the kind has. */
  protected get sizeOrType(): number {
    return this.source.words[this.at + BTF_TYPE.sizeOrType]!;
  }

  /** The `index`-th word behind `struct btf_type`. */
  protected trailer(index: number): number {
    return this.source.words[this.at + BTF_TYPE.words + index]!;
  }

  protected linkageOf(value: number): Linkage {
    return LINKAGES[value] ?? this.fail(`linkage ${value} is unknown`);
  }

  protected fail(problem: string): never {
    throw new FormatError(`${this.source.what}: type id ${this.id} at offset ${this.at * 4}: ${problem}`);
  }

  /** The sizes that the kernel allows for this kind. */
  protected checkSize(kind: string, allowed: readonly number[]): void {
    const size = this.sizeOrType;
    if (!allowed.includes(size)) this.fail(`${kind} of ${size} bytes; only ${allowed.join(", ")} are possible`);
  }
}

/** Pointers, typedefs, modifiers, functions, variables, tags: what refers to one other type. */
export abstract class LazyReference extends LazyType {
  #target: BtfType | undefined;

  get target(): BtfType {
    return this.#target ??= this.source.type(this.sizeOrType);
  }
}
