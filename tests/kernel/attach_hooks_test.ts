/**
 * Programs that decide: what they answer is what the caller gets, until their link is closed.
 */
import { assertEquals, assertThrows } from "@std/assert";
import { attachLsmCgroup, Collection, type Link, SyscallError } from "../../mod.ts";
import type { FeatureName } from "../support/features.ts";
import { needs, shows } from "../support/mod.ts";
import { loadTracer, seen } from "./attach_support.ts";
import { COMPILERS, objectSpec } from "./support.ts";

const COOKIE = 0xabcdef0123n;
const MODE = 0o750;

/** Makes and removes a directory; gives the error number of mkdir(2). */
function callMkdir(): number {
  const parent = Deno.makeTempDirSync();
  try {
    Deno.mkdirSync(`${parent}/made`, { mode: MODE });
    return 0;
  } catch (error) {
    return Number(/os error (\d+)/.exec(String(error))?.[1] ?? -1);
  } finally {
    Deno.removeSync(parent, { recursive: true });
  }
}

interface Hook {
  readonly how: string;
  readonly program: string;
  readonly slot: number;
  readonly features: readonly FeatureName[];
  readonly answer: number;
}

const HOOKS: readonly Hook[] = [
  { how: "fmod_ret/FUNCTION", program: "on_fmod_ret", slot: 9, features: ["fentry"], answer: -18 },
  { how: "lsm/HOOK", program: "on_lsm", slot: 10, features: ["bpfLsm"], answer: -13 },
];

function attach(collection: Collection, cookies: Record<string, bigint> = {}): Link {
  const links = collection.attach({ cookies, only: () => true });
  assertEquals(links.length, 1);
  return links[0]!;
}

for (const compiler of COMPILERS) {
  for (const { how, program, slot, features, answer } of HOOKS) {
    Deno.test({
      ...shows(how, `what the program answers is the caller's error (${compiler})`),
      ...needs({ bpf: true, btf: true, features }),
      fn: () => {
        using collection = loadTracer(compiler, [program], { answer });
        {
          using _ = attach(collection);
          // The first directory of callMkdir() is forbidden already.
          assertThrows(callMkdir, Error, `os error ${-answer}`);
        }
        const { count, values } = seen(collection, slot);
        assertEquals(count, 1n);
        assertEquals(values[0]! & 0o777n, 0o700n);
        assertEquals(callMkdir(), 0);
        assertEquals(seen(collection, slot).count, count);
      },
    });
  }

  Deno.test({
    ...shows("lsm_cgroup/HOOK", `what the program answers for a process of the cgroup is its error (${compiler})`),
    ...needs({ bpf: true, btf: true, features: ["lsmCgroup"] }),
    fn: () => {
      using collection = loadTracer(compiler, ["on_lsm_cgroup"]);
      const listen = () => Deno.listen({ hostname: "127.0.0.1", port: 0 }).close();
      listen();
      {
        using link = attachLsmCgroup(collection.program("on_lsm_cgroup"), ownCgroup());
        assertEquals([link.kind, link.info().kind], ["lsm_cgroup", "cgroup"]);
        assertThrows(listen, Error, "Operation not permitted");
      }
      listen();
      const { count, values } = seen(collection, 11);
      // AF_INET, and struct sockaddr_in.
      assertEquals([count, values[0], values[1]], [1n, 2n, 16n]);
    },
  });

  Deno.test({
    ...shows("raw_tp.w/NAME", `what the program writes is the result of a test run (${compiler})`),
    ...needs({ bpf: true, btf: true }),
    fn: () => {
      using victim = Collection.load(objectSpec(compiler, "attach_victim"));
      using collection = loadTracer(compiler, ["on_raw_tp_writable"], { answer: -34 });
      const run = () => victim.program("victim").run({ data: new Uint8Array(64) });
      run();
      {
        using _ = attach(collection);
        const error = assertThrows(run, SyscallError);
        assertEquals((error as SyscallError).code, "ERANGE");
      }
      run();
      assertEquals(seen(collection, 15).count, 1n);
    },
  });
}

Deno.test({
  name: "lsm: the program gets its cookie",
  ...needs({ bpf: true, btf: true, features: ["bpfLsm", "tracingCookies"] }),
  fn: () => {
    using collection = loadTracer("clang19", ["on_lsm"], { cookieSlots: [10] });
    using _ = attach(collection, { on_lsm: COOKIE });
    assertEquals(callMkdir(), 0);
    assertEquals(seen(collection, 10).cookie, COOKIE);
  },
});

Deno.test({
  name: "collection.attach() of an lsm_cgroup program says that it needs a cgroup",
  ...needs({ bpf: true, btf: true, features: ["lsmCgroup"] }),
  fn: () => {
    using collection = loadTracer("clang19", ["on_lsm_cgroup"]);
    assertThrows(() => collection.attach({ only: () => true }), Error, "attachLsmCgroup");
    assertEquals(collection.attach(), []);
    assertEquals(collection.skipped.map(({ program, step }) => [program, step]), [["on_lsm_cgroup", "attach"]]);
    assertEquals(objectSpec("clang19", "attach_kernel").programs.get("on_lsm_cgroup")?.autoAttach, false);
  },
});

/** The folder of this process' cgroup in cgroup2. */
function ownCgroup(): string {
  const path = /^0::(.*)$/m.exec(Deno.readTextFileSync("/proc/self/cgroup"))?.[1] ?? "/";
  const mount = /^\S+ (\S+) cgroup2 /m.exec(Deno.readTextFileSync("/proc/mounts"))?.[1] ?? "/sys/fs/cgroup";
  return `${mount}${path}`.replace(/\/$/, "");
}
