/**
 * Dumps against bpftool 7.1's, byte by byte, and against clang: BTF of the running kernel, of the objects in testdata/, and of
 * the files NAME.btf in the folder that DEBPF_BTF_DIR names.
 */
import { assert, assertEquals } from "@std/assert";
import { basename, join } from "@std/path";
import { Btf } from "../../lib/btf/mod.ts";
import { formatC, formatRaw } from "../../lib/btf/dump/mod.ts";
import { BTF_SECTION, ElfFile, isElf } from "../../lib/elf/mod.ts";
import { clangPath, inRepository, needs, onPath, run } from "../support/mod.ts";
import { layoutAsserts } from "./c_asserts.ts";

const VMLINUX = "/sys/kernel/btf/vmlinux";
/** The version whose text `unsorted` is; others write other padding. */
const VERSION = /bpftool v7\.1\.0$/m;

const bpftool = onPath("bpftool");
const version = bpftool === undefined ? "" : (await run(bpftool, ["version"])).stdout;
const peer = needs({ peer: "bpftool" });
const sameVersion = { ignore: peer.ignore || !VERSION.test(version) };

function filesIn(folder: string, suffix: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => name.endsWith(suffix)).sort()
    .map((name) => join(folder, name));
}

const kernels = filesIn(Deno.env.get("DEBPF_BTF_DIR") ?? inRepository("testdata", "targets"), ".btf");
const objects = ["clang14", "clang19"].flatMap((folder) => filesIn(inRepository("testdata", folder), ".o"));

/** BTF of a raw file or an object; `undefined` for an object without. */
function readBtf(path: string): Btf | undefined {
  const bytes = Deno.readFileSync(path);
  if (!isElf(bytes)) return Btf.parse(bytes);
  const section = ElfFile.parse(bytes).section(BTF_SECTION);
  return section === undefined ? undefined : Btf.parse(section.bytes());
}

async function dump(path: string, before: string[], after: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(bpftool!, [...before, "btf", "dump", "file", path, ...after]);
  assertEquals([code, stderr], [0, ""], path);
  return stdout;
}

/** The two texts' first lines that differ: whole texts of megabytes would drown the message. */
function assertSameText(ours: string, theirs: string, path: string): void {
  if (ours === theirs) return;
  const lines = theirs.split("\n");
  const index = ours.split("\n").findIndex((line, i) => line !== lines[i]);
  assertEquals(ours.split("\n").slice(index, index + 5), lines.slice(index, index + 5), `${path}, line ${index + 1}`);
}

async function compare(path: string): Promise<void> {
  const btf = readBtf(path);
  if (btf === undefined) return;
  assertSameText(formatC(btf, { unsorted: true }), await dump(path, [], ["format", "c"]), path);
  assertSameText(formatRaw(btf), await dump(path, [], []), path);
  assertSameText(formatRaw(btf, { json: "line" }), await dump(path, ["-j"], []), path);
  assertSameText(formatRaw(btf, { json: "pretty" }), await dump(path, ["-p"], []), path);
}

Deno.test({
  name: "formatC() unsorted and formatRaw() of the running kernel are bpftool's text (needs bpftool 7.1)",
  ignore: sameVersion.ignore || needs({ btf: true }).ignore,
  fn: () => compare(VMLINUX),
});

Deno.test({
  name: "formatC() unsorted and formatRaw() of objects and kernels are bpftool's text (needs bpftool 7.1)",
  ...sameVersion,
  async fn(t) {
    assert(objects.length > 50);
    for (const path of kernels) await t.step(basename(path), () => compare(path));
    for (const path of objects) await compare(path);
  },
});

async function check(path: string): Promise<void> {
  const btf = readBtf(path)!;
  const { text } = layoutAsserts(btf);
  const { code, stderr } = await run(clangPath("19")!, ["-fsyntax-only", "-x", "c", "-"], {
    stdin: formatC(btf) + text,
  });
  assertEquals([code, stderr.split("\n").filter((line) => line.includes("error:")).slice(0, 5)], [0, []], path);
}

Deno.test({
  name: "formatC() clang gives each struct of the running kernel its size and offsets (needs clang 19)",
  ignore: needs({ clang: "19", btf: true }).ignore,
  fn: () => check(VMLINUX),
});

Deno.test({
  name: "formatC() clang gives each struct of other kernels its size and offsets (needs clang 19)",
  ...needs({ clang: "19" }),
  async fn(t) {
    for (const path of kernels) await t.step(basename(path), () => check(path));
  },
});
