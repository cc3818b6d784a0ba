/**
 * Functions of modules: the dummy network device's, which a packet reaches. Virtual machines load it (scripts/vm/init.sh).
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { attachKprobe, type Collection, KernelFunctionError } from "../../mod.ts";
import { type FeatureName, hasFeature } from "../support/features.ts";
import { needs, shows } from "../support/mod.ts";
import { loadTracer, seen } from "./attach_support.ts";

const hasDummy = Deno.build.os === "linux" && exists("/sys/kernel/btf/dummy");

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

async function ip(...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("ip", { args }).output();
  if (!success) throw new Error(`ip ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}

/** Sends packets through a dummy device: it answers no question for an address, and none is asked. */
async function sendThroughDummy(): Promise<void> {
  const name = `dbpf${Deno.pid % 1000}`;
  await ip("link", "add", name, "type", "dummy");
  try {
    await ip("addr", "add", "10.211.211.1/24", "dev", name);
    await ip("link", "set", name, "up");
    await new Deno.Command("ping", { args: ["-c", "1", "-W", "1", "10.211.211.2"], stdout: "null" }).output();
  } finally {
    await ip("link", "del", name);
  }
}

const WAYS: readonly {
  how: string;
  program: string;
  slot: number;
  feature: FeatureName;
  attach: (collection: Collection) => unknown;
}[] = [
  {
    how: "kprobe/MODULE:FUNCTION",
    program: "on_module_kprobe",
    slot: 23,
    feature: "kprobes",
    attach: (collection) => collection.attach(),
  },
  {
    how: "attachKprobe() of a module, through tracefs",
    program: "on_module_kprobe",
    slot: 23,
    feature: "kprobeEvents",
    attach: (collection) =>
      attachKprobe(collection.program("on_module_kprobe"), { function: "dummy:dummy_xmit", mode: "tracefs" }),
  },
  {
    how: "fentry/MODULE:FUNCTION",
    program: "on_module_fentry",
    slot: 22,
    feature: "fentry",
    attach: (collection) => collection.attach(),
  },
];

for (const { how, program, slot, feature, attach } of WAYS) {
  const { ignore } = needs({ bpf: true, btf: true, tracefs: true, program: "ip", features: [feature] });
  Deno.test({
    ...shows(how, "the program sees a packet"),
    ignore: ignore || !hasDummy,
    fn: async () => {
      using collection = loadTracer("clang19", [program]);
      const attached = attach(collection);
      await sendThroughDummy();
      assert(seen(collection, slot).count >= 1n);
      for (const link of [attached].flat()) (link as Disposable)[Symbol.dispose]();
      const { count } = seen(collection, slot);
      await sendThroughDummy();
      assertEquals(seen(collection, slot).count, count);
    },
  });
}

Deno.test({
  name: "a function that a module lacks, and a module that is not loaded, are told from each other",
  ...needs({ bpf: true, btf: true, features: ["kprobes"] }),
  fn: () => {
    using collection = loadTracer("clang19", ["on_kprobe"]);
    const program = collection.program("on_kprobe");
    const attach = (name: string) => assertThrows(() => attachKprobe(program, { function: name }), KernelFunctionError);
    assert(/module "no_such" is not loaded/.test(String(attach("no_such:function"))));
    if (!hasDummy || !hasFeature("kprobes")) return;
    assert(
      /module "dummy" has no function "vfs_read", but the kernel itself has one/.test(String(attach("dummy:vfs_read"))),
    );
    assert(/module "dummy" has no function "dummy_xmitt"; names that are close: "dummy_xmit"/.test(
      String(attach("dummy:dummy_xmitt")),
    ));
  },
});
