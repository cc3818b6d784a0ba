import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { command } from "../../cli/check.ts";
import { BtfBuilder, type BtfType } from "../../lib/btf/mod.ts";
import { RelocationError } from "../../lib/errors.ts";
import { CapturedOutput } from "../support/captured_output.ts";
import { inRepository, runCli } from "../support/mod.ts";
import { enumeration, func, proto, S32, VOID } from "../lib/core/types.ts";

function object(name: string): string {
  return inRepository("testdata", "clang19", `${name}.bpf.o`);
}

function kernel(name: string): string {
  return inRepository("testdata", "targets", `${name}.btf`);
}

async function check(
  args: string[],
  options: { json?: boolean; verbose?: boolean } = {},
): Promise<{ code: number; lines: string[] }> {
  const output = new CapturedOutput(options);
  const code = await command.run(args, { output });
  return { code, lines: output.lines };
}

/** `program status...`, as in the table. */
function table(lines: readonly string[]): string[] {
  return lines.slice(1, lines.indexOf("") < 0 ? undefined : lines.indexOf("")).map((line) =>
    line.trim().split(/ +/).join(" ")
  );
}

async function withKernel(types: readonly BtfType[], test: (path: string) => Promise<void>): Promise<void> {
  const folder = Deno.makeTempDirSync();
  try {
    const builder = new BtfBuilder({ order: "little" });
    for (const type of types) builder.add(type);
    const path = join(folder, "kernel.btf");
    Deno.writeFileSync(path, builder.encode());
    await test(path);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

Deno.test("check tells what loads on which kernel, what is reached and why it is missing", async () => {
  const { code, lines } = await check([
    object("core_known"),
    "--btf",
    kernel("known_old"),
    "--btf",
    kernel("known_new"),
  ]);
  assertEquals(code, 1);
  assertEquals(table(lines), ["known ok poisoned", "access ok poisoned"]);
  const at = lines.indexOf('program "known" on known_new: poisoned');
  assert(/core_known\.bpf\.c:\d+, function "known", instruction 46$/.test(lines[at + 1]!), lines[at + 1]);
  assertEquals(
    lines[at + 2],
    "    field_byte_offset of struct widget.owner has no answer, so the instruction must not be reached: " +
      "struct widget.owner is of type int, which code written for void * can't access; " +
      "widget is not of the kind of the object's struct widget",
  );
});

Deno.test("check takes what stands behind an exists-check that is 0 for guarded", async () => {
  const args = [object("core_missing"), "--btf", kernel("known_old")];
  const { code, lines } = await check(args);
  assertEquals(code, 0);
  assertEquals(lines.slice(1).map((line) => line.trim().split(/ +/)[1]), ["guarded", "guarded", "guarded", "guarded"]);
  const verbose = await check(args, { verbose: true });
  assert(verbose.lines.includes('program "missing_value" on known_old: guarded'));
  assertEquals(verbose.code, 0);
});

Deno.test("check tells what is reached in a function that a program calls, and joins kernels that say the same", async () => {
  const { code, lines } = await check([
    object("core_poison"),
    "--btf",
    kernel("known_old"),
    "--btf",
    kernel("known_new"),
  ]);
  assertEquals(code, 1);
  const at = lines.indexOf('program "missing_in_subprogram" on known_old, known_new: poisoned');
  assert(
    /core_poison\.bpf\.c:\d+, function "read_in_subprogram", instruction \d+$/.test(lines[at + 1]!),
    lines[at + 1],
  );
  assertEquals(table(lines)[4], "missing_in_subprogram poisoned poisoned");
});

Deno.test("check tells what cannot be relocated", async () => {
  const { code, lines } = await check([object("core_ambiguous"), "--btf", kernel("known_ambiguous")]);
  assertEquals(code, 1);
  assertEquals(table(lines), ["same ok", "present broken", "different broken"]);
  assert(lines.some((line) => line.includes("field_exists of struct widget.name is ambiguous")));
});

Deno.test("check tells which types of maps, programs and attachments, and which helpers a kernel lacks", async () => {
  const maps = enumeration("bpf_map_type", { BPF_MAP_TYPE_UNSPEC: 0, BPF_MAP_TYPE_HASH: 1, __MAX_BPF_MAP_TYPE: 2 });
  await withKernel([maps], async (path) => {
    const { code, lines } = await check([object("maps"), "--btf", path]);
    assertEquals(code, 1);
    assert(table(lines).every((row) => row.endsWith(" missing")), lines.join("\n"));
    assert(lines.includes("maps on kernel: missing"));
    assert(lines.some((line) => line.endsWith(": the kernel has no BPF_MAP_TYPE_ARRAY")), lines.join("\n"));
  });
  const programs = enumeration("bpf_prog_type", { BPF_PROG_TYPE_UNSPEC: 0, BPF_PROG_TYPE_SCHED_CLS: 3 });
  const attachments = enumeration("bpf_attach_type", { BPF_CGROUP_INET_INGRESS: 0, BPF_CGROUP_INET_EGRESS: 1 });
  await withKernel([programs, attachments], async (path) => {
    const { lines } = await check([object("sections"), "--btf", path], { json: true });
    const findings = (name: string) => {
      const entry = lines.map((line) => JSON.parse(line)).find(({ program }) => program === name);
      return [entry.status, ...entry.findings.map(({ text }: { text: string }) => text)];
    };
    assertEquals(findings("on_tc"), ["ok"]);
    assertEquals(findings("on_tcx_egress"), [
      "missing",
      "the kernel has no BPF_TCX_EGRESS, so it could not be attached",
    ]);
    assertEquals(findings("on_socket"), ["missing", "the kernel has no BPF_PROG_TYPE_SOCKET_FILTER"]);
  });
  const helpers = enumeration("bpf_func_id", { BPF_FUNC_unspec: 0, BPF_FUNC_map_lookup_elem: 1 });
  await withKernel([helpers], async (path) => {
    const { code, lines } = await check([object("events"), "--btf", path]);
    assertEquals(code, 1);
    assert(lines.includes("    the kernel has no helper bpf_ringbuf_reserve"), lines.join("\n"));
  });
});

Deno.test("check needs no permission but to read files, and one byte order", async () => {
  const args = ["check", object("core_missing"), "--btf", kernel("known_old")];
  const { code, stderr } = await runCli(args, { permissions: ["--allow-read"] });
  assertEquals([code, stderr], [0, ""]);
  await assertRejects(
    () => check([object("core_missing"), "--btf", kernel("known_old.eb")]),
    RelocationError,
    'core_missing is little-endian and "known_old.eb" is big-endian',
  );
});

Deno.test("check tells which kernel functions are called that a kernel lacks, unless its BTF has no functions at all", async () => {
  const schedule = func("schedule", proto(VOID));
  await withKernel([schedule], async (path) => {
    const missing = await check([object("extern_missing"), "--btf", path]);
    assertEquals(table(missing.lines), ["guarded guarded", "reached missing"]);
    assert(
      missing.lines.includes(
        "    the kernel has no function bpf_in_none_either for programs, or one with other parameters",
      ),
      missing.lines.join("\n"),
    );
    const strong = await check([object("extern_strong"), "--btf", path]);
    assertEquals(table(strong.lines), ["calls broken", "innocent broken"]);
  });
  await withKernel([schedule, func("bpf_in_no_kernel", proto(S32, S32))], async (path) => {
    assertEquals(table((await check([object("extern_strong"), "--btf", path])).lines), ["calls ok", "innocent ok"]);
  });
  await withKernel([S32], async (path) => {
    const { lines } = await check([object("extern_missing"), "--btf", path]);
    assertEquals(table(lines), ["guarded unchecked", "reached unchecked"]);
  });
});
