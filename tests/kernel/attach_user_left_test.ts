/**
 * What attaching to user programs and perf events leaves: nothing, after it is closed, after any system call of it failed, and
 * after its process was killed. Looked at are file descriptors, the kernel's programs, maps and links, tracefs' list of probes,
 * and the semaphore of the program.
 */
import { assert, assertEquals } from "@std/assert";
import { DebpfError } from "../../lib/errors.ts";
import { attachUprobe, sys } from "../../mod.ts";
import { inject } from "../ffi/sys/inject.ts";
import { assertHoldsNothing, assertLeavesNothing } from "../support/leaks.ts";
import { inRepository, needs } from "../support/mod.ts";
import { userProgram, UserTarget } from "../support/user_target.ts";
import { loadUser } from "./user_support.ts";
import { userWays } from "./user_ways.ts";

/** Not those that give something back. */
const FALLIBLE = ["bpf", "perfEventOpen", "ioctl", "open", "read", "write", "access", "readlink"] as const;
type Fallible = typeof FALLIBLE[number];

function failing(decide: (name: Fallible) => number | undefined): Disposable {
  const cleanup = new DisposableStack();
  for (const name of FALLIBLE) {
    cleanup.use(inject(name, (real) =>
      ((...args: unknown[]) => {
        // What is written to remove a probe.
        const removes = name === "write" && (args[1] as Uint8Array)[0] === "-".charCodeAt(0);
        const errno = removes ? undefined : decide(name);
        return errno === undefined ? (real as (...args: unknown[]) => unknown)(...args) : -errno;
      }) as typeof real));
  }
  return cleanup;
}

const LISTS = ["/sys/kernel/tracing/uprobe_events", "/sys/kernel/debug/tracing/uprobe_events"];

/** Probes that this library made, of whichever process. */
function tracedProbes(): string[] {
  const list = LISTS.find((path) => sys.exists(path));
  return list === undefined ? [] : sys.readTextFile(list).split("\n").filter((line) => line.includes(":debpf/"));
}

for (const { what, features, attach } of userWays()) {
  const requirements = needs({ bpf: true, features, ...(what.includes("tracefs") ? { tracefs: true } : {}) });

  Deno.test({
    name: `${what}: nothing is left after close, and the semaphore is 0`,
    ...requirements,
    async fn() {
      await using target = UserTarget.start();
      await target.call(1);
      attach()[Symbol.dispose]();
      const probes = tracedProbes();
      await assertLeavesNothing(what, () => attach()[Symbol.dispose]());
      assertEquals(tracedProbes(), probes);
      assertEquals(await target.call(2), 0);
    },
  });

  // The kernel takes its time to remove each of several probes.
  const errors = what.endsWith("each place") ? ["ENOMEM"] as const : ["EPERM", "EINVAL", "ENOMEM"] as const;
  for (const name of errors) {
    Deno.test({
      name: `${what}: whichever call fails with ${name}, nothing is left`,
      ...requirements,
      async fn() {
        await using target = UserTarget.start();
        await target.call(1);
        const errno = sys.Errno[name];
        const made: Fallible[] = [];
        {
          using _attached = attach();
        }
        {
          using _ = failing((call) => void made.push(call));
          using _attached = attach();
        }
        const probes = tracedProbes();
        let noticed = 0;
        await assertHoldsNothing(what, () => {
          for (let failed = 0; failed < made.length; failed++) {
            let count = 0;
            using _ = failing(() => count++ === failed ? errno : undefined);
            try {
              attach()[Symbol.dispose]();
            } catch (error) {
              noticed++;
              const ours = error instanceof DebpfError || (error as Error).constructor === Error;
              assert(ours, `${what}: call ${failed} (${made[failed]}): ${error}`);
            }
          }
        });
        assert(noticed > made.length / 3, `${what}: only ${noticed} of ${made.length} failures were noticed`);
        assertEquals(tracedProbes(), probes);
        assertEquals(await target.call(2), 0);
      },
    });
  }

  Deno.test({
    name: `${what}: nothing is left after its process was killed`,
    ...requirements,
    async fn() {
      await using target = UserTarget.start();
      await target.call(1);
      await assertLeavesNothing(what, async () => {
        const script = inRepository("tests", "kernel", "user_child.ts");
        const args = ["run", "--no-check", "-A", script, what];
        const child = new Deno.Command(Deno.execPath(), { args, stdin: "null", stdout: "piped" }).spawn();
        const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
        assertEquals((await reader.read()).value, "attached\n");
        child.kill("SIGKILL");
        await child.status;
        await reader.cancel();
      });
      assertEquals(await target.call(2), 0);
      if (!what.includes("tracefs")) return;
      // A probe of tracefs outlives whoever made it; the next process that makes one removes it.
      assert(tracedProbes().length > 0);
      using collection = loadUser("clang19", { enter: "" });
      const options = { path: userProgram(), symbol: "target_add", mode: "tracefs" } as const;
      attachUprobe(collection.program("enter"), options).close();
      assertEquals(tracedProbes(), []);
    },
  });
}
