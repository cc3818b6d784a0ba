/** The BTF of a collection and the infos of its programs, for all objects of testdata: nothing too much, nothing missing. */
import { assert, assertEquals } from "@std/assert";
import { isInnerLabel, LABEL } from "../../../lib/asm/mod.ts";
import { Btf, type BtfType, CORE_RELOCATION, FUNC_INFO } from "../../../lib/btf/mod.ts";
import { DebpfError } from "../../../lib/errors.ts";
import {
  hasStructOps,
  relocateCollection,
  type RelocatedCollection,
  type RelocatedProgram,
} from "../../../lib/linker/mod.ts";
import { type CollectionSpec, readCollectionSpec } from "../../../lib/spec/mod.ts";
import { BpfCoreReloKind, BpfProgType, BtfKind } from "../../../lib/uapi/mod.ts";
import { inRepository } from "../../support/mod.ts";

/** `struct bpf_func_info`, `struct bpf_line_info` (linux/bpf.h), in words. */
const FUNC_INFO_WORDS = 2;
const LINE_INFO_WORDS = 4;

function* objects(): Generator<[string, CollectionSpec], void> {
  for (const compiler of ["clang14", "clang19", "clang22"]) {
    const names = [...Deno.readDirSync(inRepository("testdata", compiler))].map(({ name }) => name);
    for (const name of names.filter((name) => name.endsWith(".bpf.o") && !name.endsWith(".eb.bpf.o")).sort()) {
      try {
        const spec = readCollectionSpec(Deno.readFileSync(inRepository("testdata", compiler, name)), { name });
        // Programs that no kernel here could say anything about have no place in this test.
        for (const program of spec.programs.values()) {
          if (program.type === BpfProgType.BPF_PROG_TYPE_UNSPEC) spec.programs.delete(program.name);
        }
        yield [`${compiler}/${name}`, spec];
      } catch (error) {
        if (!(error instanceof DebpfError)) throw error;
      }
    }
  }
}

/** Relocated without a kernel: what is not found is poisoned. */
function relocate(spec: CollectionSpec): RelocatedCollection | undefined {
  try {
    return relocateCollection(spec, { targets: [] });
  } catch (error) {
    if (!(error instanceof DebpfError)) throw error;
    return undefined;
  }
}

function ready({ programs }: RelocatedCollection): [string, RelocatedProgram][] {
  return [...programs].filter((entry): entry is [string, RelocatedProgram] => !(entry[1] instanceof Error));
}

function words(bytes: Uint8Array, perRecord: number): number[][] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from(
    { length: bytes.length / (perRecord * 4) },
    (_, i) => Array.from({ length: perRecord }, (_, word) => view.getUint32((i * perRecord + word) * 4, true)),
  );
}

Deno.test("relocateCollection(): func infos start at 0 and name every function, line infos ascend", () => {
  let checked = 0;
  for (const [object, spec] of objects()) {
    const relocated = relocate(spec);
    for (const [name, program] of relocated === undefined ? [] : ready(relocated)) {
      const place = `${object}: ${name}`;
      const funcs = words(program.funcInfo, FUNC_INFO_WORDS).map(([slot]) => slot!);
      const lines = words(program.lineInfo, LINE_INFO_WORDS).map(([slot]) => slot!);
      if (funcs.length === 0) continue;
      let slot = 0;
      const starts: number[] = [];
      for (const insn of program.insns) {
        const label = insn.get(LABEL);
        if (label !== undefined && !isInnerLabel(label)) starts.push(slot);
        slot += insn.slots;
      }
      assertEquals(funcs, starts, place);
      assertEquals([funcs[0], lines[0]], [0, 0], place);
      assert(lines.every((at, i) => i === 0 || at > lines[i - 1]!), place);
      assert(starts.every((start) => lines.includes(start)), place);
      checked++;
    }
  }
  assert(checked > 200, `${checked} programs`);
});

Deno.test("relocateCollection() gives the same for one spec as often as it is asked", () => {
  for (const [object, spec] of objects()) {
    const [first, second] = [relocate(spec), relocate(spec)];
    assertEquals(first?.btf, second?.btf, object);
    if (first === undefined || second === undefined) continue;
    assertEquals(first.mapTypeIds, second.mapTypeIds, object);
    for (const [name, program] of ready(first)) {
      const again = second.programs.get(name) as RelocatedProgram;
      assertEquals([program.funcInfo, program.lineInfo], [again.funcInfo, again.lineInfo], `${object}: ${name}`);
      assertEquals(program.insns.length, again.insns.length);
    }
  }
});

Deno.test("relocateCollection(): its BTF holds only what programs and maps use", () => {
  let checked = 0;
  for (const [object, spec] of objects()) {
    const relocated = relocate(spec);
    if (relocated?.btf === undefined) continue;
    const btf = Btf.parse(relocated.btf);
    const reached = reachable(btf, roots(spec, relocated, btf));
    for (let id = 1; id < btf.typeCount; id++) {
      assert(reached.has(id), `${object}: type ${id} ("${btf.nameOf(id)}", kind ${btf.kindOf(id)}) is of no use`);
    }
    checked++;
  }
  assert(checked > 50, `${checked} objects`);
});

/** Ids that programs and maps name. */
function roots(spec: CollectionSpec, { programs, mapTypeIds }: RelocatedCollection, btf: Btf): number[] {
  const ids: number[] = [];
  for (const program of programs.values()) {
    if (program instanceof Error) continue;
    for (const insn of program.insns) {
      const isLocal = insn.get(CORE_RELOCATION)?.kind === BpfCoreReloKind.BPF_CORE_TYPE_ID_LOCAL;
      if (isLocal) ids.push(insn.imm);
      const func = insn.get(FUNC_INFO);
      if (func !== undefined) ids.push(...btf.findIds(func.name, BtfKind.Func));
    }
  }
  for (const map of mapTypeIds.values()) {
    for (let own: typeof map | undefined = map; own !== undefined; own = own.inner) ids.push(own.key, own.value);
  }
  // A struct_ops map needs some BTF, whatever it says.
  if (hasStructOps(spec) && btf.typeCount === 2) ids.push(1);
  return ids;
}

/** What `ids` refer to, with the tags on it, and what those name. */
function reachable(btf: Btf, ids: readonly number[]): Set<number> {
  const reached = new Set<number>();
  const pending = ids.map((id) => btf.type(id));
  const tags = [...btf.types()].filter((type) => type.kind === BtfKind.DeclTag);
  const visit = () => {
    for (let type = pending.pop(); type !== undefined; type = pending.pop()) {
      if (reached.has(type.id)) continue;
      reached.add(type.id);
      pending.push(...references(type));
    }
  };
  visit();
  for (let before = -1; before !== reached.size;) {
    before = reached.size;
    for (const tag of tags) {
      if (!reached.has(tag.target.id)) continue;
      pending.push(tag);
      const contained = /^contains:([^:]+)/.exec(tag.name)?.[1];
      if (contained !== undefined) pending.push(...btf.findIds(contained, BtfKind.Struct).map((id) => btf.type(id)));
    }
    visit();
  }
  return reached;
}

function references(type: BtfType): BtfType[] {
  const found: BtfType[] = [];
  if ("target" in type) found.push(type.target);
  if ("element" in type) found.push(type.element, type.index);
  if ("members" in type) found.push(...type.members.map((member) => member.type));
  if ("returns" in type) found.push(type.returns, ...type.params.map((param) => param.type));
  if ("entries" in type) found.push(...type.entries.map((entry) => entry.type));
  return found;
}
