import { assertEquals } from "@std/assert";
import { assemble } from "../../../../lib/asm/text/mod.ts";
import { Instruction, LABEL, Label } from "../../../../lib/asm/mod.ts";
import { collectionNeeds } from "../../../../lib/spec/needs/mod.ts";
import { type CollectionSpec, type ProgramSpec, readCollectionSpec } from "../../../../lib/spec/mod.ts";
import { BpfAttachType, BpfMapType, BpfProgType } from "../../../../lib/uapi/mod.ts";
import { testdata } from "../../../support/mod.ts";

function program(name: string, text: string, changes: Partial<ProgramSpec> = {}): ProgramSpec {
  const instructions = assemble(text);
  const label = instructions[0]!.get(LABEL) ?? new Label(name, "global");
  return {
    name,
    section: "socket",
    type: BpfProgType.BPF_PROG_TYPE_SOCKET_FILTER,
    expectedAttachType: 0,
    expectedAttachTypeOptional: false,
    attachTo: "",
    attach: "socket_filter",
    attachByBtf: false,
    sleepable: false,
    flags: 0,
    autoload: true,
    autoAttach: false,
    label,
    instructions: [instructions[0]!.with(LABEL, label), ...instructions.slice(1)],
    ...changes,
  };
}

function collection(...programs: ProgramSpec[]): CollectionSpec {
  return {
    name: "test",
    order: "little",
    license: "GPL",
    kernelVersion: 0,
    btf: undefined,
    maps: new Map(),
    programs: new Map(programs.map((program) => [program.name, program])),
    functions: [],
    variables: new Map(),
    externs: new Map(),
  };
}

const reasons = (spec: CollectionSpec) => {
  const needs = collectionNeeds(spec);
  return [needs.since, ...needs.reasons.map(({ name, where }) => `${name} in ${where}`)];
};

Deno.test("collectionNeeds() of the smallest program is the first kernel", () => {
  assertEquals(reasons(collection(program("p", "r0 = 0\nexit"))), [
    "3.19",
    'BPF_PROG_TYPE_SOCKET_FILTER in program "p"',
  ]);
});

Deno.test("collectionNeeds() names the newest thing and where it is", () => {
  const spec = collection(
    program("p", "; x(); @ src/a.c:7:1\ncall ktime_get_ns\n; y(); @ src/a.c:9:1\ncall bpf_loop\nexit"),
  );
  assertEquals(reasons(spec), ["5.17", 'bpf_loop in program "p", a.c:9']);
  const needs = collectionNeeds(spec).programs.get("p")!;
  assertEquals(needs.needs.map(({ name, since }) => [name, since]), [
    ["bpf_loop", "5.17"],
    ["bpf_ktime_get_ns", "4.1"],
    ["BPF_PROG_TYPE_SOCKET_FILTER", "3.19"],
  ]);
});

Deno.test("collectionNeeds() counts forms of instructions, and the instruction set", () => {
  const since = (text: string) => {
    const needs = collectionNeeds(collection(program("p", `${text}\nr0 = 0\nexit`))).programs.get("p")!;
    return [needs.since, needs.cpu];
  };
  assertEquals(since("r1 = 5"), ["3.19", 1]);
  assertEquals(since("if r1 < 0x5 goto pc+0"), ["4.14", 2]);
  assertEquals(since("if r1 s> 0x5 goto pc+0"), ["3.19", 1]);
  assertEquals(since("if w1 == 0x5 goto pc+0"), ["5.1", 3]);
  assertEquals(since("lock *(u64 *)(r10 -8) += r1"), ["3.19", 1]);
  assertEquals(since("lock *(u64 *)(r10 -8) |= r1"), ["5.12", 3]);
  assertEquals(since("r1 = atomic64_xchg((u64 *)(r10 -8), r1)"), ["5.12", 3]);
  assertEquals(since("r1 = load_acquire((u64 *)(r10 -8))"), ["6.15", 1]);
  assertEquals(since("r1 s/= 5"), ["6.6", 4]);
  assertEquals(since("r1 = (s8)r2"), ["6.6", 4]);
  assertEquals(since("r1 = *(s8 *)(r10 -8)"), ["6.6", 4]);
  assertEquals(since("r1 = bswap16 r1"), ["6.6", 4]);
  assertEquals(since("gotol pc+0"), ["6.6", 4]);
  assertEquals(since("may_goto pc+0"), ["6.9", 1]);
  assertEquals(since("r1 = addr_space_cast(r2, 0, 1)"), ["6.9", 1]);
  assertEquals(since("r1 = map[m][0]+0"), ["5.2", 1]);
  assertEquals(since("r1 = btf_id[7]"), ["5.10", 1]);
  assertEquals(since("callx r1"), [undefined, 1]);
});

Deno.test("collectionNeeds() says that no kernel has callx", () => {
  assertEquals(reasons(collection(program("p", "callx r1\nexit"))), [undefined, 'callx in program "p"']);
});

Deno.test("collectionNeeds() counts loops, long programs, sleepable programs, attach types", () => {
  const since = (text: string, changes: Partial<ProgramSpec> = {}) =>
    reasons(collection(program("p", text, changes))).slice(0, 2);
  assertEquals(since("loop: r1 += -1\nif r1 != 0x0 goto loop\nexit"), [
    "5.3",
    'bounded loops in program "p", function "loop"',
  ]);
  assertEquals(since(`${"r0 = 0\n".repeat(5000)}exit`)[0], "5.2");
  assertEquals(since("exit", { sleepable: true }), ["5.10", 'sleepable programs in program "p"']);
  const tcx = {
    type: BpfProgType.BPF_PROG_TYPE_SCHED_CLS,
    expectedAttachType: BpfAttachType.BPF_TCX_INGRESS,
  };
  assertEquals(since("exit", tcx), ["6.6", 'BPF_TCX_INGRESS in program "p"']);
  assertEquals(since("exit", { ...tcx, expectedAttachTypeOptional: true })[0], "4.1");
});

Deno.test("collectionNeeds() counts what a program reaches, and nothing else", () => {
  const main = program("main", ".global twice\ncall twice\nexit");
  const spec = collection(main);
  spec.functions = [
    {
      label: new Label("twice", "weak"),
      section: ".text",
      instructions: assemble("call bpf_loop\n*(u64 *)(r10 -40) = 0\nexit"),
    },
    { label: new Label("unused", "global"), section: ".text", instructions: assemble("may_goto pc+0\nexit") },
  ];
  const needs = collectionNeeds(spec).programs.get("main")!;
  assertEquals([needs.since, needs.stack], ["5.17", [{ name: "main", bytes: 0 }, { name: "twice", bytes: 40 }]]);
});

Deno.test("collectionNeeds() counts tail calls with function calls, and leaves out what is not loaded", () => {
  const spec = collection(
    program("p", ".global f\ncall f\ncall tail_call\nexit"),
    program("optional", "may_goto pc+0\nexit", { autoload: false }),
  );
  spec.functions = [{
    label: new Label("f", "global"),
    section: ".text",
    instructions: [Instruction.of({ opcode: 0x95 })],
  }];
  assertEquals(reasons(spec), ["5.10", 'tail calls together with calls of functions in program "p"']);
  assertEquals(collectionNeeds(spec).programs.get("p")!.tailCalls, true);
});

Deno.test("collectionNeeds() of maps, and of what no table knows", () => {
  const spec = collection(program("p", "call #500\nexit"));
  spec.maps.set("m", {
    name: "m",
    type: BpfMapType.BPF_MAP_TYPE_RINGBUF,
    keySize: 0,
    valueSize: 0,
    maxEntries: 4096,
    flags: 0,
    extra: 0n,
    pinning: "none",
    readOnly: false,
    contents: [],
    tags: [],
  });
  assertEquals(reasons(spec), ["5.8", 'BPF_MAP_TYPE_RINGBUF in map "m"']);
  assertEquals(collectionNeeds(spec).unknown.map(({ name }) => name), ["helper 500"]);
});

for (const compiler of ["clang14", "clang19"]) {
  Deno.test(`${compiler}: collectionNeeds() of objects of testdata`, () => {
    const since = (name: string) => {
      const spec = readCollectionSpec(testdata(`${compiler}/${name}.bpf.o`), { name });
      return collectionNeeds(spec).since;
    };
    assertEquals(since("truth"), "5.5");
    assertEquals(since("events"), "5.8");
    assertEquals(since("truth_callbacks"), "5.17");
    assertEquals(since("extern_ksyms"), "6.2");
  });
}
