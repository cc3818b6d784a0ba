/**
 * Nothing stays of programs of devices, sockets, network namespaces and cgroups: after close, after whichever call has failed,
 * after the process was killed.
 *
 * @module
 */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { DebpfError } from "../../lib/errors.ts";
import * as sys from "../../ffi/sys/mod.ts";
import { inject } from "../ffi/sys/inject.ts";
import { killedWhileAttached } from "../support/attach_child.ts";
import { TestCgroup } from "../support/cgroup.ts";
import { hasFeature } from "../support/features.ts";
import { needs, openFds } from "../support/mod.ts";
import { inNetns, insideNetns, waitFor } from "../support/net.ts";
import { cgroupLists, networkLists, withWays } from "./network_ways.ts";

/** Not those that give something back. */
const FALLIBLE = [
  "bpf",
  "socket",
  "bind",
  "setsockopt",
  "fcntl",
  "open",
  "read",
  "write",
  "readlink",
  "statfs",
] as const;
type Fallible = typeof FALLIBLE[number];

/** Makes the call fail for which `decide` gives an error number. */
function failing(decide: (name: Fallible) => number | undefined): Disposable {
  const cleanup = new DisposableStack();
  for (const name of FALLIBLE) {
    cleanup.use(inject(name, (real) =>
      ((...args: unknown[]) => {
        const errno = decide(name);
        return errno === undefined ? (real as (...args: unknown[]) => unknown)(...args) : -errno;
      }) as typeof real));
  }
  return cleanup;
}

/** Open file descriptors: number and what it is. */
function fds(): string[] {
  return [...openFds()].map(([number, what]) => `${number} ${what}`);
}

Deno.test({
  name: "nothing stays of any way to attach when its link is closed or detached",
  ...needs({ bpf: true }),
  fn: () => {
    using cgroup = new TestCgroup();
    withWays(cgroup.path, (ways) => {
      for (const [name, attach] of [...ways.byLink, ...ways.byHand]) {
        for (const end of ["close", "detach"] as const) {
          const before = { fds: fds(), lists: ways.lists() };
          const link = attach();
          const silent = ["socket filter", "reuseport", "netfilter"].includes(name) ||
            name === "sockmap" && !hasFeature("sockmapQueries");
          assert(silent || JSON.stringify(ways.lists()) !== JSON.stringify(before.lists), name);
          link[end]();
          assertEquals(ways.lists(), before.lists, `${name}: ${end}()`);
          link.close();
          assertEquals(fds(), before.fds, name);
        }
      }
    });
  },
});

for (const code of ["ENOMEM", "EINVAL"] as const) {
  Deno.test({
    name: `nothing stays of any way to attach, whichever call fails with ${code}`,
    ...needs({ bpf: true }),
    fn: () => {
      using cgroup = new TestCgroup();
      withWays(cgroup.path, (ways) => {
        for (const [name, attach] of [...ways.byLink, ...ways.byHand]) {
          const calls: Fallible[] = [];
          {
            using _ = failing((call) => void calls.push(call));
            attach().close();
          }
          const before = { fds: fds(), lists: ways.lists() };
          let failed = 0;
          for (let target = 0; target < calls.length; target++) {
            const what = `${name}: call ${target} (${calls[target]}) of ${calls.length}`;
            let count = 0;
            {
              // Attaching alone: that closing finds what it needs is another matter.
              using failure = new DisposableStack();
              failure.use(failing(() => count++ === target ? sys.Errno[code] : undefined));
              try {
                const link = attach();
                failure.dispose();
                link.close();
              } catch (error) {
                assert(error instanceof DebpfError || error instanceof Error, what);
                failed++;
              }
            }
            assertEquals({ fds: fds(), lists: ways.lists() }, before, what);
          }
          // As older kernels say it, EINVAL may be no failure.
          assert(failed > 0 || code === "EINVAL", name);
        }
      });
    },
  });
}

Deno.test({
  name: "nothing stays of what was attached by a link when its process is killed",
  ...needs({ bpf: true }),
  async fn() {
    using cgroup = new TestCgroup();
    using cleanup = new DisposableStack();
    const lists = () => ({ ...networkLists(), ...cgroupLists(cgroup.path) });
    const { netns, before, killed } = inNetns(() => {
      const netns = cleanup.use(sys.open("/proc/thread-self/ns/net"));
      const before = lists();
      // The child is started before this returns, so in this network namespace.
      const killed = killedWhileAttached("tests/kernel/attach_network_child.ts", [cgroup.path], () => {
        assertNotEquals(insideNetns(netns, lists), before);
      });
      return { netns, before, killed };
    });
    await killed;
    // The kernel closes the files of a killed process a little later.
    insideNetns(netns, () => waitFor("the end of all links", () => JSON.stringify(lists()) === JSON.stringify(before)));
    assertEquals(insideNetns(netns, lists), before);
  },
});
