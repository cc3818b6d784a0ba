/**
 * A failure leaves nothing: no file descriptor, no mapped memory, no BPF object.
 */
import { assert, assertThrows } from "@std/assert";
import { command as run } from "../../cli/run.ts";
import { UsageError } from "../../cli/command.ts";
import { Collection, openCollectionSpec } from "../../ffi/collection/mod.ts";
import { Errno, VerifierError } from "../../ffi/sys/mod.ts";
import { inject } from "../ffi/sys/inject.ts";
import { inRepository, needs } from "../support/mod.ts";
import { CapturedOutput } from "../support/captured_output.ts";
import { assertHoldsNothing, assertLeavesNothing } from "../support/leaks.ts";
import { writeBadFiles } from "./bad_files.ts";

function object(name: string): string {
  return inRepository("testdata", "clang19", `${name}.bpf.o`);
}

/** What is kept for the life of the process: libc, the kernel's BTF. */
function warmUp(): void {
  Collection.load(openCollectionSpec(object("truth"))).close();
}

async function runFails(args: string[]): Promise<void> {
  const output = new CapturedOutput();
  let failed = false;
  try {
    await run.run(args, { output });
  } catch {
    failed = true;
  }
  assert(failed, `${args.join(" ")} did not fail`);
}

/** Objects that read well and do not load. */
const NOT_LOADABLE = [
  "bad",
  "core_unaligned",
  "core_ambiguous",
  "extern_option",
  "extern_strong",
  "extern_undefined",
  "truth.eb",
  "unknown_section",
];

Deno.test({
  name: "openCollectionSpec() leaves nothing of a bad file",
  ...needs({ bpf: true }),
  async fn(test) {
    const folder = await Deno.makeTempDir();
    try {
      const paths = (await writeBadFiles(folder)).map(({ path }) => path);
      for (const path of [...paths, folder, `${folder}/none`]) {
        await test.step(path.slice(folder.length), async () => {
          await assertHoldsNothing(path, () => assertThrows(() => openCollectionSpec(path)));
          await assertHoldsNothing(path, () => runFails([path]));
        });
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test({
  name: "Collection.load() and debpf run leave nothing of an object that does not load",
  ...needs({ bpf: true, btf: true }),
  async fn(test) {
    warmUp();
    for (const name of NOT_LOADABLE) {
      await test.step(name, async () => {
        const spec = openCollectionSpec(object(name));
        await assertLeavesNothing(`load ${name}`, () => assertThrows(() => Collection.load(spec)));
        await assertLeavesNothing(`run ${name}`, () => runFails([object(name)]));
      });
    }
  },
});

Deno.test({
  name: "Collection.load() leaves nothing of each program that the verifier refuses",
  ...needs({ bpf: true, btf: true }),
  async fn(test) {
    warmUp();
    for (const wrong of openCollectionSpec(object("bad")).programs.keys()) {
      await test.step(wrong, async () => {
        const spec = openCollectionSpec(object("bad"));
        for (const program of spec.programs.values()) program.autoload = program.name === wrong;
        let refused = false;
        await assertLeavesNothing(wrong, () => {
          try {
            Collection.load(spec).close();
          } catch (error) {
            refused = error instanceof VerifierError;
          }
        });
        // One of the object's programs is right.
        assert(refused || wrong === "good", `${wrong} was not refused`);
      });
    }
  },
});

Deno.test({
  name: "debpf run leaves nothing when its arguments do not fit the object",
  ...needs({ bpf: true, btf: true }),
  async fn() {
    warmUp();
    for (const args of [["--count", "1.5"], ["--event", "none=x"], ["--set", "none=1"], ["--program", "none"]]) {
      await assertLeavesNothing(args.join(" "), async () => {
        let error: unknown;
        await Promise.resolve(run.run([object("events"), ...args], { output: new CapturedOutput() }))
          .catch((thrown) => error = thrown);
        assert(error instanceof UsageError, `${error}`);
      });
    }
  },
});

Deno.test({
  name: "debpf run leaves nothing when it cannot attach the last of its programs",
  ...needs({ bpf: true, btf: true, tracefs: true }),
  async fn() {
    warmUp();
    await assertLeavesNothing("attach", async () => {
      let attached = 0;
      // The object's programs are attached by links and raw tracepoints; the fifth finds no memory.
      using _ = inject("bpf", (real) => (cmd, attr, size) => {
        const attaches = cmd === BPF_LINK_CREATE || cmd === BPF_RAW_TRACEPOINT_OPEN;
        return attaches && ++attached > 4 ? -Errno.ENOMEM : real(cmd, attr, size);
      });
      await runFails([object("tracepoints")]);
      assert(attached > 4, `${attached} programs were attached`);
    });
  },
});

const BPF_RAW_TRACEPOINT_OPEN = 17;
const BPF_LINK_CREATE = 28;

Deno.test({
  name: "a whole cycle leaves nothing: load, attach, events, close",
  ...needs({ bpf: true, btf: true, tracefs: true }),
  async fn() {
    warmUp();
    await assertLeavesNothing("cycle", async () => {
      await run.run(["--duration", "0.05"], { output: new CapturedOutput() });
      await run.run([object("tracepoints"), "--duration", "0.05"], { output: new CapturedOutput() });
      await run.run([object("events"), "--dry-run"], { output: new CapturedOutput() });
    });
  },
});
