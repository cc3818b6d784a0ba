import { assertEquals, assertInstanceOf, assertMatch } from "@std/assert";
import { LinkError } from "../../../../lib/errors.ts";
import { type KernelFacts, resolveExterns } from "../../../../lib/linker/mod.ts";
import type { ExternSpec, KconfigSlot } from "../../../../lib/spec/mod.ts";
import { collectionOf, option } from "./externs.ts";

const config = (text: string): KernelFacts => ({ config: () => ({ text, files: ["/proc/config.gz"] }) });

/** The bytes of an option that a text sets, in hex; or why it cannot be set. */
function set(slot: Partial<KconfigSlot>, value: string, order: "little" | "big" = "little"): string {
  const extern = option("CONFIG_X", slot);
  const spec = collectionOf([extern], [], order);
  const { data, error } = resolveExterns(spec, { kernel: {}, kconfig: `# a comment\nCONFIG_X=${value}\n` });
  if (error !== undefined) {
    assertInstanceOf(error, LinkError);
    assertMatch(error.message, /^extern "CONFIG_X": the given configuration, line 2: /);
    return error.message.replace(/^.*line 2: /, "");
  }
  return data.get("CONFIG_X.kconfig")!.toHex();
}

function failure(externs: readonly ExternSpec[], kernel: KernelFacts, kconfig?: string): string {
  return resolveExterns(collectionOf(externs), { kernel, kconfig }).error?.message ?? "no error";
}

Deno.test("resolveExterns() reads y, n and m as the type of the option says", () => {
  assertEquals(["y", "n"].map((value) => set({ kind: "bool", size: 1, signed: false }, value)), ["01", "00"]);
  const tristate = { kind: "tristate", signed: false } as const;
  assertEquals(["n", "y", "m"].map((value) => set(tristate, value)), ["00000000", "01000000", "02000000"]);
  assertEquals(set({ ...tristate, size: 8 }, "m", "big"), "0000000000000002");
  assertEquals(["y", "n", "m"].map((value) => set({ kind: "char", size: 1 }, value)), ["79", "6e", "6d"]);
  // libbpf looks at the first letter only.
  assertEquals(set({ kind: "bool", size: 1 }, "yes"), "01");
  assertEquals(set({ kind: "bool", size: 1 }, "m"), "a module (m) is no bool: declare enum libbpf_tristate");
  assertMatch(set({}, "y"), /^the value is y, the object declares a signed integer of 4 bytes: declare bool/);
  assertMatch(set({ kind: "text", size: 8 }, "y"), /the object declares char\[8\]/);
});

Deno.test("resolveExterns() reads numbers of each size, and refuses what does not fit", () => {
  const int = (size: number, signed: boolean) => ({ kind: "int", size, signed } as const);
  assertEquals(set(int(2, false), "65535"), "ffff");
  assertEquals(set(int(2, false), "65536"), "65536 does not fit an unsigned integer of 2 bytes");
  assertEquals(set(int(2, true), "-32768"), "0080");
  assertEquals(set(int(2, true), "32768"), "32768 does not fit a signed integer of 2 bytes");
  assertEquals(set(int(2, true), "-32769"), "-32769 does not fit a signed integer of 2 bytes");
  assertEquals(set(int(4, false), "-1"), "18446744073709551615 does not fit an unsigned integer of 4 bytes");
  assertEquals(set(int(4, true), "0x7fffffff"), "ffffff7f");
  assertEquals(set(int(4, true), "010", "big"), "00000008");
  assertEquals(set(int(8, false), "0xdead000000000000"), "000000000000adde");
  assertEquals(set(int(8, true), "-1"), "ffffffffffffffff");
  assertEquals(set({ kind: "char", size: 1, signed: false }, "255"), "ff");
  assertEquals(set({ kind: "char", size: 1, signed: true }, "255"), "255 does not fit a signed byte");
  for (const value of ["18446744073709551616", "12x", "0x", "1 2", "09", "+", " "]) {
    assertEquals(set(int(8, false), value), `${value} is not a number of 64 bits`);
  }
  assertMatch(set({ kind: "bool", size: 1 }, "1"), /^the value is a number, the object declares a bool/);
  assertMatch(set({ kind: "tristate" }, "1"), /^the value is a number, the object declares enum libbpf_tristate/);
});

Deno.test("resolveExterns() reads text, and cuts what is too long", () => {
  const text = (size: number) => ({ kind: "text", size, signed: false } as const);
  assertEquals(set(text(6), '"abc"'), "616263000000");
  assertEquals(set(text(4), '"abc"'), "61626300");
  assertEquals(set(text(3), '"abc"'), "616200");
  assertEquals(set(text(1), '""'), "00");
  assertEquals(set(text(3), '"'), '" has no closing quote');
  assertEquals(set(text(3), '"abc" '), '"abc"  has no closing quote');
  assertMatch(
    set({}, '"abc"'),
    /^the value is text, the object declares a signed integer of 4 bytes: declare char\[N\]/,
  );
});

Deno.test("resolveExterns() takes the first line of an option, the user's before the kernel's", () => {
  const externs = [option("CONFIG_A"), option("CONFIG_B"), option("CONFIG_C", {}, true)];
  const kernel = config("CONFIG_A=1\nCONFIG_B=2\nCONFIG_B=3\n# CONFIG_C is not set");
  const { data, error } = resolveExterns(collectionOf(externs), { kernel, kconfig: "CONFIG_A=7" });
  assertEquals(error, undefined);
  assertEquals(
    ["A", "B", "C"].map((name) => data.get(`CONFIG_${name}.kconfig`)!.toHex()),
    ["07000000", "02000000", "00000000"],
  );
});

Deno.test("resolveExterns() asks for the kernel's configuration only if an option needs it, and once", () => {
  let asked = 0;
  const kernel: KernelFacts = {
    config: () => {
      asked++;
      return { text: "CONFIG_B=1\nCONFIG_C=1", files: ["/boot/config"] };
    },
  };
  resolveExterns(collectionOf([option("CONFIG_A")]), { kernel, kconfig: "CONFIG_A=7" });
  assertEquals(asked, 0);
  resolveExterns(collectionOf([option("CONFIG_A"), option("CONFIG_B"), option("CONFIG_C")]), { kernel });
  assertEquals(asked, 1);
});

Deno.test("resolveExterns() names a strong option that is missing, and what was read", () => {
  const strong = [option("CONFIG_WEAK", {}, true), option("CONFIG_GONE")];
  const rest = "does not set it: declare it __weak to read 0 then, or give its value";
  assertEquals(failure(strong, config("CONFIG_X=y")), `extern "CONFIG_GONE": /proc/config.gz ${rest}`);
  assertEquals(
    failure(strong, config("CONFIG_X=y"), "CONFIG_WEAK=1"),
    `extern "CONFIG_GONE": the given configuration and /proc/config.gz ${rest}`,
  );
  const nowhere: KernelFacts = { config: () => ({ text: undefined, files: ["/boot/config-6", "/proc/config.gz"] }) };
  // Also if all of them are weak: 0 would be a guess.
  assertEquals(
    failure([option("CONFIG_WEAK", {}, true)], nowhere),
    'extern "CONFIG_WEAK": the kernel\'s configuration is in none of /boot/config-6, /proc/config.gz: give its text, or a ' +
      "kernel with CONFIG_IKCONFIG_PROC=y",
  );
});

Deno.test("resolveExterns() refuses lines without a value, whichever option they are of", () => {
  const kernel = config("");
  assertEquals(
    failure([option("CONFIG_A")], kernel, "x\nCONFIG_B\n"),
    'the given configuration, line 2: "CONFIG_B" has no value: write CONFIG_B=VALUE',
  );
  assertMatch(failure([option("CONFIG_A")], kernel, "CONFIG_B="), /line 1: "CONFIG_B=" has no value: /);
  assertMatch(failure([option("CONFIG_A")], config("CONFIG_A=1\nCONFIG_B=")), /^\/proc\/config\.gz, line 2: /);
});

Deno.test("resolveExterns() gives what no configuration has: version, features, 0 for weak ones to come", () => {
  const kernel: KernelFacts = { version: () => 0x60c0b, has: (feature) => feature === "bpf_cookie" };
  const externs = [
    option("LINUX_KERNEL_VERSION"),
    option("LINUX_HAS_BPF_COOKIE", { kind: "bool", size: 1 }),
    option("LINUX_HAS_SYSCALL_WRAPPER", { size: 8 }),
    option("LINUX_HAS_MORE", { kind: "char", size: 1 }, true),
  ];
  const { data, error } = resolveExterns(collectionOf(externs), { kernel });
  assertEquals(error, undefined);
  assertEquals(
    externs.map(({ name }) => data.get(`${name}.kconfig`)!.toHex()),
    ["0b0c0600", "01", "0000000000000000", "00"],
  );
  assertMatch(
    failure([option("LINUX_HAS_MORE")], kernel),
    /^extern "LINUX_HAS_MORE" .* is neither a CONFIG_ option nor /,
  );
  assertMatch(failure([option("HZ", {}, true)], kernel), /^extern "HZ" in section ".kconfig" is neither /);
  assertEquals(
    failure([option("LINUX_KERNEL_VERSION", { size: 2, signed: false })], kernel),
    'extern "LINUX_KERNEL_VERSION": 396299 does not fit an unsigned integer of 2 bytes',
  );
  assertMatch(
    failure([option("LINUX_KERNEL_VERSION", { kind: "bool", size: 1 })], kernel),
    /is not 0 or 1, as a bool is$/,
  );
});

Deno.test("resolveExterns() leaves unknown what no fact tells, and gives no value of its map", () => {
  const known = option("CONFIG_A", { map: "x.kconfig" });
  const externs = [known, ...["LINUX_KERNEL_VERSION", "LINUX_HAS_BPF_COOKIE", "CONFIG_B"].map((name) => option(name))];
  const { results, data, error } = resolveExterns(collectionOf(externs), { kconfig: "CONFIG_A=1" });
  assertEquals(error, undefined);
  assertEquals([...data.keys()], ["x.kconfig"]);
  assertEquals(
    externs.map((extern) => results.get(extern)),
    [
      { kind: "kconfig", map: "x.kconfig", offset: 0 },
      { kind: "unknown", fact: "the kernel's version" },
      { kind: "unknown", fact: "what the kernel can do" },
      { kind: "unknown", fact: "the kernel's configuration" },
    ],
  );
});
