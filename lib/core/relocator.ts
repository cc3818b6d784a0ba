/**
 * From relocations to fixups.
 *
 * @module
 */
import { BpfCoreReloKind } from "../uapi/mod.ts";
import type { BtfType, CoreRelocation } from "../btf/mod.ts";
import { RelocationError } from "../errors.ts";
import { assertAgreement, type Match } from "./agreement.ts";
import { type Candidate, type CoreTarget, findCandidates } from "./candidates.ts";
import { type CoreExplanation, type Evidence, explain } from "./explain.ts";
import type { CoreFixup } from "./fixup.ts";
import { relocationKindName } from "./kinds.ts";
import { isMismatch, matchSubject } from "./match_subject.ts";
import { describeSubject, localSubject, type Subject } from "./subject.ts";
import { missingValue, type RelocationValue, relocationValue } from "./value.ts";
import { type WidthChange, widthChange } from "./width_change.ts";

/** How relocations are resolved. */
export interface RelocateOptions {
  /**
   * The id of a type of the object in the BTF that will be loaded with the program; without it, the id in the object's own
   * BTF.
   */
  readonly resolveLocalTypeId?: (type: BtfType) => number;
}

/** What relocations of one local type share. */
interface LocalRoot {
  /** All types of the targets with its name and kind. */
  readonly found: readonly Candidate[];
  /** Those that every relocation so far has left. */
  left: readonly Candidate[];
  /** Fixups by kind, then by accessor. */
  readonly fixups: Map<string, Resolved>[];
}

/** A fixup, and the candidates that it left: while those are left, an equal relocation comes to an equal fixup. */
interface Resolved {
  readonly fixup: CoreFixup;
  readonly left: readonly Candidate[];
}

/**
 * Resolves the relocations of one object, one after the other.
 *
 * libbpf narrows the candidates of a type with every relocation that matches some of them: where a kernel has two structs
 * of one name, a field that only one has settles which one is meant by all relocations that follow. Hence the state, and
 * hence the order matters in such (rare) cases.
 */
export class Relocator {
  readonly #targets: readonly CoreTarget[];
  readonly #resolveLocalTypeId: (type: BtfType) => number;
  readonly #roots = new Map<BtfType, LocalRoot>();

  /**
   * Starts with all candidates.
   *
   * @param targets The kernel first, then its modules.
   * @param options How local type ids are found.
   */
  constructor(targets: readonly CoreTarget[], options: RelocateOptions = {}) {
    this.#targets = targets;
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
    const root = this.#root(relocation);
    const fixups = root.fixups[kind] ??= new Map();
    const known = fixups.get(accessor);
    if (known?.left === root.left) return known.fixup;
    const local = localSubject(relocation);
    if (type.name === "") {
      throw new RelocationError(
        `${relocationKindName(kind)} of ${describeSubject(local)}: anonymous types can't be looked for in a kernel`,
      );
    }
    const fixup = resolveAmong(relocation, local, root, this.#targets);
    fixups.set(accessor, { fixup, left: root.left });
    return fixup;
  }

  #root(relocation: CoreRelocation): LocalRoot {
    const { type, btf } = relocation;
    let root = this.#roots.get(type);
    if (root === undefined) {
      for (const target of this.#targets) {
        if (target.btf.order !== btf.order) {
          throw new RelocationError(
            `the object is ${btf.order}-endian and "${target.name}" is ${target.btf.order}-endian: ` +
              `give BTF of a kernel with the object's byte order`,
          );
        }
      }
      const found = type.name === "" ? [] : findCandidates(type, this.#targets);
      root = { found, left: found, fixups: [] };
      this.#roots.set(type, root);
    }
    return root;
  }

  /** Needs no target: it is the loader that gives the object's types their final ids. */
  #localId(relocation: CoreRelocation): CoreFixup {
    const local = localSubject(relocation);
    const targetValue = this.#resolveLocalTypeId(relocation.type);
    const value = { value: relocation.type.id, checked: false };
    const evidence = { relocation, local, found: [], considered: [], targets: [] };
    return new Fixup(value, targetValue, undefined, undefined, evidence);
  }
}

/** See {@linkcode CoreFixup}; keeps what an explanation needs, and makes it when asked: most are never read. */
class Fixup implements CoreFixup {
  readonly kind: BpfCoreReloKind;
  readonly localValue: number | bigint;
  readonly checked: boolean;
  readonly poison: boolean;
  readonly targetValue: number | bigint;
  readonly width: WidthChange | undefined;
  readonly chosen: Candidate | undefined;
  readonly #evidence: Evidence;

  /** @param targetValue `undefined` for poison. */
  constructor(
    local: RelocationValue,
    targetValue: number | bigint | undefined,
    width: WidthChange | undefined,
    chosen: Candidate | undefined,
    evidence: Evidence,
  ) {
    this.kind = evidence.relocation.kind;
    this.localValue = local.value;
    this.checked = local.checked;
    this.poison = targetValue === undefined;
    this.targetValue = targetValue ?? 0;
    this.width = width;
    this.chosen = chosen;
    this.#evidence = evidence;
  }

  get explanation(): CoreExplanation {
    return explain(this, this.#evidence);
  }
}

/** Tries all candidates that are left, leaves those that match, and makes sure that they agree. */
function resolveAmong(
  relocation: CoreRelocation,
  local: Subject,
  root: LocalRoot,
  targets: readonly CoreTarget[],
): CoreFixup {
  const { kind, btf } = relocation;
  const { found, left: considered } = root;
  const evidence = { relocation, local, found, considered, targets };
  const localValue = relocationValue(kind, local, btf);
  const matching: Candidate[] = [];
  let first: Match | undefined;
  for (let i = 0; i < considered.length; i++) {
    const candidate = considered[i]!;
    const subject = matchSubject(local, candidate.type, kind, candidate.target.btf.pointerSize);
    if (isMismatch(subject)) continue;
    const match = { candidate, subject, value: relocationValue(kind, subject, candidate.target.btf) };
    if (first === undefined) first = match;
    else assertAgreement(kind, local, first, match);
    matching.push(candidate);
  }
  if (first === undefined) return new Fixup(localValue, missingValue(kind), undefined, undefined, evidence);
  if (matching.length < considered.length) root.left = matching;
  const { value, width } = first.value;
  return new Fixup(localValue, value, widthChange(localValue.width, width), first.candidate, evidence);
}
