import { assertEquals, assertThrows } from "@std/assert";
import { isCall, LABEL, MAP, REFERENCE, SOURCE } from "../../../../lib/asm/mod.ts";
import { CORE_RELOCATION } from "../../../../lib/btf/mod.ts";
import { LinkError } from "../../../../lib/errors.ts";
import { withFunctions } from "../../../../lib/linker/join/mod.ts";
import { linkProgram, relocateCollection } from "../../../../lib/linker/mod.ts";
import { type CollectionSpec, EXTERN, readCollectionSpec } from "../../../../lib/spec/mod.ts";
import { testdata } from "../../../support/mod.ts";
import { btfOf, S32, S64, struct } from "../../core/types.ts";

function part(name: string, object = name): CollectionSpec {
  return readCollectionSpec(testdata(`clang19/link/${name}.bpf.o`), { name: `${object}.bpf.o` });
}

Deno.test("withFunctions() resolves externs by name, and takes along what functions use", () => {
  const [main, library] = [part("main"), part("library")];
  const spec = withFunctions(main, library);
  assertEquals([...spec.programs.keys()], ["link_main"]);
  assertEquals(spec.externs.size, 0);
  assertEquals([...spec.maps.keys()].sort(), [
    ".rodata.str1.1",
    "library.bss",
    "library.data",
    "library.rodata",
    "library.rodata.str1.1",
    "main.bss",
    "main.data",
    "own",
    "shared",
  ]);
  assertEquals(spec.maps.get("library.rodata.str1.1")?.data, new TextEncoder().encode("library\0"));
  assertEquals(spec.variables.get("counter")?.map, "library.data");
  for (
    const insn of [
      ...spec.programs.get("link_main")!.instructions,
      ...spec.functions.flatMap((f) => f.instructions),
    ]
  ) {
    assertEquals(insn.get(EXTERN), undefined);
    const map = insn.get(MAP);
    if (map !== undefined) assertEquals(spec.maps.has(map), true, map);
  }
  // What was given is as it was.
  assertEquals(main.programs.get("link_main")!.instructions.some((insn) => insn.get(EXTERN) !== undefined), true);
  assertEquals([main.maps.has("shared"), library.maps.has("library.rodata.str1.1")], [false, false]);
});

Deno.test("withFunctions() keeps lines and CO-RE relocations of both", () => {
  const spec = withFunctions(part("main"), part("library"));
  const insns = linkProgram(spec.programs.get("link_main")!, spec.functions);
  const files = new Set(insns.flatMap((insn) => insn.get(SOURCE)?.file ?? []));
  assertEquals([...files].sort(), ["./testdata/link/library.bpf.c", "./testdata/link/main.bpf.c"]);
  const relocations = insns.flatMap((insn) => insn.get(CORE_RELOCATION) ?? []);
  assertEquals(relocations.length, 2);
  assertEquals(new Set(relocations.map(({ btf }) => btf)).size, 2);
  const kernel = btfOf([
    struct("task_struct", 16, [
      { name: "pid", type: S32, offsetBits: 32, bitfieldBits: 0 },
      { name: "tgid", type: S32, offsetBits: 96, bitfieldBits: 0 },
    ]),
  ]);
  const relocated = relocateCollection(spec, { targets: [{ name: "vmlinux", btf: kernel }] }).programs.get("link_main");
  if (relocated instanceof Error) throw relocated;
  const offsets = relocated!.insns.filter((insn) => insn.get(CORE_RELOCATION) !== undefined).map(({ imm }) => imm);
  assertEquals(offsets.sort((a, b) => a - b), [4, 12]);
});

Deno.test("withFunctions() tells static functions of one name apart", () => {
  const spec = withFunctions(part("main"), part("library"));
  const steps = spec.functions.filter(({ label }) => label.name === "step");
  assertEquals(steps.length, 2);
  const insns = linkProgram(spec.programs.get("link_main")!, spec.functions);
  const linked = insns.flatMap((insn) => insn.get(LABEL) ?? []).filter(({ name }) => name === "step");
  assertEquals(linked, [steps[0]!.label]);
});

Deno.test("withFunctions() takes a strong function, wherever it is, and else the first weak one", () => {
  for (const libraries of [["library", "defaults"], ["defaults", "library"]]) {
    // The weak variables and maps of defaults cannot be told from strong ones.
    const weak = part("defaults");
    weak.maps.clear();
    weak.variables.clear();
    const specs = libraries.map((name) => name === "defaults" ? weak : part(name));
    const spec = withFunctions(part("main"), ...specs);
    const library = specs.find(({ name }) => name === "library")!;
    const calls = spec.programs.get("link_main")!.instructions.filter((insn) => isCall(insn) && insn.get(REFERENCE));
    const label = (name: string) => calls.map((insn) => insn.get(REFERENCE)!).find((label) => label.name === name);
    assertEquals(library.functions.some((fn) => fn.label === label("add")), true);
    assertEquals(specs[0]!.functions.some((fn) => fn.label === label("scale")), true);
  }
});

Deno.test("withFunctions() refuses definitions that contradict each other", () => {
  assertThrows(
    () => withFunctions(part("main"), part("library"), part("library", "twin")),
    LinkError,
    'twin: defines function "add", which library defines too: make one of them static or __weak',
  );
  assertThrows(
    () => withFunctions(part("main"), part("library"), part("defaults")),
    LinkError,
    'defaults: defines "shared", which library defines too',
  );
  assertThrows(() => withFunctions(part("main"), part("library", "main")), LinkError, 'main: has a map "main.');
});

Deno.test("withFunctions() refuses what is not of one license or byte order", () => {
  const library = part("library");
  library.license = "MIT";
  assertThrows(
    () => withFunctions(part("main"), library),
    LinkError,
    'library: its license is "MIT", that of main is "GPL": programs have one',
  );
  assertThrows(
    () => withFunctions(part("main"), part("library.eb", "library")),
    LinkError,
    "library: is big-endian, but main is little-endian",
  );
});

Deno.test("withFunctions() refuses types that differ, and shows both as C", () => {
  const main = part("main");
  const changed = (name: string, target: typeof S32 | typeof S64) => {
    const extern = main.externs.get(name)!;
    const type = { ...{ kind: extern.type!.kind, id: 0, name, linkage: "extern" as const }, target };
    const wrong = { ...extern, type: type as NonNullable<typeof extern.type> };
    const program = main.programs.get("link_main")!;
    const instructions = program.instructions.map((insn) =>
      insn.get(EXTERN)?.name === name ? insn.with(EXTERN, wrong) : insn
    );
    return { ...main, programs: new Map([["link_main", { ...program, instructions }]]) };
  };
  const error = assertThrows(() => withFunctions(changed("counter", S64), part("library")), LinkError);
  assertEquals(error.message.split("\n"), [
    'main: "counter" is another than in library: "long" (8 bytes) instead of "int" (4 bytes)',
    "  library: int counter;",
    "  main: long counter;",
  ]);
  assertThrows(() => withFunctions(changed("shared", S32), part("library")), LinkError, 'main: "shared" is another');
});

Deno.test("withFunctions() refuses externs of the kernel that a library defines", () => {
  const main = part("main");
  const extern = { ...main.externs.get("add")!, kind: "kfunc" as const, section: ".ksyms" };
  const program = main.programs.get("link_main")!;
  const instructions = program.instructions.map((insn) =>
    insn.get(EXTERN)?.name === "add" ? insn.with(EXTERN, extern) : insn
  );
  const spec = { ...main, programs: new Map([["link_main", { ...program, instructions }]]) };
  assertThrows(
    () => withFunctions(spec, part("library")),
    LinkError,
    'main: expects "add" of the kernel (section ".ksyms"), but library defines it',
  );
});

Deno.test("withFunctions() keeps the kernel's externs of the collection and of the functions that come along", () => {
  const [spec, library] = [part("externs_a"), part("externs_b")];
  const own = [...spec.externs.keys()].filter((name) => name !== "bloom");
  assertEquals([...withFunctions(spec, library).externs.keys()], own);

  // As if it had no SEC(): a function that programs may call.
  const { label, instructions } = library.programs.get("externs_b")!;
  library.functions.push({ label, section: ".text", instructions });
  const joined = withFunctions(spec, library);
  const mapOf = (name: string) => joined.externs.get(name)?.kconfig?.map;
  // The names of both maps are cut to the same.
  assertEquals([mapOf("CONFIG_HZ"), mapOf("externs_b:CONFIG_HZ")], ["externs.kconfig", "externs_b.kconfig"]);
  assertEquals(joined.maps.get("externs_b.kconfig")?.valueSize, 8);
  assertEquals(joined.maps.get("bloom")?.extra, 3n);
  const used = joined.functions[0]!.instructions.flatMap((insn) => insn.get(EXTERN) ?? []);
  assertEquals(used.filter(({ name }) => name === "CONFIG_HZ"), [joined.externs.get("externs_b:CONFIG_HZ")!]);
});
