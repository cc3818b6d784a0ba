import { assertEquals } from "@std/assert";
import { type Instruction, MAP, OPCODE, SOURCE } from "../../../lib/asm/mod.ts";
import { Instruction as Insn } from "../../../lib/asm/mod.ts";
import {
  type KernelFeature,
  MISSING_MAP,
  relocateCollection,
  type RelocateCollectionOptions,
  type RelocatedProgram,
} from "../../../lib/linker/mod.ts";
import { type CollectionSpec, readCollectionSpec } from "../../../lib/spec/mod.ts";
import { BpfAttachType, BpfMapFlag } from "../../../lib/uapi/mod.ts";
import { inRepository } from "../../support/mod.ts";
import { mov, program } from "./builders.ts";
import { collectionOf } from "./externs/externs.ts";

function adapted(
  spec: CollectionSpec,
  missing: readonly KernelFeature[],
  options: Partial<RelocateCollectionOptions> = {},
) {
  return relocateCollection(spec, { targets: [], missing: new Set(missing), ...options });
}

function insnsOf(spec: CollectionSpec, name: string, missing: readonly KernelFeature[]): readonly Instruction[] {
  return (adapted(spec, missing).programs.get(name) as RelocatedProgram).insns;
}

const call = (helper: number) => Insn.of({ opcode: OPCODE.CALL, imm: helper });
const object = (name: string) =>
  readCollectionSpec(Deno.readFileSync(inRepository("testdata", "clang19", `${name}.bpf.o`)), { name });

Deno.test("without probe_read_kernel its calls are of the helpers that were before it", () => {
  // probe_read_user, probe_read_kernel, probe_read_user_str, probe_read_kernel_str; another helper; a function of the kernel.
  const calls = [112, 113, 114, 115, 14].map(call);
  const kfunc = Insn.of({ opcode: OPCODE.CALL, src: 2, imm: 113 });
  const spec = collectionOf([], [...calls, kfunc]);
  const numbers = (missing: KernelFeature[]) => insnsOf(spec, "main", missing).slice(0, 6).map(({ imm }) => imm);
  assertEquals(numbers([]), [112, 113, 114, 115, 14, 113]);
  assertEquals(numbers(["probe_read_kernel"]), [4, 4, 45, 45, 14, 113]);
});

Deno.test("without global data its maps are not made, and what refers to them cannot be reached", () => {
  const spec = object("nobtf");
  const whole = adapted(spec, []);
  const without = adapted(spec, ["global_data"]);
  const data = [...spec.maps.values()].filter(({ section }) => section !== undefined).map(({ name }) => name);
  assertEquals([...whole.maps.keys()], [...spec.maps.keys()]);
  assertEquals([...without.maps.keys()], [...spec.maps.keys()].filter((name) => !data.includes(name)));
  const [name] = spec.programs.keys();
  const before = insnsOf(spec, name!, []);
  const after = insnsOf(spec, name!, ["global_data"]);
  const index = before.findIndex((insn) => data.includes(insn.get(MAP) ?? ""));
  const map = before[index]!.get(MAP)!;
  const imm = 2001000000 + [...spec.maps.keys()].indexOf(map);
  assertEquals(after.slice(index, index + 2).map((insn) => [insn.opcode, insn.dst, insn.src, insn.offset, insn.imm]), [
    [0x85, 0, 0, 0, imm],
    [0x85, 0, 0, 0, imm],
  ]);
  assertEquals(after[index]!.get(MISSING_MAP), map);
  assertEquals(after[index]!.get(SOURCE), before[index]!.get(SOURCE));
});

Deno.test("a map that the user does not create leaves references that cannot be reached", () => {
  const spec = object("events");
  const [program] = spec.programs.values();
  const name = program!.instructions.map((insn) => insn.get(MAP)).find((map) => map !== undefined)!;
  spec.maps.get(name)!.autocreate = false;
  assertEquals(adapted(spec, []).maps.has(name), false);
  const marked = insnsOf(spec, program!.name, []).filter((insn) => insn.get(MISSING_MAP) === name);
  assertEquals(marked.length > 0, true);
});

Deno.test("without array_mmap, maps of global data are not for mapping, others stay as they are", () => {
  const spec = object("events");
  const flags = (missing: KernelFeature[]) =>
    [...adapted(spec, missing).maps.values()].map(({ section, flags }) => [section, flags & BpfMapFlag.BPF_F_MMAPABLE]);
  const own = flags([]);
  assertEquals(own.some(([, mmapable]) => mmapable !== 0), true);
  assertEquals(flags(["array_mmap"]), own.map(([section, flag]) => [section, section === undefined ? flag : 0]));
});

Deno.test("without names, maps have none; without expected_attach_type, programs that need not know have 0", () => {
  const spec = object("events");
  const names = [...adapted(spec, ["object_names"]).maps.values()].map(({ kernelName }) => kernelName);
  assertEquals(new Set(names), new Set([""]));
  const needs = program([mov(0)], {
    name: "needs",
    section: "cgroup/connect4",
    expectedAttachType: BpfAttachType.BPF_CGROUP_INET4_CONNECT,
  });
  const may = program([mov(0)], {
    name: "may",
    expectedAttachType: BpfAttachType.BPF_XDP,
    expectedAttachTypeOptional: true,
  });
  const programs = { ...collectionOf([]), programs: new Map([["needs", needs], ["may", may]]) };
  const types = (missing: KernelFeature[]) =>
    [...adapted(programs, missing).programs.values()].map((made) => (made as RelocatedProgram).expectedAttachType);
  assertEquals(types([]), [BpfAttachType.BPF_CGROUP_INET4_CONNECT, BpfAttachType.BPF_XDP]);
  assertEquals(types(["expected_attach_type"]), [BpfAttachType.BPF_CGROUP_INET4_CONNECT, 0]);
});

Deno.test("without BTF nothing is loaded of it; without func_info programs have none", () => {
  const spec = object("events");
  const sizes = (missing: KernelFeature[]) => {
    const { btf, programs } = adapted(spec, missing);
    const [made] = programs.values() as Iterable<RelocatedProgram>;
    return [btf !== undefined, made!.funcInfo.length > 0, made!.lineInfo.length > 0];
  };
  assertEquals(sizes([]), [true, true, true]);
  assertEquals(sizes(["btf_func"]), [true, false, false]);
  assertEquals(sizes(["btf"]), [false, false, false]);
});
