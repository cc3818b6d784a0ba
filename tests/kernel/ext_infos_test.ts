/**
 * The func_info and line_info that the kernel kept, read back, name the right functions and lines.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import {
  type BpfProgram,
  Btf,
  Collection,
  LABEL,
  parseKernelFuncInfos,
  parseKernelLineInfos,
  SOURCE,
  sys,
} from "../../mod.ts";
import { inRepository, needs } from "../support/mod.ts";
import { COMPILERS, objectSpec } from "./support.ts";

/** What the kernel says of a loaded program. */
function kernelInfos(program: BpfProgram) {
  const info = program.info();
  using btfFd = sys.btfGetFdById(info.btfId);
  const btf = Btf.parse(sys.btfBytes(btfFd.value), { what: `BTF ${info.btfId}` });
  const arrays = sys.progArrays(program.fd, ["funcInfo", "lineInfo"]);
  return {
    btf,
    funcs: parseKernelFuncInfos(arrays.funcInfo!, btf, { recordSize: info.funcInfoRecSize }),
    lines: parseKernelLineInfos(arrays.lineInfo!, btf, { recordSize: info.lineInfoRecSize }),
  };
}

/** Are the items of `part` in `whole`, in this order. */
function isSubsequence(part: readonly number[], whole: readonly number[]): boolean {
  let at = 0;
  return part.every((item) => {
    at = whole.indexOf(item, at) + 1;
    return at > 0;
  });
}

for (const compiler of COMPILERS) {
  for (const name of ["truth", "truth_callbacks"]) {
    Deno.test({
      name: `${compiler}/${name}: the kernel's func_info and line_info are those of the source`,
      ...needs({ bpf: true, btf: true, features: name === "truth_callbacks" ? ["bpfLoop"] : [] }),
      fn: () => {
        const source = Deno.readTextFileSync(inRepository("testdata", `${name}.bpf.c`)).split("\n");
        using collection = Collection.load(objectSpec(compiler, name));
        for (const program of collection.programs.values()) {
          const { funcs, lines } = kernelInfos(program);
          // Offsets are the kernel's own: it has removed dead code and written helpers out. Names and lines remain.
          const insns = program.image.insns;
          const names = insns.flatMap((insn) => insn.get(LABEL)?.name ?? []);
          const sources = insns.flatMap((insn) => insn.get(SOURCE)?.line ?? []);
          assert(names.length >= 1 && sources.length > names.length);
          assertEquals(funcs.map(({ func }) => func.name), names);
          assert(isSubsequence(lines.map(({ line }) => line), sources));
          for (const { insnIndex, func } of funcs) {
            const opening = lines.find((line) => line.insnIndex === insnIndex);
            const label = insns.findIndex((insn) => insn.get(LABEL)?.name === func.name);
            assertEquals(opening?.line, insns[label]!.get(SOURCE)!.line, func.name);
          }
          for (const line of lines) {
            // A line that comes from a macro of a header names the header; line 0 is what the compiler made up.
            if (line.file.endsWith(`${name}.bpf.c`)) {
              assertEquals(line.text.trim(), (source[line.line - 1] ?? "").trim());
            }
          }
        }
      },
    });
  }
}
