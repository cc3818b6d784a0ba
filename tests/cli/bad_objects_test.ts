/**
 * Bad input at the command line: one sentence that names the place and what to do, exit code 1; with -j the same as JSON.
 */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { inRepository, needs, runCli } from "../support/mod.ts";
import { writeBadFiles } from "./bad_files.ts";
import { assertJsonError, assertSentence } from "./expect.ts";

/** Reading files is enough for all that needs no kernel. */
const READ_ONLY = { permissions: ["--allow-read"] } as const;

function object(name: string): string {
  return inRepository("testdata", "clang19", `${name}.bpf.o`);
}

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("debpf inspect says of each bad file in one sentence what is wrong with it", async (test) => {
  await inFolder(async (folder) => {
    for (const { name, path, message } of await writeBadFiles(folder)) {
      await test.step(name, async () => assertSentence(await runCli(["inspect", path], READ_ONLY), 1, message));
    }
  });
});

Deno.test("debpf -j prints an error as JSON, whatever the command", async () => {
  await inFolder(async (folder) => {
    const [empty, text] = await writeBadFiles(folder);
    assertJsonError(await runCli(["-j", "inspect", empty!.path], READ_ONLY), 1, empty!.message);
    assertJsonError(await runCli(["relocate", text!.path, "-j"], READ_ONLY), 1, text!.message);
    assertJsonError(await runCli(["disasm", "-j", text!.path], READ_ONLY), 1, text!.message);
    assertJsonError(await runCli(["run", text!.path, "-j"], READ_ONLY), 1, text!.message);
    assertJsonError(await runCli(["inspect", `${folder}/none`, "-j"], READ_ONLY), 1, /none: no such file$/);
  });
});

for (const permissions of [["--allow-read"], ["--allow-ffi"]]) {
  Deno.test({
    name: `debpf names a file that cannot be read: ${permissions}`,
    ...needs({ ffi: true }),
    async fn() {
      await inFolder(async (folder) => {
        const inspect = (path: string) => runCli(["inspect", path], { permissions });
        assertSentence(await inspect(`${folder}/none.o`), 1, /\/none\.o: no such file$/m);
        assertSentence(await inspect(folder), 1, /: is a directory, not a file$/m);
        assertSentence(
          await inspect("/bin/true"),
          1,
          /"true": is an executable or shared library for .*not a BPF object/,
        );
      });
    },
  });
}

Deno.test({
  name: "debpf run refuses a bad file as debpf inspect does",
  ...needs({ ffi: true }),
  async fn() {
    await inFolder(async (folder) => {
      const files = await writeBadFiles(folder);
      for (const { path, message } of files.filter(({ name }) => /class32|x86|cut_100|code_outside/.test(name))) {
        assertSentence(await runCli(["run", path]), 1, message);
      }
    });
  },
});

Deno.test({
  name: "debpf run says what an object lacks",
  ...needs({ bpf: true, btf: true }),
  async fn(test) {
    const cases: [name: string, message: RegExp][] = [
      ["unknown_section", /program "lost" \(section "nowhere\/at\/all"\): .*use a name like SEC\(/],
      ["extern_option", /extern "CONFIG_IN_NO_KERNEL": \/(proc\/config\.gz|boot\/config-\S+) does not set it: /],
      ["extern_strong", /extern function "bpf_in_no_kernel": neither the kernel nor a module has such a function: /],
      ["extern_undefined", /nothing that is linked defines function "defined_elsewhere", function "perhaps_defined/],
      ["legacy_maps", /"legacy_maps\.bpf\.o": section "maps" holds legacy map definitions .*SEC\("\.maps"\)/],
      [
        "core_unaligned",
        /"wide", instruction \d+, .*core_unaligned\.bpf\.c:\d+[^]*\n {2}.*struct bpf_insn___wide\.code/,
      ],
      ["core_ambiguous", /program "same", instruction \d+, .*core_ambiguous\.bpf\.c:\d+[^]*\n {2}.*struct widget/],
      ["core_missing", /core_missing: none of its programs says in its section name where to attach it/],
      ["nobtf", /nobtf: none of its programs says in its section name where to attach it/],
      ["truth.eb", /it was built for a big-endian machine and this one is little-endian: build it with -target bpfel/],
    ];
    for (const [name, message] of cases) {
      if (name.endsWith(".eb") && Deno.build.arch !== "x86_64" && Deno.build.arch !== "aarch64") continue;
      await test.step(name, async () => assertSentence(await runCli(["run", object(name)]), 1, message));
    }
  },
});

Deno.test("debpf inspect shows an object that a kernel would not take: no BTF, no known section, externs", async () => {
  const nobtf = await runCli(["inspect", object("nobtf")], READ_ONLY);
  assertEquals(nobtf.code, 0);
  assertStringIncludes(nobtf.stdout, "without BTF");
  const unknown = await runCli(["inspect", object("unknown_section")], READ_ONLY);
  assertEquals(unknown.code, 0);
  assertMatch(unknown.stdout, /lost +nowhere\/at\/all/);
  const externs = await runCli(["inspect", "-j", object("extern_kconfig")], READ_ONLY);
  assertEquals(externs.code, 0);
  const { externs: found } = JSON.parse(externs.stdout) as { externs: { name: string; kind: string; weak: boolean }[] };
  assertEquals(found.find(({ name }) => name === "CONFIG_HZ")?.kind, "kconfig");
});

Deno.test({
  name: "debpf run shows the verifier's reason, its instruction and its line of C",
  ...needs({ bpf: true, btf: true }),
  async fn() {
    const refused = ["run", object("bad"), "--program", "unbounded"];
    const message = new RegExp(
      '^debpf: program "unbounded": the verifier refused it: .+\\n' +
        "  at instruction \\d+: .+\\n" +
        "  in the line: return value\\[args\\[0\\]\\]; /\\* wrong \\*/ @ bad\\.bpf\\.c:\\d+\\n$",
    );
    assertSentence(await runCli(refused), 1, message);
    assertJsonError(await runCli([...refused, "-j"]), 1, /^program "unbounded": the verifier refused it/);
    const verbose = await runCli([...refused, "--verbose"]);
    assertEquals(verbose.code, 1);
    assertEquals(verbose.stdout, "");
    // The log itself: each instruction, and the statistics at its end.
    assertMatch(verbose.stderr, /^0: \(bf\) r\d = r1/m);
    assertMatch(verbose.stderr, /^processed \d+ insns/m);
  },
});

Deno.test({
  name: "debpf relocate names what is wrong with --btf FILE",
  ...needs({ ffi: true }),
  async fn() {
    await inFolder(async (folder) => {
      await writeBadFiles(folder);
      const relocate = (file: string) => runCli(["relocate", object("truth"), "--btf", file], READ_ONLY);
      assertSentence(await relocate(`${folder}/text.c`), 1, /\/text\.c: not BTF: /);
      assertSentence(await relocate(`${folder}/empty.o`), 1, /\/empty\.o: 0 bytes are too short for BTF/);
      assertSentence(await relocate(`${folder}/none`), 1, /\/none: no such file/);
      assertSentence(await relocate(object("nobtf")), 1, /nobtf\.bpf\.o: has no section "\.BTF"/);
    });
  },
});
