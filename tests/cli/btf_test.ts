/**
 * `debpf btf list` and `debpf btf dump`: words, sources, exit codes.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { inRepository, needs, onPath, run, runCli } from "../support/mod.ts";
import { assertJsonError, assertSentence } from "./expect.ts";

const OBJECT = inRepository("testdata", "clang19", "events.bpf.o");
const RAW = inRepository("testdata", "targets", "known_new.btf");
const READ_ONLY = { permissions: ["--allow-read"] } as const;

async function dump(...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await runCli(["btf", "dump", ...words], READ_ONLY);
  assertEquals([code, stderr], [0, ""]);
  return stdout;
}

Deno.test("debpf btf dump file shows objects and raw BTF, in every format", async () => {
  for (const file of [OBJECT, RAW]) {
    const raw = await dump("file", file);
    assert(/^\[1\] [A-Z]+ '/.test(raw), raw);
    assertEquals(await dump("file", file, "format", "raw"), raw);
    const json = await dump("file", file, "format", "json");
    assertEquals(await dump("file", file, "-j"), json);
    const { types } = JSON.parse(json);
    assertEquals(JSON.parse(await dump("file", file, "-p")), { types });
    assertEquals(types.length, raw.split("\n").filter((line) => line.startsWith("[")).length);
    assertStringIncludes(await dump("file", file, "format", "c"), "#define __VMLINUX_H__\n");
    assertStringIncludes(await dump("file", file, "format", "c", "unsorted"), "#define __VMLINUX_H__\n");
    assertStringIncludes(await dump("file", file, "format", "ts"), "\nexport type ");
  }
});

Deno.test("debpf btf dump root_id shows only those types", async () => {
  const raw = await dump("file", OBJECT, "root_id", "2", "root_id", "1");
  assertEquals(raw.split("\n").filter((line) => line.startsWith("[")).map((line) => line.slice(0, 3)), ["[2]", "[1]"]);
});

Deno.test("debpf btf dump keywords may be cut short, as bpftool's", async () => {
  assertEquals(await dump("f", RAW, "form", "c", "unso"), await dump("file", RAW, "format", "c", "unsorted"));
});

const WRONG: [args: string[], message: RegExp][] = [
  [["btf"], /list, dump.* is missing/],
  [["btf", "burn"], /debpf btf has no "burn"/],
  [["btf", "list", "more"], /unexpected argument "more"/],
  [["btf", "dump"], /SOURCE is missing/],
  [["btf", "dump", "disk", "1"], /"disk" is no source of BTF: those are file, id, map and prog/],
  [["btf", "dump", "file"], /FILE is missing/],
  [["btf", "dump", "id", "one"], /ID: "one" is not an id/],
  [["btf", "dump", "map", "tag", "x"], /"tag" names no MAP: write id, name, pinned/],
  [["btf", "dump", "file", OBJECT, "format", "pdf"], /"pdf" is no format; there are c, raw, json, ts/],
  [["btf", "dump", "file", OBJECT, "unsorted"], /unsorted is about format c/],
  [["btf", "dump", "file", OBJECT, "root_id"], /the id of root_id is missing/],
  [["btf", "dump", "file", OBJECT, "format", "raw", "more"], /unexpected argument "more"/],
];

for (const [args, message] of WRONG) {
  const words = args.map((word) => word === OBJECT ? "OBJECT" : word).join(" ");
  Deno.test(`debpf ${words} is wrong usage`, async () => {
    assertSentence(await runCli(args, READ_ONLY), 2, message);
  });
}

Deno.test("debpf btf dump -j of text is wrong usage, said as JSON", async () => {
  const args = ["btf", "dump", "file", OBJECT, "format", "c", "-j"];
  assertJsonError(await runCli(args, READ_ONLY), 2, /format c is text: it goes without -j and -p/);
});

Deno.test("debpf btf dump what cannot be had", async () => {
  const nothing = inRepository("testdata", "nothing.o");
  const noBtf = inRepository("testdata", "clang19", "nobtf.bpf.o");
  const fail = async (message: RegExp, ...words: string[]) =>
    assertSentence(await runCli(["btf", "dump", ...words], READ_ONLY), 1, message);
  await fail(/nothing\.o: no such file/, "file", nothing);
  await fail(/has no section "\.BTF"/, "file", noBtf);
  await fail(/has no type id 4000: ids end at \d+/, "file", OBJECT, "root_id", "4000");
  await fail(/what the running kernel holds needs Linux and --allow-ffi/, "file", "vmlinux");
  await fail(/needs Linux and --allow-ffi/, "id", "1");
  assertJsonError(await runCli(["btf", "dump", "file", nothing, "-j"], READ_ONLY), 1, /no such file/);
});

Deno.test({
  name: "debpf btf dump of the running kernel by each of its names",
  ...needs({ bpf: true, btf: true }),
  async fn() {
    const [byWord, byPath, byId] = await Promise.all(
      [["file", "vmlinux"], ["file", "/sys/kernel/btf/vmlinux"], ["id", "1"]].map((words) =>
        runCli(["btf", "dump", ...words, "root_id", "1"])
      ),
    );
    assertEquals(byWord!.code, 0, byWord!.stderr);
    assertEquals([byPath, byId], [byWord, byWord]);
  },
});

Deno.test({
  name: "debpf btf list shows the kernel's BTF as bpftool does",
  ...needs({ bpf: true, btf: true, peer: "bpftool" }),
  async fn() {
    const ours = await runCli(["btf", "list", "id", "1"]);
    const theirs = await run(onPath("bpftool")!, ["btf", "list", "id", "1"]);
    assertEquals([ours.code, ours.stdout, ours.stderr], [0, theirs.stdout, ""]);
    const json = await runCli(["-j", "btf", "list", "id", "1"]);
    assertEquals(
      JSON.parse(json.stdout),
      JSON.parse((await run(onPath("bpftool")!, ["-j", "btf", "list", "id", "1"])).stdout),
    );
    const all = JSON.parse((await runCli(["-j", "btf", "list"])).stdout);
    assert(all.some(({ name, kernel }: { name?: string; kernel: boolean }) => name === "vmlinux" && kernel));
  },
});
