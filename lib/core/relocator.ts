/**
 * From relocations to fixups.
 *
 * @module
 */
import { BpfCoreReloKind } from "../uapi/mod.ts";
import type { BtfType, CoreRelocation } from "../btf/mod.ts";
import { RelocationError } from "../errors.ts";
import { rememberAccessors } from "./accessor.ts";
import { agree, AmbiguityError, type Match } from "./agreement.ts";
import { type Candidate, type CoreTarget, type SkippedTarget, Targets } from "./candidates.ts";
import { type CoreExplanation, type Evidence, explain, explainAmbiguity } from "./explain.ts";
import type { CoreFixup } from "./fixup.ts";
import { relocationKindName } from "./kinds.ts";
import { isMismatch, matchSubject } from "./match_subject.ts";
import { describeSubject, localSubject, type Subject } from "./subject.ts";
import { missingValue, type RelocationValue, relocationValue } from "./value.ts";
import { type WidthChange, widthChange } from "./width_change.ts";

const NO_TARGETS = new Targets([]);

/** How relocations are resolved. */
export interface RelocateOptions {
  /**
   * The id of a type of the object in the BTF that will be loaded with the program; without it, the id in the object's own
   * BTF.
   */
  readonly resolveLocalTypeId?: (type: BtfType) => number;
  /** Told of a module whose BTF cannot be read: it is skipped, as if the module were not loaded. */
  readonly skipped?: SkippedTarget;
}

/** What relocations of one local type share. */
interface LocalRoot {
  /** All types of the targets with its name and kind. */
  readonly found: readonly Candidate[];
  /** Those that every relocation so far has left. */
  left: readonly Candidate[];
  /** Fixups by kind, then by accessor. */
  readonly fixups: Map<string, Fixup>[];
}

/**
 * Resolves the relocations of one object, one after the other.
 *
 * libbpf narrows the candidates of a type with every relocation that matches some of them: where a kernel has two structs
 * of one name, a field that only one has settles which one is meant by all relocations that follow. Hence the state, and
 * hence the order matters in such (rare) cases.
 *
 * A loader resolves each relocation once, in a process that has just started, so what counts is how much is done before
 * any compiler has seen it: little is allocated, and explanations are put together only when they are read.
 */
export class Relocator {
  readonly #targets: Targets;
  readonly #resolveLocalTypeId: (type: BtfType) => number;
  readonly #roots = new Map<BtfType, LocalRoot>();
  readonly #parse = rememberAccessors();

  /**
   * Starts with all candidates.
   *
   * @param targets The kernel first, then its modules.
   * @param options How local type ids are found.
   */
  constructor(targets: readonly CoreTarget[], options: RelocateOptions = {}) {
    this.#targets = new Targets(targets, options.skipped);
    this.#resolveLocalTypeId = options.resolveLocalTypeId ?? ((type) => type.id);
  }

  /**
   * The fixup of one relocation.
   *
   * @throws {RelocationError} if it is broken, or several types of a target answer it differently. The message names the
   * relocation, not the place in the program, which only the caller knows.
   */
  resolve(relocation: CoreRelocation): CoreFixup {
    const { kind, type, accessor } = relocation;
    if (kind === BpfCoreReloKind.BPF_CORE_TYPE_ID_LOCAL) return this.#localId(relocation);
    const root = this.#roots.get(type) ?? this.#addRoot(relocation);
    const fixups = root.fixups[kind] ??= new Map();
    // While the same candidates are left, an equal relocation comes to an equal fixup.
    const known = fixups.get(accessor);
    if (known?.left === root.left) return known;
    const local = localSubject(relocation, this.#parse);
    if (type.name === "") {
      throw new RelocationError(
        `${relocationKindName(kind)} of ${describeSubject(local)}: anonymous types can't be looked for in a kernel`,
      );
    }
    const fixup = resolveAmong(relocation, local, root, this.#targets);
    fixups.set(accessor, fixup);
    return fixup;
  }

  /** The types of the targets that the relocations so far have left of those that `relocation`'s type may stand for. */
  left(relocation: CoreRelocation): readonly Candidate[] {
    return (this.#roots.get(relocation.type) ?? this.#addRoot(relocation)).left;
  }

  #addRoot({ type, btf }: CoreRelocation): LocalRoot {
    this.#targets.checkOrder(btf.order);
    const found = this.#targets.candidates(type);
    const root = { found, left: found, fixups: [] };
    this.#roots.set(type, root);
    return root;
  }

  /** Needs no target: it is the loader that gives the object's types their final ids. */
  #localId(relocation: CoreRelocation): CoreFixup {
    localSubject(relocation);
    const targetValue = this.#resolveLocalTypeId(relocation.type);
    const value = { value: relocation.type.id, checked: false };
    return new Fixup(relocation, value, targetValue, undefined, undefined, NO_ROOT, [], NO_TARGETS);
  }
}

const NO_ROOT: LocalRoot = { found: [], left: [], fixups: [] };

/** See {@linkcode CoreFixup}; keeps what an explanation needs. */
class Fixup implements CoreFixup {
  readonly kind: BpfCoreReloKind;
  readonly localValue: number | bigint;
  readonly checked: boolean;
  readonly poison: boolean;
  readonly targetValue: number | bigint;
  readonly width: WidthChange | undefined;
  readonly chosen: Candidate | undefined;
  /** The candidates that it left. */
  readonly left: readonly Candidate[];
  readonly #relocation: CoreRelocation;
  readonly #found: readonly Candidate[];
  readonly #considered: readonly Candidate[];
  readonly #targets: Targets;

  /**
   * @param targetValue `undefined` for poison.
   * @param root With the candidates that the relocation left.
   * @param considered The candidates that those before it had left.
   */
  constructor(
    relocation: CoreRelocation,
    local: RelocationValue,
    targetValue: number | bigint | undefined,
    width: WidthChange | undefined,
    chosen: Candidate | undefined,
    root: LocalRoot,
    considered: readonly Candidate[],
    targets: Targets,
  ) {
    this.kind = relocation.kind;
    this.localValue = local.value;
    this.checked = local.checked;
    this.poison = targetValue === undefined;
    this.targetValue = targetValue ?? 0;
    this.width = width;
    this.chosen = chosen;
    this.left = root.left;
    this.#relocation = relocation;
    this.#found = root.found;
    this.#considered = considered;
    this.#targets = targets;
  }

  get explanation(): CoreExplanation {
    return explain(this, evidence(this.#relocation, this.#found, this.#considered, this.#targets));
  }
}

function evidence(
  relocation: CoreRelocation,
  found: readonly Candidate[],
  considered: readonly Candidate[],
  targets: Targets,
): Evidence {
  return { relocation, local: localSubject(relocation), found, considered, targets };
}

/** Tries all candidates that are left, leaves those that match, and makes sure that they agree. */
function resolveAmong(relocation: CoreRelocation, local: Subject, root: LocalRoot, targets: Targets): Fixup {
  const { kind, btf } = relocation;
  const considered = root.left;
  const localValue = relocationValue(kind, local, btf);
  let matching: Candidate[] | undefined;
  let first: Match | undefined;
  for (let i = 0; i < considered.length; i++) {
    const candidate = considered[i]!;
    const targetBtf = candidate.target.btf;
    const subject = matchSubject(local, candidate.type, kind, targetBtf.pointerSize);
    if (isMismatch(subject)) {
      matching ??= considered.slice(0, i);
      continue;
    }
    const match: Match = { candidate, subject, value: relocationValue(kind, subject, targetBtf) };
    if (first === undefined) {
      first = match;
    } else if (!agree(first, match)) {
      throw new AmbiguityError(explainAmbiguity(evidence(relocation, root.found, considered, targets), first, match));
    }
    matching?.push(candidate);
  }
  if (first === undefined) {
    return new Fixup(relocation, localValue, missingValue(kind), undefined, undefined, root, considered, targets);
  }
  if (matching !== undefined) root.left = matching;
  const { value, width } = first.value;
  const change = widthChange(localValue.width, width);
  return new Fixup(relocation, localValue, value, change, first.candidate, root, considered, targets);
}
