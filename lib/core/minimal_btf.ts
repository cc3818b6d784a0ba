/**
 * The little BTF that is enough to relocate given objects: for machines whose kernel has none, shipped with the object
 * ("BTFgen").
 *
 * @module
 */
import { Btf, BtfBuilder, type BtfType, type CoreRelocation, skipModifiersAndTypedefs } from "../btf/mod.ts";
import { DebpfError, RelocationError } from "../errors.ts";
import { BpfCoreReloKind, BtfKind } from "../uapi/mod.ts";
import type { CoreTarget, SkippedTarget } from "./candidates.ts";
import { memberPath } from "./find_member.ts";
import type { CoreFixup } from "./fixup.ts";
import { isMismatch, matchSubject } from "./match_subject.ts";
import { MinimalTypes } from "./minimal_types.ts";
import { Relocator } from "./relocator.ts";
import { objectOrder, relocationLabel } from "./sites.ts";
import { localSubject, type Subject } from "./subject.ts";

/** Options of {@linkcode minimalBtf}. */
export interface MinimalBtfOptions {
  /** Told of a module whose BTF cannot be read. */
  readonly skipped?: SkippedTarget;
}

/** A candidate that does not match, as a whole type: if it is kept, then with all that makes it differ. */
interface Different {
  readonly type: BtfType;
  readonly kind: BpfCoreReloKind;
}

/**
 * BTF of no more types, members and values than the relocations of `objects` need: relocating them against it gives the
 * same instructions as against `targets` (ids of its types are its own). What modules contribute is merged into it, since
 * modules are asked only for what the kernel lacks.
 *
 * @param objects The relocations of each object.
 * @param targets The kernel first, then its modules.
 * @returns The BTF's bytes, in the kernel's byte order.
 * @throws {RelocationError} if there is no target, or an object is of another byte order.
 */
export function minimalBtf(
  objects: readonly (readonly CoreRelocation[])[],
  targets: readonly CoreTarget[],
  options: MinimalBtfOptions = {},
): Uint8Array {
  const kernel = targets[0];
  if (kernel === undefined) throw new RelocationError("a minimal BTF needs the BTF of a kernel to take it from");
  const types = new MinimalTypes();
  const roots = new Set<BtfType>();
  const different: Different[] = [];
  for (const relocations of objects) {
    const relocator = new Relocator(targets, options);
    for (const position of objectOrder(relocations)) {
      collect(relocations[position]!, relocator, types, roots, different);
    }
  }
  keepDifferences(types, roots, different);

  const builder = new BtfBuilder({ order: kernel.btf.order });
  // Readers tell the size of a pointer by that of `long`, and take 8 bytes without one.
  if (kernel.btf.pointerSize !== 8) addLong(kernel.btf, builder);
  // Candidates are tried by ascending id.
  const ordered = [...roots].sort((a, b) => a.id - b.id);
  for (const type of ordered) builder.add(types.smaller(type));
  const bytes = builder.encode();
  for (const relocations of objects) assertSameFixups(relocations, targets, bytes, options);
  return bytes;
}

/** Wants what a relocation finds in every candidate that matches. */
function collect(
  relocation: CoreRelocation,
  relocator: Relocator,
  types: MinimalTypes,
  roots: Set<BtfType>,
  different: Different[],
): void {
  const { kind } = relocation;
  if (kind === BpfCoreReloKind.BPF_CORE_TYPE_ID_LOCAL) return;
  const considered = relocator.left(relocation);
  const local = attempt(() => localSubject(relocation));
  // A broken relocation is broken against any BTF.
  if (local === undefined) return;
  for (const { type, target } of considered) {
    const subject = attempt(() => matchSubject(local, type, kind, target.btf.pointerSize));
    if (subject === undefined) continue;
    if (isMismatch(subject)) {
      if (local.family === "type") different.push({ type, kind });
      continue;
    }
    roots.add(type);
    wantSubject(types, subject, kind);
  }
  attempt(() => relocator.resolve(relocation));
}

function wantSubject(types: MinimalTypes, subject: Subject, kind: BpfCoreReloKind): void {
  switch (subject.family) {
    case "type":
      wantType(types, subject.root, kind);
      break;
    case "enumerator":
      types.want(subject.type, subject.index);
      break;
    case "field": {
      let type = skipModifiersAndTypedefs(subject.root);
      for (const step of subject.access.steps) {
        if (step.kind === "member") {
          for (const { parent, index } of memberPath(type, step.member.name)) types.want(parent, index);
        }
        type = step.type;
      }
      break;
    }
    default:
      subject satisfies never;
  }
}

function wantType(types: MinimalTypes, type: BtfType, kind: BpfCoreReloKind): void {
  if (kind === BpfCoreReloKind.BPF_CORE_TYPE_MATCHES) types.wantWhole(type);
  else types.wantCompatible(type);
}

/** A type that differs may be kept for another's sake; then it must still differ. */
function keepDifferences(types: MinimalTypes, roots: ReadonlySet<BtfType>, different: readonly Different[]): void {
  let pending = different;
  for (;;) {
    const reached = types.reachable(roots);
    const kept = pending.filter(({ type }) => reached.has(type));
    if (kept.length === 0) return;
    for (const { type, kind } of kept) wantType(types, type, kind);
    pending = pending.filter(({ type }) => !reached.has(type));
  }
}

function addLong(btf: Btf, builder: BtfBuilder): void {
  for (const type of btf.types()) {
    if (type.kind !== BtfKind.Int || type.size !== btf.pointerSize || !/\blong\b/.test(type.name)) continue;
    builder.add(type);
    return;
  }
}

/** Whether the result is right is cheap to find out, and nobody else would before the object fails to load. */
function assertSameFixups(
  relocations: readonly CoreRelocation[],
  targets: readonly CoreTarget[],
  bytes: Uint8Array,
  options: MinimalBtfOptions,
): void {
  const minimal = { btf: Btf.parse(bytes, { what: "the minimal BTF" }), name: "the minimal BTF" };
  const [before, after] = [new Relocator(targets, options), new Relocator([minimal])];
  for (const position of objectOrder(relocations)) {
    const relocation = relocations[position]!;
    const [expected, got] = [before, after].map((relocator) => attempt(() => relocator.resolve(relocation)));
    if (!sameOutcome(expected, got)) {
      throw new RelocationError(
        `${relocationLabel(relocation)}: comes out otherwise against the minimal BTF than against ${targets[0]!.name}`,
      );
    }
  }
}

function sameOutcome(a: CoreFixup | undefined, b: CoreFixup | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  if (a.poison !== b.poison || a.chosen?.type.name !== b.chosen?.type.name) return false;
  // Ids are each BTF's own.
  const sameValue = a.kind === BpfCoreReloKind.BPF_CORE_TYPE_ID_TARGET
    ? (a.targetValue === 0) === (b.targetValue === 0)
    : a.targetValue === b.targetValue;
  return sameValue && a.width?.local === b.width?.local && a.width?.target === b.width?.target &&
    a.width?.safe === b.width?.safe;
}

/** What `make` gives; `undefined` for what is broken. */
function attempt<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch (error) {
    if (error instanceof DebpfError) return undefined;
    throw error;
  }
}
