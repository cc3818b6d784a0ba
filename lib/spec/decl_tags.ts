/**
 * Declaration tags by what they are on: BTF only knows the way from a tag to its declaration.
 *
 * @module
 */
import type { Btf, BtfType, DeclTagType } from "../btf/mod.ts";
import { BtfKind } from "../uapi/mod.ts";

/** The declaration tags of one BTF. */
export class DeclTags {
  /** No tags at all. */
  static readonly NONE: DeclTags = new DeclTags(new Map());
  readonly #byTarget: ReadonlyMap<number, readonly DeclTagType[]>;

  private constructor(byTarget: ReadonlyMap<number, readonly DeclTagType[]>) {
    this.#byTarget = byTarget;
  }

  /** Finds all tags of `btf`. */
  static of(btf: Btf): DeclTags {
    const byTarget = new Map<number, DeclTagType[]>();
    const { typeCount } = btf;
    for (let id = btf.ownStartId; id < typeCount; id++) {
      if (btf.kindOf(id) !== BtfKind.DeclTag) continue;
      const tag = btf.type(id) as DeclTagType;
      const others = byTarget.get(tag.target.id);
      if (others === undefined) byTarget.set(tag.target.id, [tag]);
      else others.push(tag);
    }
    return byTarget.size === 0 ? DeclTags.NONE : new DeclTags(byTarget);
  }

  /** All tags, in the order of their targets' first ones. */
  all(): DeclTagType[] {
    return [...this.#byTarget.values()].flat();
  }

  /** All tags on `type` and its components, in the order of the BTF. */
  on(type: BtfType): readonly DeclTagType[] {
    return this.#byTarget.get(type.id) ?? [];
  }

  /** The texts of the tags on `type` as a whole. */
  texts(type: BtfType): string[] {
    return this.on(type).filter((tag) => tag.componentIndex === -1).map((tag) => tag.name);
  }
}
