import { assertEquals, assertInstanceOf, assertMatch, assertThrows } from "@std/assert";
import { BPF_PSEUDO, type Instruction } from "../../../../lib/asm/mod.ts";
import type { CoreTarget } from "../../../../lib/core/mod.ts";
import { FormatError, LinkError, UnsupportedError } from "../../../../lib/errors.ts";
import {
  bindModules,
  type KernelFacts,
  missingKfunc,
  relocateCollection,
  type RelocatedProgram,
  resolveExterns,
} from "../../../../lib/linker/mod.ts";
import type { CollectionSpec, ExternSpec } from "../../../../lib/spec/mod.ts";
import { fn, mov } from "../builders.ts";
import { func, proto, ptr, S32, S64, struct, target, typedef, U32, VOID } from "../../core/types.ts";
import { address, callExtern, collectionOf, externVariable, kernelVariable, kfunc, load, option } from "./externs.ts";

const TASK = struct("task_struct", 8, []);
const QUEUE = struct("rq", 64, []);
const RELEASE = proto(VOID, ptr(TASK));

/** A kernel with modules; ids: each begins with its first type. */
function kernel(...modules: CoreTarget[]): KernelFacts {
  const own = target([
    externVariable("runqueues", QUEUE, "global"),
    externVariable("numbers", typedef("number", S64), "global"),
    func("release", RELEASE),
    func("acquire", proto(ptr(TASK), ptr(TASK))),
  ]);
  return { types: () => [own, ...modules] };
}

function failure(extern: ExternSpec, facts: KernelFacts): string {
  const { error } = resolveExterns(collectionOf([extern]), { kernel: facts });
  assertInstanceOf(error, LinkError);
  return error.message;
}

/** The instructions of the only program, as they would be loaded. */
function linked(spec: CollectionSpec, facts: KernelFacts): readonly Instruction[] {
  const program = relocateCollection(spec, { targets: [], facts }).programs.get("main");
  if (program instanceof Error) throw program;
  return (program as RelocatedProgram).insns;
}

const fields = ({ opcode, src, offset, imm, immHigh }: Instruction) => [opcode, src, offset, imm, immHigh];

Deno.test("an address is put into both halves of a load, addends included, and 0 for what is missing", () => {
  const there = address("schedule");
  const gone = address("gone", true);
  const facts: KernelFacts = {
    addresses: (names) => {
      assertEquals([...names], ["schedule", "gone"]);
      return { byName: new Map([["schedule", [0xffff_ffff_8226_6810n]]]), hidden: false };
    },
  };
  const insns = linked(collectionOf([there, gone], [load(there), load(there, 16), load(gone, 16)]), facts);
  assertEquals(insns.slice(0, 3).map((insn) => insn.constant), [0xffff_ffff_8226_6810n, 0xffff_ffff_8226_6820n, 0n]);
  assertEquals(insns.slice(0, 3).map((insn) => insn.src), [0, 0, 0]);
});

Deno.test("an address that is missing, ambiguous or hidden is an error that names it; a weak one that is missing or hidden is 0", () => {
  const facts = (hidden: boolean, ...addresses: bigint[]): KernelFacts => ({
    addresses: () => ({ byName: new Map(addresses.length === 0 ? [] : [["x", addresses]]), hidden }),
  });
  assertMatch(
    failure(address("x"), facts(false)),
    /^extern "x": the kernel has no symbol of this name: declare it __weak/,
  );
  for (const weak of [false, true]) {
    assertMatch(
      failure(address("x", weak), facts(false, 16n, 32n)),
      /^extern "x": the kernel has several .* 0x10 and 0x20: /,
    );
  }
  assertMatch(failure(address("x"), facts(true, 0n)), /^extern "x": the kernel hides its addresses .*kptr_restrict/);
  const weak = address("x", true);
  const { results, error } = resolveExterns(collectionOf([weak]), { kernel: facts(true, 0n) });
  assertEquals([results.get(weak), error], [{ kind: "address", address: 0n }, undefined]);
  // An address that is 0, as per-CPU ones may be.
  const zero = resolveExterns(collectionOf([address("x")]), { kernel: facts(false, 0n) });
  assertEquals(zero.error, undefined);
});

Deno.test("a typed variable is loaded by its id, and its type has to be compatible", () => {
  const queues = kernelVariable("runqueues", struct("anything", 1, []));
  const numbers = kernelVariable("numbers", U32);
  const gone = kernelVariable("gone", S32, true);
  const [queue, number, missing] = linked(
    collectionOf([queues, numbers, gone], [load(queues), load(numbers), load(gone)]),
    kernel(),
  );
  assertEquals([queue, number].map((insn) => insn!.src), [BPF_PSEUDO.BTF_ID, BPF_PSEUDO.BTF_ID]);
  const { btf } = kernel().types!()[0]!;
  assertEquals([queue, number].map((insn) => btf.nameOf(insn!.imm)), ["runqueues", "numbers"]);
  assertEquals(fields(missing!).slice(1), [0, 0, 0, 0]);
  assertMatch(
    failure(kernelVariable("gone", S32), kernel()),
    /^extern "gone": neither the kernel's BTF nor a module's has/,
  );
  assertEquals(
    failure(kernelVariable("runqueues", S32, true), kernel()),
    'extern "runqueues": it is declared as int, in the kernel it is struct rq',
  );
  assertThrows(
    () => linked(collectionOf([queues], [load(queues, 8)]), kernel()),
    LinkError,
    'extern "runqueues": the instruction adds 8 to its address, which only programs can',
  );
});

Deno.test("a kernel function is called by its id, without its flavour, and its parameters have to be compatible", () => {
  const plain = kfunc("release", proto(VOID, ptr(struct("other", 1, []))));
  const flavoured = kfunc("acquire___new", proto(ptr(TASK), ptr(TASK)));
  const old = kfunc("acquire___old", proto(ptr(TASK), ptr(TASK), S32), true);
  const insns = linked(
    collectionOf([plain, flavoured, old], [callExtern(plain), callExtern(flavoured), load(flavoured), load(old)]),
    kernel(),
  );
  const { btf } = kernel().types!()[0]!;
  assertEquals(insns.slice(0, 2).map((insn) => [btf.nameOf(insn.imm), insn.src, insn.offset]), [
    ["release", BPF_PSEUDO.KFUNC_CALL, 0],
    ["acquire", BPF_PSEUDO.KFUNC_CALL, 0],
  ]);
  assertEquals([btf.nameOf(insns[2]!.imm), insns[2]!.src], ["acquire", BPF_PSEUDO.BTF_ID]);
  assertEquals(fields(insns[3]!).slice(1), [0, 0, 0, 0]);
  assertEquals(
    failure(kfunc("acquire___old", proto(ptr(TASK), ptr(TASK), S32)), kernel()),
    'extern function "acquire___old": it is declared as struct task_struct * (struct task_struct *, int), in the kernel it ' +
      "is struct task_struct * (struct task_struct *)",
  );
  assertMatch(
    failure(kfunc("gone", proto(VOID)), kernel()),
    /^extern function "gone": neither the kernel nor a module has/,
  );
});

Deno.test("calling a weak function that is missing is a call of no helper, which names it", () => {
  const externs = [option("CONFIG_A"), kfunc("a_gone", proto(VOID), true), kfunc("b_gone", proto(VOID), true)] as const;
  const facts = { ...kernel(), config: () => ({ text: "CONFIG_A=1", files: [] }) };
  const insns = linked(collectionOf(externs, [callExtern(externs[2]), load(externs[2])]), facts);
  // Options come first, then symbols by name: it is the third.
  assertEquals(fields(insns[0]!), [0x85, 0, 0, 2002000002, 0]);
  assertEquals([missingKfunc(insns[0]!)?.name, missingKfunc(insns[1]!)?.name], ["b_gone", undefined]);
});

Deno.test("functions of modules are called through fd_array: one entry for each module, from index 1", () => {
  const first = target([S32, func("one", proto(S32)), func("two", proto(S32))], "first");
  const second = target([U32, func("three", proto(S32)), externVariable("own", U32, "global")], "second");
  const [one, two, three] = ["one", "two", "three"].map((name) => kfunc(name, proto(S32))) as [
    ExternSpec,
    ExternSpec,
    ExternSpec,
  ];
  const own = kernelVariable("own", U32);
  const spec = collectionOf([three, one, two, own], [
    ...[one, two, three].map(callExtern),
    load(two),
    load(own),
  ]);
  const { externs } = relocateCollection(spec, { targets: [], facts: kernel(first, second) });
  assertEquals(externs.modules, ["second", "first"]);
  const insns = linked(spec, kernel(first, second));
  assertEquals(insns.slice(0, 3).map((insn) => insn.offset), [2, 2, 1]);
  assertEquals(insns.slice(0, 3).map((insn, i) => (i < 2 ? first : second).btf.nameOf(insn.imm)), [
    "one",
    "two",
    "three",
  ]);
  // Loads have the file descriptor itself.
  const bound = bindModules(insns, (module) => module === "first" ? 41 : 42);
  assertEquals(bound.slice(3, 5).map((insn) => [insn.src, insn.immHigh]), [
    [BPF_PSEUDO.BTF_ID, 41],
    [BPF_PSEUDO.BTF_ID, 42],
  ]);
});

Deno.test("modules are read only for what the kernel does not have, and broken ones are skipped", () => {
  let read = 0;
  const broken: CoreTarget = {
    name: "broken",
    get btf(): never {
      read++;
      throw new FormatError("broken: no BTF");
    },
  };
  const skipped: string[] = [];
  const resolve = (...externs: ExternSpec[]) =>
    resolveExterns(collectionOf(externs), {
      kernel: kernel(broken, target([func("one", proto(S32))], "good")),
      skipped: ({ name }, error) => skipped.push(`${name}: ${error.message}`),
    });
  assertEquals(resolve(kfunc("release", RELEASE)).error, undefined);
  assertEquals(read, 0);
  assertEquals(resolve(kfunc("one", proto(S32)), kfunc("gone", proto(S32), true)).modules, ["good"]);
  assertEquals([read, skipped], [1, ["broken: broken: no BTF"]]);
});

Deno.test("what no fact tells is an error of the programs that need it", () => {
  for (const extern of [address("x", true), kernelVariable("x", S32, true), kfunc("x", proto(S32), true)]) {
    const spec = collectionOf([extern], [load(extern)]);
    const { programs, externs } = relocateCollection(spec, { targets: [], facts: {} });
    assertEquals(externs.error, undefined);
    const error = programs.get("main");
    assertInstanceOf(error, UnsupportedError);
    const fact = extern.kind === "ksym" ? "the kernel's addresses" : "the kernel's types";
    assertMatch(error.message, new RegExp(`instruction 0: refers to extern "x", and ${fact} is not known`));
    assertEquals(
      relocateCollection(collectionOf([extern]), { targets: [] }).programs.get("main") instanceof Error,
      false,
    );
  }
});

Deno.test("one strong extern that is missing keeps the whole collection from being loaded", () => {
  const spec = collectionOf([kfunc("gone", proto(S32))]);
  const { programs, externs } = relocateCollection(spec, { targets: [], facts: kernel() });
  assertInstanceOf(externs.error, LinkError);
  assertEquals(programs.get("main"), externs.error);
});

Deno.test("a fact that cannot be asked for is the error of what needs it", () => {
  const denied = new UnsupportedError("kernel BTF", "this kernel shows no BTF of itself");
  const facts: KernelFacts = {
    types: () => {
      throw denied;
    },
  };
  const spec = collectionOf([kfunc("a", proto(S32), true), kfunc("b", proto(S32), true)]);
  assertEquals(resolveExterns(spec, { kernel: facts }).error, denied);
});

Deno.test("a function of another object takes the place of a kernel's, and brings its own externs along", () => {
  const needed = address("schedule");
  const other = fn("release", [load(needed), mov(0)], "global");
  const declared = kfunc("release", RELEASE);
  const spec = collectionOf([declared], [callExtern(declared)]);
  const result = relocateCollection(spec, {
    targets: [],
    functions: [other],
    facts: { addresses: () => ({ byName: new Map([["schedule", [7n]]]), hidden: false }) },
  });
  const { insns } = result.programs.get("main") as RelocatedProgram;
  assertEquals([insns[0]!.src, insns[0]!.imm, insns[2]!.constant], [BPF_PSEUDO.CALL, 1, 7n]);
});

Deno.test("what no kernel defines has to be linked: also weak functions", () => {
  const extern: ExternSpec = { name: "elsewhere", kind: "function", section: "", weak: true };
  const spec = collectionOf([extern], [callExtern(extern)]);
  assertThrows(
    () => relocateCollection(spec, { targets: [], facts: {} }),
    LinkError,
    'object: nothing that is linked defines function "elsewhere": link the object that does',
  );
  const functions = [fn("elsewhere", [mov(0)], "global")];
  const { programs } = relocateCollection(spec, { targets: [], functions });
  assertEquals(programs.get("main") instanceof Error, false);
});
