/**
 * The kernel judges externs: programs read options of its configuration, addresses, variables and functions, and say what
 * they saw. The results are told in testdata/extern_*.bpf.c.
 */
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { hostFacts, kernelConfig, kernelVersion } from "../../ffi/host/mod.ts";
import { exists, possibleCpus } from "../../ffi/sys/mod.ts";
import { Collection, LinkError, type LoadOptions, VerifierError } from "../../mod.ts";
import { assertLeavesNothing } from "../support/leaks.ts";
import { needs } from "../support/mod.ts";
import { args, COMPILERS, objectSpec } from "./support.ts";

/** Distributions keep it in /boot, which a virtual machine may not have. */
const CONFIG = needs({ ffi: true }).ignore ? undefined : kernelConfig().text;
if (CONFIG === undefined) {
  console.log("skipping tests that need the kernel's configuration, in /boot or /proc/config.gz");
}

/** What the running kernel's configuration says. */
function option(name: string): string | undefined {
  return CONFIG?.split("\n").find((line) => line.startsWith(`${name}=`))?.slice(name.length + 1);
}

function number(name: string): number {
  return Number(option(name) ?? 0);
}

/** bpf_get_attach_cookie() came with 5.15. */
const BPF_COOKIE_SINCE = 0x050f00;
const WRAPPERS: Partial<Record<typeof Deno.build.arch, string>> = { x86_64: "x64", aarch64: "arm64" };

for (const compiler of COMPILERS) {
  const load = (name: string, options: LoadOptions = {}) => Collection.load(objectSpec(compiler, name), options);

  Deno.test({
    name: `${compiler}: options of the kernel's configuration are what programs read`,
    ignore: needs({ bpf: true, btf: true }).ignore || CONFIG === undefined,
    fn() {
      using collection = load("extern_kconfig_kinds");
      assertEquals(collection.program("read").run().returnValue, kernelVersion());
      const seen = collection.variable("seen").get() as Record<string, unknown>;
      const tristate = (name: string) => ["n", "y", "m"].indexOf(option(name) ?? "n");
      assertEquals(
        [seen.net, seen.veth, seen.no_module, seen.hz, seen.cpus, seen.log_shift],
        [
          tristate("CONFIG_NET"),
          tristate("CONFIG_VETH"),
          0,
          number("CONFIG_HZ"),
          number("CONFIG_NR_CPUS"),
          number("CONFIG_LOG_BUF_SHIFT"),
        ],
      );
      assertEquals(
        [seen.inet, seen.smp, seen.not_there, seen.bpf, seen.min_address],
        ["y".charCodeAt(0), 1, 0, 1, number("CONFIG_DEFAULT_MMAP_MIN_ADDR")],
      );
      const text = (name: string, length: number) => (option(name) ?? '""').slice(1, -1).slice(0, length - 1);
      assertEquals(
        [seen.compiler, seen.hostname, seen.local_version],
        [text("CONFIG_CC_VERSION_TEXT", 8), text("CONFIG_DEFAULT_HOSTNAME", 32), ""],
      );
    },
  });

  Deno.test({
    name: `${compiler}: the user's options win over the kernel's, the map of options is frozen and of libbpf's name`,
    ignore: needs({ bpf: true, btf: true }).ignore || CONFIG === undefined,
    fn() {
      const kconfig = [
        "CONFIG_HZ=17",
        "CONFIG_NET=m",
        "CONFIG_SMP=n",
        "CONFIG_PANIC_TIMEOUT=-3",
        "CONFIG_ILLEGAL_POINTER_VALUE=0xfedcba9876543210",
        'CONFIG_CC_VERSION_TEXT="a compiler"',
      ].join("\n");
      using collection = load("extern_kconfig_kinds", { kconfig });
      collection.program("read").run();
      const seen = collection.variable("seen").get() as Record<string, unknown>;
      assertEquals(
        [seen.hz, seen.net, seen.smp, seen.timeout, seen.illegal_pointer, seen.compiler],
        [17, 2, 0, -3, 0xfedcba9876543210n, "a compi"],
      );
      const map = collection.map("extern_.kconfig");
      assertEquals([map.info().name, map.info().valueSize], ["extern_.kconfig", 102]);
      assertThrows(() => map.set(0, new Uint8Array(102)), Error);
      // Loading does not change the spec.
      assertEquals(collection.spec.maps.get("extern_.kconfig")!.data!.every((byte) => byte === 0), true);
    },
  });

  Deno.test({
    name:
      `${compiler}: what no configuration has is found out by asking the kernel, options that it does not have are 0`,
    ...needs({ bpf: true, btf: true }),
    fn() {
      const facts = { ...hostFacts(), config: () => ({ text: "", files: ["nothing"] }) };
      using collection = load("extern_kconfig_kinds", { facts });
      const version = collection.program("read").run().returnValue;
      assertEquals(version >> 8, Deno.osRelease().split(".").slice(0, 2).reduce((code, part) => code << 8 | +part, 0));
      const { cookie, wrapper, ...others } = collection.variable("seen").get() as Record<string, unknown>;
      assertEquals(cookie, version >= BPF_COOKIE_SINCE ? 1 : 0);
      // Without kprobes nobody could tell the difference, and libbpf says no.
      const hasKprobes = exists("/sys/bus/event_source/devices/kprobe");
      const isWrapped = Deno.readTextFileSync("/proc/kallsyms").includes(` __${WRAPPERS[Deno.build.arch]}_sys_bpf\n`);
      assertEquals(wrapper, hasKprobes && isWrapped ? 1n : 0n);
      const zeros = Object.values(others).every((value) => value === 0 || value === 0n || value === "");
      assert(zeros, Deno.inspect(others));
    },
  });

  Deno.test({
    name: `${compiler}: a strong option is loaded with the user's value, and refused without`,
    ...needs({ bpf: true, btf: true }),
    async fn() {
      using collection = load("extern_option", { kconfig: "CONFIG_IN_NO_KERNEL=42" });
      assertEquals(collection.program("read").run().returnValue, 42);
      await assertLeavesNothing("option", () => {
        assertThrows(() => load("extern_option"), LinkError, 'extern "CONFIG_IN_NO_KERNEL": ');
      });
    },
  });

  Deno.test({
    name: `${compiler}: addresses are those of /proc/kallsyms, and 0 for what is missing`,
    ...needs({ bpf: true, btf: true, features: ["taskKfuncs"] }),
    fn() {
      using collection = load("extern_ksyms");
      assertEquals(collection.program("addresses").run().returnValue, 0);
      const line = Deno.readTextFileSync("/proc/kallsyms").split("\n").find((line) => line.endsWith(" T schedule"))!;
      assertEquals(collection.variable("schedule_address").get(), BigInt(`0x${line.slice(0, 16)}`));
      assertEquals(collection.variable("missing").get(), 0n);
      assertEquals(collection.program("functions").run().returnValue, 0);
      assertEquals(collection.variable("found").get(), 1);
    },
  });

  /** Of the kernel functions' object, one program: each needs other features. */
  const only = (name: string) => {
    const spec = objectSpec(compiler, "extern_kfuncs");
    for (const program of spec.programs.values()) program.autoload = program.name === name;
    return Collection.load(spec);
  };

  Deno.test({
    name: `${compiler}: kernel functions for masks of CPUs are called`,
    ...needs({ bpf: true, btf: true, features: ["cpumaskKfuncs"] }),
    fn() {
      using collection = only("cpumask");
      assertEquals(collection.program("cpumask").run().returnValue, 0);
      assertEquals([collection.variable("has_cpu").get(), collection.variable("has_other").get()], [1, 0]);
    },
  });

  Deno.test({
    name: `${compiler}: of two signatures of a kernel function the one that the kernel has is called`,
    ...needs({ bpf: true, btf: true, features: ["taskKfuncs"] }),
    fn() {
      using collection = only("task");
      const pid = collection.program("task").run().returnValue;
      assert(Deno.readTextFileSync(`/proc/${pid}/status`).includes(`\nTgid:\t${Deno.pid}\n`));
      assertEquals(collection.variable("signature").get(), 1);
    },
  });

  Deno.test({
    name: `${compiler}: programs see which functions, addresses and variables there are`,
    ...needs({ bpf: true, btf: true, features: ["taskKfuncs", "kfuncAddresses"] }),
    fn() {
      using collection = only("exists");
      assertEquals(collection.program("exists").run().returnValue & 0x3f, 9);
    },
  });

  Deno.test({
    name: `${compiler}: functions that may be of a module are called, and their addresses taken`,
    ...needs({ bpf: true, btf: true, features: ["conntrackKfuncs"] }),
    fn() {
      using collection = load("extern_conntrack");
      const data = new Uint8Array(64);
      // An IPv4 packet, by its Ethernet type.
      data.set([8, 0], 12);
      assertEquals(collection.program("lookup").run({ data }).returnValue, 1);
      assertEquals([collection.variable("error").get(), collection.variable("known").get()], [-2, 3]);
    },
  });

  Deno.test({
    name: `${compiler}: a per-CPU variable of the kernel is read for each CPU`,
    ...needs({ bpf: true, btf: true, features: ["perCpuVariables"] }),
    fn() {
      using collection = only("per_cpu");
      const cpus = possibleCpus();
      assertEquals(collection.program("per_cpu").run({ ctx: args(cpus) }).returnValue, Math.min(cpus, 64));
    },
  });

  Deno.test({
    name: `${compiler}: a missing function that is asked for is not called, one that is reached is named`,
    ...needs({ bpf: true, btf: true }),
    fn() {
      const spec = objectSpec(compiler, "extern_missing");
      using collection = Collection.load(spec);
      assertEquals(collection.program("guarded").run().returnValue, 7);
      spec.programs.get("reached")!.autoload = true;
      const { message } = assertThrows(() => Collection.load(spec), VerifierError);
      assertMatch(
        message,
        /^program "reached", instruction 0, \S+extern_missing\.bpf\.c:\d+:\n {2}the program reaches a call of "bpf_in_none_either"/,
      );
    },
  });

  Deno.test({
    name:
      `${compiler}: a strong function that is missing, or that nobody defines, keeps all programs from being loaded`,
    ...needs({ bpf: true, btf: true }),
    async fn() {
      await assertLeavesNothing("strong", () => {
        assertThrows(
          () => load("extern_strong"),
          LinkError,
          'extern function "bpf_in_no_kernel": neither the kernel nor ',
        );
        assertThrows(() => load("extern_undefined"), LinkError, "extern_undefined: nothing that is linked defines ");
      });
    },
  });

  Deno.test({
    name: `${compiler}: facts that are given are taken for the kernel's`,
    ...needs({ bpf: true, btf: true }),
    fn() {
      const facts = {
        version: () => 0x40e00,
        has: () => false,
        config: () => ({ text: "CONFIG_HZ=1000\nCONFIG_BPF=m\n", files: ["config"] }),
      };
      using collection = load("extern_kconfig", { facts });
      assertEquals(collection.program("read").run().returnValue, 0x40e00);
      assertEquals([collection.variable("hz").get(), collection.variable("bpf").get()], [1000, 2]);
    },
  });
}
