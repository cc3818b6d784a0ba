/**
 * Programs on samples of perf events: of all CPUs, of one process, of a cgroup; by period and by frequency.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { attachPerfEvent, type AttachPerfEventOptions, Collection, type Link, sys } from "../../mod.ts";
import { PerfFlag, PerfHardware, PerfType } from "../../lib/uapi/mod.ts";
import { needs, openFds, shows } from "../support/mod.ts";
import { COMPILERS, objectSpec } from "./support.ts";

const COOKIE = 0x1122334455667788n;

function load(compiler: string, watched: number, withCookie = false): Collection {
  const spec = objectSpec(compiler, "perf_event");
  spec.variables.get("watched_tgid")!.set(watched);
  spec.variables.get("with_cookie")!.set(withCookie ? 1 : 0);
  return Collection.load(spec);
}

function samples(collection: Collection): { all: bigint; watched: bigint } {
  const get = (name: string) => collection.variable(name).get() as bigint;
  return { all: get("samples"), watched: get("watched") };
}

function attach(collection: Collection, options: AttachPerfEventOptions): Link {
  return attachPerfEvent(collection.program("sample"), options);
}

/** A process that never rests. */
class Busy implements AsyncDisposable {
  readonly #child = new Deno.Command("sh", { args: ["-c", "while :; do :; done"] }).spawn();

  get pid(): number {
    return this.#child.pid;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
  }
}

/** Works, and lets others work, until `enough`. */
async function until(enough: () => boolean): Promise<void> {
  while (!enough()) {
    for (let i = 0; i < 1e6; i++) Math.sqrt(i);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

for (const compiler of COMPILERS) {
  Deno.test({
    ...shows("attachPerfEvent() on all CPUs", `${compiler}: cpu-clock by frequency: every CPU is sampled, by one link`),
    ...needs({ bpf: true }),
    async fn() {
      using collection = load(compiler, 0);
      const link = attach(collection, { event: "cpu-clock", frequency: 997 });
      using _ = link;
      assertEquals([link.kind, link.target], ["perf_event", "cpu-clock"]);
      const cpus = sys.onlineCpus();
      await using _busy = new Busy();
      await using _other = new Busy();
      const sampled = () => [...collection.map("by_cpu").keys()].map(Number).sort((a, b) => a - b);
      await until(() => sampled().length === cpus.length);
      assertEquals(sampled(), cpus);
      link.close();
      const before = samples(collection);
      await until(() => true);
      assertEquals(samples(collection), before);
    },
  });
}

Deno.test({
  ...shows("attachPerfEvent() with a cookie", "cpu-clock by period, on one CPU"),
  ...needs({ features: ["perfCookies"] }),
  async fn() {
    using collection = load("clang19", 0, true);
    using link = attach(collection, { event: "cpu-clock", period: 1_000_000, cpus: [0], cookie: COOKIE });
    assertEquals(link.linkCount, 1);
    await until(() => samples(collection).all > 3n);
    assertEquals(collection.variable("cookie").get(), COOKIE);
    assertEquals([...collection.map("by_cpu").keys()], [0]);
  },
});

Deno.test({
  ...shows("attachPerfEvent() of a process", "only it is sampled, on whichever CPU it is"),
  ...needs({ bpf: true }),
  async fn() {
    await using busy = new Busy();
    await using _other = new Busy();
    using collection = load("clang19", busy.pid);
    using link = attach(collection, { event: "task-clock", frequency: 997, pid: busy.pid });
    assertEquals(link.target, `task-clock of process ${busy.pid}`);
    await until(() => samples(collection).all > 10n);
    link.close();
    const { all, watched } = samples(collection);
    assertEquals(all, watched);
  },
});

Deno.test({
  ...shows("attachPerfEvent() of a process", "all its threads are sampled, not only the first"),
  ...needs({ bpf: true }),
  async fn() {
    const worker = new Worker(URL.createObjectURL(new Blob(["for (;;);"])), { type: "module" });
    try {
      using collection = load("clang19", Deno.pid);
      using link = attach(collection, { event: "task-clock", period: 1_000_000, pid: Deno.pid, inherit: true });
      while (samples(collection).watched < 20n) await new Promise((resolve) => setTimeout(resolve, 20));
      link.close();
      const { all, watched } = samples(collection);
      assertEquals(all, watched);
    } finally {
      worker.terminate();
    }
  },
});

Deno.test({
  ...shows("attachPerfEvent() of this process", "page faults, each one"),
  ...needs({ bpf: true }),
  async fn() {
    using collection = load("clang19", Deno.pid);
    using link = attach(collection, { event: "page-faults", period: 1, pid: 0 });
    const kept: Uint8Array[] = [];
    await until(() => {
      kept.push(new Uint8Array(1 << 20).fill(1));
      return samples(collection).all > 10n;
    });
    link.close();
    const { all, watched } = samples(collection);
    assertEquals(all, watched);
  },
});

/** Where cgroups are whose processes can be sampled: in cgroup2, or in a hierarchy of the controller's own. */
function perfCgroups(): string | undefined {
  const event = { type: PerfType.PERF_TYPE_SOFTWARE, config: 0, samplePeriod: 1e9 };
  return ["/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/perf_event"].find((path) => {
    const cgroup = `${path}/debpf-perf-probe-${Deno.pid}`;
    using cleanup = new DisposableStack();
    try {
      sys.mkdir(cgroup);
      cleanup.defer(() => sys.rmdir(cgroup));
      using folder = sys.open(cgroup);
      sys.perfEventOpen(event, { pid: folder.value, cpu: 0, flags: PerfFlag.PERF_FLAG_PID_CGROUP }).close();
      return true;
    } catch {
      return false;
    }
  });
}

const CGROUPS = needs({ bpf: true }).ignore ? undefined : perfCgroups();

Deno.test({
  ...shows("attachPerfEvent() of a cgroup", "only its processes are sampled, on all CPUs"),
  ignore: CGROUPS === undefined,
  async fn() {
    const cgroup = `${CGROUPS}/debpf-perf-${Deno.pid}`;
    sys.mkdir(cgroup);
    try {
      await using busy = new Busy();
      await using _other = new Busy();
      sys.writeFile(`${cgroup}/cgroup.procs`, `${busy.pid}`);
      using collection = load("clang19", busy.pid);
      using link = attach(collection, { event: "cpu-clock", frequency: 997, cgroup });
      assertEquals(link.target, `cpu-clock of cgroup ${cgroup}`);
      await until(() => samples(collection).all > 10n);
      link.close();
      const { all, watched } = samples(collection);
      assertEquals(all, watched);
    } finally {
      sys.rmdir(cgroup);
    }
  },
});

/** Virtual machines often have none. */
function hasCycles(): boolean {
  try {
    const config = PerfHardware.PERF_COUNT_HW_CPU_CYCLES;
    sys.perfEventOpen({ type: PerfType.PERF_TYPE_HARDWARE, config, samplePeriod: 1_000_000 }, { cpu: 0 }).close();
    return true;
  } catch {
    return false;
  }
}

Deno.test({
  ...shows("attachPerfEvent() of a hardware counter", "cycles by period"),
  ignore: needs({ bpf: true }).ignore || !hasCycles(),
  async fn() {
    using collection = load("clang19", 0);
    using _ = attach(collection, { event: "cycles", period: 1_000_000 });
    await until(() => samples(collection).all > 10n);
  },
});

Deno.test({
  name: "attachPerfEvent() refuses what contradicts itself or is not there, in one sentence, and leaves nothing open",
  ...needs({ bpf: true }),
  fn() {
    using collection = load("clang19", 0);
    const before = openFds().size;
    const message = (options: AttachPerfEventOptions) =>
      (assertThrows(() => attach(collection, options), Error) as Error).message;
    const period = 1_000_000;
    assertEquals(
      message({ event: "cpu-clok" as "cpu-clock", period }),
      'program "sample": there is no perf event "cpu-clok"; there is cpu-clock, or any as { type, config }',
    );
    assertEquals(
      message({ event: "cpu-clock" }),
      'program "sample": give either the period of samples or their frequency',
    );
    assertEquals(message({ event: "cpu-clock", period: 0 }), 'program "sample": the period is 0');
    assertEquals(message({ event: "cpu-clock", period, frequency: 1 }), message({ event: "cpu-clock" }));
    assertEquals(
      message({ event: "cpu-clock", period, pid: 1, cgroup: "/" }),
      'program "sample": give a process or a cgroup, not both',
    );
    assertEquals(
      message({ event: "cpu-clock", period, pid: 0x3fff_ffff }),
      'program "sample": perf event "cpu-clock": there is no process 1073741823',
    );
    assert(
      message({ event: "cpu-clock", period, cpus: [0, 100_000] }).includes('perf event "cpu-clock" on CPU 100000'),
    );
    assert(message({ event: "cpu-clock", period, cgroup: "/tmp" }).includes('"/tmp" is no folder of a cgroup'));
    assert(message({ event: { type: 12345, config: 0 }, period }).includes('perf event "12345:0"'));
    assertEquals(openFds().size, before);
  },
});
