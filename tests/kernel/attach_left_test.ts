/**
 * Nothing stays of what was attached to the kernel: after closing, after a failure in the middle, after the process was killed.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { attachKprobe } from "../../mod.ts";
import { killedWhileAttached } from "../support/attach_child.ts";
import type { FeatureName } from "../support/features.ts";
import { assertListsBecome, tracingLists } from "../support/kernel_lists.ts";
import { assertLeavesNothing } from "../support/leaks.ts";
import { needs } from "../support/mod.ts";
import { loadTracer } from "./attach_support.ts";

interface Kind {
  readonly program: string;
  readonly features: readonly FeatureName[];
  readonly mode?: "tracefs";
}

const KINDS: readonly Kind[] = [
  { program: "on_kprobe", features: ["kprobes"] },
  { program: "on_kprobe", features: ["kprobeEvents"], mode: "tracefs" },
  { program: "on_kretprobe", features: ["kprobes"] },
  { program: "on_ksyscall", features: ["kprobes"] },
  { program: "on_kprobe_multi", features: ["kprobeMulti"] },
  { program: "on_kprobe_session", features: ["kprobeSession"] },
  { program: "on_fentry", features: ["fentry"] },
  { program: "on_fmod_ret", features: ["fentry"] },
  { program: "on_lsm", features: ["bpfLsm"] },
  { program: "on_tp", features: ["syscallTracepoints"] },
  { program: "on_raw_tp", features: [] },
  { program: "on_tp_btf", features: [] },
];

for (const { program, features, mode } of KINDS) {
  const what = `${program}${mode === undefined ? "" : ` through ${mode}`}`;
  Deno.test({
    name: `nothing stays of ${what} after it is closed, nor after an error with it attached`,
    ...needs({ bpf: true, btf: true, tracefs: true, features }),
    fn: async () => {
      attachAndClose(program, mode, () => {});
      const before = tracingLists();
      await assertLeavesNothing(what, () => attachAndClose(program, mode, () => {}));
      await assertListsBecome(before);
      await assertLeavesNothing(`${what}, after an error`, () => {
        assertThrows(() =>
          attachAndClose(program, mode, () => {
            throw new RangeError("in the middle");
          }), RangeError);
      });
      await assertListsBecome(before);
    },
  });

  Deno.test({
    name: `nothing stays of ${what} after its process was killed`,
    ...needs({ bpf: true, btf: true, tracefs: true, features }),
    fn: async () => {
      const before = tracingLists();
      await assertLeavesNothing(what, async () => {
        await killedWhileAttached("tests/kernel/attach_kernel_child.ts", [program, ...(mode ? [mode] : [])], () => {
          if (mode === "tracefs") assert(tracingLists()["/sys/kernel/tracing/kprobe_events"]!.includes("debpf/"));
        });
      });
      // The kernel keeps an event of tracefs for whoever comes; the next one to make such an event removes it.
      if (mode === "tracefs") attachAndClose(program, mode, () => {});
      await assertListsBecome(before);
    },
  });
}

function attachAndClose(program: string, mode: Kind["mode"], during: () => void): void {
  using collection = loadTracer("clang19", [program]);
  if (mode === undefined) collection.attach({ only: () => true });
  else {
    using _ = attachKprobe(collection.program(program), { function: "vfs_fallocate", mode });
    during();
  }
  during();
}

Deno.test({
  name: "collection.attach() that fails in the middle leaves nothing attached",
  ...needs({ bpf: true, btf: true, tracefs: true }),
  fn: async () => {
    using collection = loadTracer("clang19", ["on_raw_tp", "on_tp_btf", "on_tp"]);
    const before = tracingLists();
    await assertLeavesNothing("attach", () => {
      const attachTo = { on_tp_btf: "sys_enter", on_tp: "no_such/tracepoint" };
      assertThrows(() => collection.attach({ attachTo }), Error, "no_such/tracepoint");
    });
    await assertListsBecome(before);
    assertEquals(collection.skipped, []);
  },
});
