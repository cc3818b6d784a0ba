/**
 * `debpf relocate -j` against libbpf: for every object of testdata/ and examples/ the same maps, data, programs and
 * failures, against the running kernel and against others.
 */
import { assertEquals } from "@std/assert";
import { basename } from "@std/path";
import { Btf, type BtfType } from "../../lib/btf/mod.ts";
import { relocateCollection } from "../../lib/linker/mod.ts";
import { readCollectionSpec } from "../../lib/spec/mod.ts";
import { hostBtf } from "../../ffi/btf/mod.ts";
import { inRepository, needs, runCli } from "../support/mod.ts";
import { parseLines, type ProgLine, runOracle } from "../support/oracle.ts";
import { btfOf, compareRelocation } from "./compare_relocation.ts";
import { normalForms, records } from "./normal_form.ts";

/** libbpf's programs run on this machine only: it opens no object of the other byte order. */
const OBJECTS: readonly string[] = [
  ...objectsIn("testdata/clang14"),
  ...objectsIn("testdata/clang19"),
  ...objectsIn("testdata/clang22"),
  "examples/execsnoop/execsnoop.bpf.o",
].filter((path) => !path.endsWith(".eb.bpf.o"));

/** BTF of other kernels: the little-endian files of this folder. */
const OTHER_KERNELS = Deno.env.get("DEBPF_BTF_DIR");
/** Objects with all that CO-RE can ask; the others have only a part of it. */
const CORE_OBJECTS: readonly string[] = OBJECTS.filter((path) => /core_|truth\.bpf|tracepoints|execsnoop/.test(path));

function objectsIn(folder: string): string[] {
  const names = [...Deno.readDirSync(inRepository(folder))].map(({ name }) => name);
  return names.filter((name) => name.endsWith(".bpf.o")).sort().map((name) => `${folder}/${name}`);
}

async function compare(path: string, btf?: string): Promise<void> {
  await compareRelocation(inRepository(path), btf);
}

for (const path of OBJECTS) {
  Deno.test({
    name: `relocate -j prints what libbpf loads: ${path}`,
    ...needs({ bpf: true, btf: true, peer: "oracle" }),
    fn: () => compare(path),
  });
}

Deno.test({
  name: "relocate -j prints what libbpf loads: as a command",
  ...needs({ bpf: true, btf: true, peer: "oracle" }),
  async fn() {
    const object = inRepository("testdata/clang19/truth.bpf.o");
    const { code, stdout, stderr } = await runCli(["relocate", "-j", object]);
    assertEquals(stderr, "");
    const forms = normalForms({ code, lines: parseLines(stdout) }, await runOracle(object), btfOf(object));
    assertEquals(forms.ours, forms.theirs);
  },
});

for (const kernel of otherKernels()) {
  Deno.test({
    name: `relocate -j --btf prints what libbpf loads: ${basename(kernel)}`,
    ...needs({ bpf: true, btf: true, peer: "oracle" }),
    async fn(test) {
      for (const path of CORE_OBJECTS) await test.step(path, () => compare(path, kernel));
    },
  });
}

Deno.test({
  name: "relocate -j --btf prints what libbpf loads: kernels that are made up",
  ...needs({ bpf: true, btf: true, peer: "oracle" }),
  async fn(test) {
    const known = OBJECTS.filter((path) => /core_(known|ambiguous|missing)/.test(path));
    for (const target of ["known_old", "known_new", "known_ambiguous"]) {
      const kernel = inRepository(`testdata/targets/${target}.btf`);
      for (const path of known) await test.step(`${target}: ${path}`, () => compare(path, kernel));
    }
  },
});

function otherKernels(): string[] {
  if (OTHER_KERNELS === undefined) {
    console.log("skipping tests that need DEBPF_BTF_DIR, a folder of other kernels' BTF (*.btf, not compressed)");
    return [];
  }
  const names = [...Deno.readDirSync(OTHER_KERNELS)].map(({ name }) => name).filter((name) => name.endsWith(".btf"));
  return names.sort().map((name) => `${OTHER_KERNELS}/${name}`).filter((path) => isLittleEndian(path));
}

/** BTF begins with 0xeb9f in its byte order. */
function isLittleEndian(path: string): boolean {
  using file = Deno.openSync(path);
  const magic = new Uint8Array(2);
  return file.readSync(magic) === 2 && magic[0] === 0x9f && magic[1] === 0xeb;
}

/** What the func and line infos of a program say, by what their numbers stand for in the BTF that they are of. */
function named(program: Pick<ProgLine, "func_info" | "line_info">, btf: Btf): string[] {
  return [
    ...records(program.func_info, 2).map(([slot, type]) => `${slot} function ${nameOf(btf.type(type!))}`),
    // We leave out the indentation of lines of C, which the verifier does not print either.
    ...records(program.line_info, 4).map(([slot, file, text, at]) =>
      `${slot} ${btf.string(file!)}:${at! >>> 10}:${at! & 0x3ff} ${btf.string(text!).trim()}`
    ),
  ];
}

function nameOf(type: BtfType): string {
  return "name" in type ? type.name : "";
}

Deno.test({
  name: "relocateCollection() gives infos that name the same functions, files and lines of C as libbpf's",
  ...needs({ bpf: true, btf: true, peer: "oracle" }),
  async fn(test) {
    for (const path of OBJECTS.filter((path) => /truth|core_subprogs|execsnoop|tracepoints/.test(path))) {
      await test.step(path, async () => {
        const object = inRepository(path);
        const spec = readCollectionSpec(Deno.readFileSync(object), { name: basename(path) });
        const relocated = relocateCollection(spec, { targets: [{ name: "vmlinux", btf: hostBtf() }] });
        const built = Btf.parse(relocated.btf!);
        const theirBtf = btfOf(object)!;
        const { lines } = await runOracle(object);
        for (const theirs of lines.filter((line): line is ProgLine => line.kind === "prog")) {
          const ours = relocated.programs.get(theirs.name)!;
          if (ours instanceof Error) throw ours;
          const infos = { func_info: ours.funcInfo.toHex(), line_info: ours.lineInfo.toHex() };
          assertEquals(named(infos, built), named(theirs, theirBtf), theirs.name);
        }
      });
    }
  },
});
