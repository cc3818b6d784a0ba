/**
 * Candidates: the types of a target that an object's type may stand for.
 *
 * @module
 */
import type { ByteOrder } from "../bytes.ts";
import { type Btf, type BtfType, essentialName } from "../btf/mod.ts";
import { DebpfError, RelocationError } from "../errors.ts";
import { BtfKind } from "../uapi/mod.ts";
import { kindsCompatible } from "./fields_compatible.ts";

/** Types to relocate against. */
export interface CoreTarget {
  /**
   * The types: a kernel's, or a module's with the kernel's as its base. A module's is asked for only when the kernel lacks
   * a name, so it may be a getter that reads the BTF then.
   */
  readonly btf: Btf;
  /** What it is called in messages: `"vmlinux 6.1.0"`, `"nf_conntrack"`. */
  readonly name: string;
}

/** A type of a target that has the name and the kind that are looked for. */
export interface Candidate {
  /** Where it is. */
  readonly target: CoreTarget;
  /** The type, of the target's BTF. */
  readonly type: BtfType;
}

/** Told of a module whose BTF cannot be read: it is skipped, as if the module were not loaded. */
export type SkippedTarget = (target: CoreTarget, error: DebpfError) => void;

/** A kernel and its modules. */
export class Targets {
  readonly #order: ByteOrder | undefined;
  readonly #skipped: SkippedTarget;
  readonly #kernel: CoreTarget | undefined;
  #modules: readonly CoreTarget[];

  /**
   * Reads nothing yet.
   *
   * @param targets The kernel first, then its modules.
   * @param skipped Told of broken modules.
   */
  constructor(targets: readonly CoreTarget[], skipped: SkippedTarget = () => {}) {
    [this.#kernel, ...this.#modules] = targets;
    this.#skipped = skipped;
    this.#order = this.#kernel?.btf.order;
  }

  /** Names of the kernel and of those modules that are not broken. */
  get names(): string[] {
    return this.#kernel === undefined ? [] : [this.#kernel, ...this.#modules].map((target) => target.name);
  }

  /**
   * Makes sure that an object is of the targets' byte order.
   *
   * @throws {RelocationError} if it isn't.
   */
  checkOrder(order: ByteOrder): void {
    if (this.#kernel === undefined || this.#order === order) return;
    throw new RelocationError(
      `the object is ${order}-endian and "${this.#kernel.name}" is ${this.#order}-endian: ` +
        `give BTF of a kernel with the object's byte order`,
    );
  }

  /**
   * The types that have `local`'s name without flavours and its kind, by ascending id. Modules are asked only for what the
   * kernel lacks, and only for types of their own.
   *
   * @throws {FormatError} if the kernel's BTF is broken.
   */
  candidates(local: BtfType): Candidate[] {
    const kinds = kindsLike(local.kind);
    return this.#find(local, kinds, () => true);
  }

  /** The types that have `local`'s name without flavours, but another kind: what people ask about next. */
  namesakes(local: BtfType): Candidate[] {
    return this.#find(local, [], ({ btf }, id) => !kindsCompatible(local.kind, btf.kindOf(id)));
  }

  #find(
    local: BtfType,
    kinds: readonly BtfKind[],
    accept: (target: CoreTarget, id: number) => boolean,
  ): Candidate[] {
    if (this.#kernel === undefined || local.name === "") return [];
    const name = essentialName(local.name);
    const inTarget = (target: CoreTarget, firstId: number): Candidate[] =>
      target.btf.findEssential(name, ...kinds).filter((id) => id >= firstId && accept(target, id))
        .map((id) => ({ target, type: target.btf.type(id) }));
    const found = inTarget(this.#kernel, 1);
    if (found.length > 0) return found;
    for (const module of this.#modules) {
      try {
        const { order, ownStartId } = module.btf;
        if (order !== this.#order) throw new RelocationError(`${module.name}: is ${order}-endian, its kernel is not`);
        found.push(...inTarget(module, ownStartId));
      } catch (error) {
        if (!(error instanceof DebpfError)) throw error;
        this.#modules = this.#modules.filter((other) => other !== module);
        this.#skipped(module, error);
      }
    }
    return found;
  }
}

/** The kinds that go with `kind`: a look-up that leaves out functions costs a fifth of one of all kinds. */
function kindsLike(kind: BtfKind): readonly BtfKind[] {
  return kind === BtfKind.Enum || kind === BtfKind.Enum64 ? [BtfKind.Enum, BtfKind.Enum64] : [kind];
}
