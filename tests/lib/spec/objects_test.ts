/** What readCollectionSpec() and the linker make of the objects in testdata/, of all compilers and both byte orders. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { isFunctionCall, isFunctionPointer, LABEL, MAP, REFERENCE, SOURCE } from "../../../lib/asm/mod.ts";
import { FUNC_INFO } from "../../../lib/btf/mod.ts";
import { DebpfError, UnsupportedError } from "../../../lib/errors.ts";
import { linkProgram, relocateCollection, type RelocatedProgram } from "../../../lib/linker/mod.ts";
import { readCollectionSpec } from "../../../lib/spec/mod.ts";
import { inRepository, testdata } from "../../support/mod.ts";

const OBJECTS = ["clang14", "clang19"].flatMap((folder) =>
  [...Deno.readDirSync(inRepository("testdata", folder))].map(({ name }) => `${folder}/${name}`)
    .filter((name) => name.endsWith(".o") && !name.includes("legacy_maps")).sort()
);
const TRUTH = OBJECTS.filter((name) => /\/truth(\.\w+)?\.bpf\.o$/.test(name));
const read = (name: string) => readCollectionSpec(testdata(name), { name });

Deno.test("every function of every object begins with its own func_info and a line", () => {
  for (const name of OBJECTS.filter((name) => !name.includes("nobtf"))) {
    const spec = read(name);
    for (const { label, instructions } of [...spec.programs.values(), ...spec.functions]) {
      assertEquals(instructions[0]?.get(LABEL), label, name);
      assertEquals(instructions[0]?.get(FUNC_INFO)?.name, label.name, name);
      assert(instructions[0]?.get(SOURCE) !== undefined, `${name}: ${label.name} begins without a line`);
    }
  }
});

Deno.test("every call and function pointer of every object goes to the start of a function when linked", () => {
  for (const name of OBJECTS) {
    const spec = read(name);
    // Those need a kernel.
    if (spec.externs.size > 0) continue;
    for (const program of spec.programs.values()) {
      const starts = new Map<number, string>();
      let slot = 0;
      const linked = linkProgram(program, spec.functions);
      for (const insn of linked) {
        const label = insn.get(LABEL);
        if (label !== undefined) starts.set(slot, label.name);
        slot += insn.slots;
      }
      slot = 0;
      for (const insn of linked) {
        if (isFunctionCall(insn) || isFunctionPointer(insn)) {
          assertEquals(starts.get(slot + insn.imm + 1), insn.get(REFERENCE)?.name, `${name}: ${program.name}`);
        }
        slot += insn.slots;
      }
    }
  }
});

Deno.test("every map that an object refers to is one of its maps", () => {
  for (const name of OBJECTS) {
    const spec = read(name);
    for (const { instructions } of [...spec.programs.values(), ...spec.functions]) {
      for (const insn of instructions) {
        const map = insn.get(MAP);
        assert(map === undefined || spec.maps.has(map), `${name}: ${map}`);
      }
    }
  }
});

Deno.test("truth: variables, declared contents and license, of every compiler and byte order", () => {
  for (const name of TRUTH) {
    const spec = read(name);
    const value = (variable: string) => spec.variables.get(variable)?.get();
    assertEquals(spec.order, name.includes(".eb.") ? "big" : "little");
    assertEquals([value("factor"), value("small"), value("signed_value")], [3, 42, -5], name);
    assertEquals(value("table"), [1, 2, 3, 4, 5], name);
    assertEquals([value("greeting"), value("name")], ["hello from rodata", "before"], name);
    assertEquals([value("wide_value"), value("call_counter")], [0x1122334455667788n, 100n], name);
    assertEquals(spec.maps.get("outer")?.contents.map(({ index, name }) => [index, name]), [
      [0, "inner_b"],
      [2, "inner_a"],
    ]);
    assertEquals(spec.license, "Dual MIT/GPL");
  }
});

Deno.test("truth: functions that are reached follow the program, those in gaps stay away", () => {
  for (const name of TRUTH) {
    const spec = read(name);
    const result = relocateCollection(spec, { targets: [], select: (program) => program.name === "calls" });
    const program = result.programs.get("calls");
    if (program instanceof Error) throw program;
    const { insns, funcInfoCount } = program as RelocatedProgram;
    const labels = insns.map((insn) => insn.get(LABEL)?.name).filter((label) => label !== undefined);
    assertEquals(labels[0], "calls", name);
    assertEquals(funcInfoCount, labels.length, name);
    assert(labels.includes("triple_plus_one") && !labels.includes("never_called"), name);
  }
});

Deno.test("externs are read, and refused when a program that needs them is linked", () => {
  for (const folder of ["clang14", "clang19"]) {
    const kconfig = read(`${folder}/extern_kconfig.bpf.o`);
    assertEquals(kconfig.externs.get("CONFIG_HZ")?.kind, "kconfig");
    const ksyms = read(`${folder}/extern_ksyms.bpf.o`);
    const kinds = ["in_no_kernel", "bpf_prog_active", "bpf_task_from_pid"].map((name) => ksyms.externs.get(name)?.kind);
    assertEquals(kinds, ["ksym", "ksym_var", "kfunc"]);
    for (const spec of [kconfig, ksyms]) {
      for (const program of spec.programs.values()) {
        assertThrows(() => linkProgram(program, spec.functions), UnsupportedError, "refers to extern");
      }
    }
  }
});

Deno.test("legacy maps are refused with advice", () => {
  assertThrows(() => read("clang19/legacy_maps.bpf.o"), UnsupportedError, 'declare each map in SEC(".maps")');
});

Deno.test("an object that is cut anywhere is one of our errors, or whole enough", () => {
  const object = testdata("clang19/truth_tail_call.bpf.o");
  for (let length = 0; length < object.length; length++) {
    try {
      readCollectionSpec(object.slice(0, length), { name: "x.o" });
    } catch (error) {
      if (!(error instanceof DebpfError)) throw error;
    }
  }
});
