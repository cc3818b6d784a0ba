/**
 * `debpf relocate -j` of an object beside what libbpf makes of it.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { command } from "../../cli/relocate.ts";
import { Btf } from "../../lib/btf/mod.ts";
import { ElfFile } from "../../lib/elf/mod.ts";
import { DebpfError } from "../../lib/errors.ts";
import { CapturedOutput } from "../support/captured_output.ts";
import { parseLines, type RelocateOutput, runOracle } from "../support/oracle.ts";
import { normalForms } from "./normal_form.ts";

/** What `debpf relocate -j` prints, and its exit code, without a process of its own. */
async function runOurs(object: string, btf?: string): Promise<RelocateOutput & { readonly error?: string }> {
  const output = new CapturedOutput({ json: true });
  try {
    const code = await command.run([object, ...(btf === undefined ? [] : ["--btf", btf])], { output });
    return { code, lines: parseLines(output.lines.join("\n")) };
  } catch (error) {
    // An object that cannot be opened: cli.ts prints the error and ends with 1.
    if (!(error instanceof DebpfError)) throw error;
    return { code: 1, lines: [], error: error.message };
  }
}

/** The BTF of an object. */
export function btfOf(object: string): Btf | undefined {
  const section = ElfFile.parse(Deno.readFileSync(object), object).section(".BTF");
  return section === undefined ? undefined : Btf.parse(section.bytes());
}

/** Without programs of sections that came after Debian's newest libbpf (1.7), which takes them for unknown. */
function withoutNewer({ code, lines }: RelocateOutput): RelocateOutput {
  return {
    code,
    lines: lines.filter((line) => !("section" in line) || !/^f(entry|exit|session)\.multi/.test(line.section)),
  };
}

/**
 * Fails unless `debpf relocate -j` and libbpf make the same of an object.
 *
 * @param object Its path.
 * @param btf Path of the raw BTF that CO-RE is resolved against; by default the running kernel's.
 * @returns Why we refuse it, if we do.
 */
export async function compareRelocation(object: string, btf?: string): Promise<string> {
  const output = await runOurs(object, btf);
  const ours = withoutNewer(output);
  const theirs = withoutNewer(await runOracle(object, btf));
  const forms = normalForms(ours, theirs, btfOf(object));
  // libbpf relocates before it makes maps, so where each program fails it has none to show.
  const { maps, data } = forms.theirs.programs.length === 0 ? forms.theirs : forms.ours;
  assertEquals({ ...forms.ours, maps, data }, forms.theirs);
  assert(forms.ours.programs.length > 0 || forms.ours.code === 1, "nothing was compared");
  const errors = output.lines.map((line) => line.kind === "prog_error" ? line.error : undefined);
  return [output.error, ...errors].filter((error) => error !== undefined).join("\n");
}
