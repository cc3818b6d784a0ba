/**
 * The one BTF of a collection: what its programs and maps use.
 *
 * @module
 */
import type { Instruction } from "../asm/mod.ts";
import { type BtfBuilder, type BtfType, FUNC_INFO, INT_TYPE } from "../btf/mod.ts";
import { type CollectionSpec, DeclTags, FUNC_TAGS, type MapSpec } from "../spec/mod.ts";
import { BpfMapType, BtfKind } from "../uapi/mod.ts";

/** Ids of the types of a map's keys and values; 0 where the kernel is told none. */
export interface MapTypeIds {
  /** Id of the type of keys. */
  readonly key: number;
  /** Id of the type of values. */
  readonly value: number;
  /** Those of the maps inside, for maps of maps. */
  readonly inner?: MapTypeIds;
}

/** Map types that the kernel (or an older one) refuses BTF for; libbpf 1.8's list. */
const WITHOUT_TYPES: ReadonlySet<BpfMapType> = new Set<BpfMapType>([
  BpfMapType.BPF_MAP_TYPE_PERF_EVENT_ARRAY,
  BpfMapType.BPF_MAP_TYPE_CGROUP_ARRAY,
  BpfMapType.BPF_MAP_TYPE_STACK_TRACE,
  BpfMapType.BPF_MAP_TYPE_ARRAY_OF_MAPS,
  BpfMapType.BPF_MAP_TYPE_HASH_OF_MAPS,
  BpfMapType.BPF_MAP_TYPE_DEVMAP,
  BpfMapType.BPF_MAP_TYPE_DEVMAP_HASH,
  BpfMapType.BPF_MAP_TYPE_CPUMAP,
  BpfMapType.BPF_MAP_TYPE_XSKMAP,
  BpfMapType.BPF_MAP_TYPE_SOCKMAP,
  BpfMapType.BPF_MAP_TYPE_SOCKHASH,
  BpfMapType.BPF_MAP_TYPE_QUEUE,
  BpfMapType.BPF_MAP_TYPE_STACK,
  BpfMapType.BPF_MAP_TYPE_ARENA,
  // The kernel's own type is told instead.
  BpfMapType.BPF_MAP_TYPE_STRUCT_OPS,
]);

/** The tag on a member that is the head of a list or tree: `contains:STRUCT:MEMBER`, which names the elements' struct. */
const CONTAINS = "contains:";

/** Adds to a builder what a collection uses. */
export class CollectionTypes {
  readonly #spec: CollectionSpec;
  readonly #builder: BtfBuilder;

  /**
   * @param spec The collection.
   * @param builder The BTF that is built.
   */
  constructor(spec: CollectionSpec, builder: BtfBuilder) {
    this.#spec = spec;
    this.#builder = builder;
  }

  /** Adds the functions of a linked program, and their tags. */
  addProgram(insns: readonly Instruction[]): void {
    for (const insn of insns) {
      const func = insn.get(FUNC_INFO);
      if (func === undefined) continue;
      this.#builder.add(func);
      for (const tag of insn.get(FUNC_TAGS) ?? []) this.#builder.add(tag);
    }
  }

  /** Adds the types of all maps, and gives their ids by name of map. */
  addMaps(): Map<string, MapTypeIds> {
    const ids = new Map<string, MapTypeIds>();
    for (const map of this.#spec.maps.values()) {
      const own = this.#addMap(map);
      if (own !== undefined) ids.set(map.name, own);
    }
    return ids;
  }

  #addMap(map: MapSpec): MapTypeIds | undefined {
    const inner = map.inner === undefined ? undefined : this.#addMap(map.inner);
    const typed = !WITHOUT_TYPES.has(map.type);
    const key = typed ? this.#add(map.key) : 0;
    const value = typed ? this.#add(map.value) : 0;
    if (inner !== undefined) return { key, value, inner };
    return key === 0 && value === 0 ? undefined : { key, value };
  }

  /** Adds some type if there is none: the kernel creates no struct_ops map without BTF, though it reads nothing of it. */
  addAny(): void {
    if (this.#builder.typeCount > 1) return;
    this.#builder.add(INT_TYPE);
  }

  #add(type: BtfType | undefined): number {
    return type === undefined ? 0 : this.#builder.add(type);
  }

  /**
   * Adds the tags on members of structs that are there already: the verifier reads which lists and trees they hold.
   * A tag may name a struct that nothing else refers to, and that may have tags of its own.
   */
  addTags(): void {
    const { btf } = this.#spec;
    if (btf === undefined) return;
    const tags = DeclTags.of(btf);
    const pending = new Set(tags.all().filter((tag) => tag.target.kind === BtfKind.Struct));
    let found = true;
    while (found) {
      found = false;
      for (const tag of pending) {
        if (!this.#builder.has(tag.target)) continue;
        pending.delete(tag);
        found = true;
        this.#builder.add(tag);
        if (!tag.name.startsWith(CONTAINS)) continue;
        const [element = ""] = tag.name.slice(CONTAINS.length).split(":");
        const type = btf.find(element, BtfKind.Struct);
        if (type !== undefined) this.#builder.add(type);
      }
    }
  }
}
