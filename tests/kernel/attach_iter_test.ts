/**
 * Iterators: links of all kinds, with maps, cgroups and processes as parameters, and what reading them gives.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { attachIter, type AttachIterOptions, BpfMap, BpfMapType, BtfKind, Collection, hostBtf } from "../../mod.ts";
import * as sys from "../../ffi/sys/mod.ts";
import { hasFeature } from "../support/features.ts";
import { needs, shows } from "../support/mod.ts";
import { COMPILERS, objectSpec } from "./support.ts";

function loadOnly(compiler: string, program: string): Collection {
  const spec = objectSpec(compiler, "attach_iter");
  for (const each of spec.programs.values()) each.autoload = each.name === program;
  return Collection.load(spec);
}

/** Reads an iterator to its end: pairs of numbers. */
function readPairs(linkFd: number): [number, number][] {
  using file = sys.iterCreate(linkFd);
  const chunks: number[] = [];
  const buffer = new Uint8Array(8192);
  for (let count = sys.read(file.value, buffer); count; count = sys.read(file.value, buffer)) {
    chunks.push(...buffer.subarray(0, count));
  }
  const words = new Uint32Array(Uint8Array.from(chunks).buffer);
  return Array.from({ length: words.length / 2 }, (_, i) => [words[2 * i]!, words[2 * i + 1]!]);
}

/** Numbers of this process' threads. */
function ownThreads(): number[] {
  return [...Deno.readDirSync("/proc/self/task")].map(({ name }) => Number(name)).sort();
}

for (const compiler of COMPILERS) {
  Deno.test({
    ...shows("iter/task", `it walks all threads, this process' among them (${compiler})`),
    ...needs({ bpf: true, btf: true }),
    fn: () => {
      using collection = loadOnly(compiler, "each_task");
      const [link] = collection.attach();
      assertEquals([link!.kind, link!.info().kind], ["iter", "iter"]);
      const pairs = readPairs(link!.fd);
      const own = pairs.filter(([, tgid]) => tgid === Deno.pid).map(([pid]) => pid).sort();
      assert(own.includes(Deno.pid));
      assert(own.length >= ownThreads().length - 2, "threads come and go, but most stay");
      // A file is read once; the link opens others.
      assertEquals(readPairs(link!.fd).length > 0, true);
    },
  });

  Deno.test({
    ...shows("attachIter() of a map", `it walks the map's elements (${compiler})`),
    ...needs({ bpf: true, btf: true, features: ["mapIter"] }),
    fn: () => {
      using collection = loadOnly(compiler, "each_element");
      const map = collection.map("numbers");
      for (const [key, value] of [[1, 10], [2, 20], [3, 30]] as const) map.set(key, value);
      const program = collection.program("each_element");
      using link = attachIter(program, { map });
      const pairs = readPairs(link.fd).sort(([a], [b]) => a - b);
      assertEquals(pairs, [[1, 10], [2, 20], [3, 30]]);
      assertThrows(() => attachIter(program), Error, "attachIter(program, { map })");
    },
  });
}

const BY_TASK: readonly [what: string, options: () => AttachIterOptions["task"], threads: () => number[]][] = [
  ["of a process", () => ({ pid: Deno.pid }), ownThreads],
  ["of a thread", () => ({ tid: Deno.pid }), () => [Deno.pid]],
];

for (const [what, task, threads] of BY_TASK) {
  Deno.test({
    ...shows(`attachIter() ${what}`, "it walks only those threads"),
    ...needs({ bpf: true, btf: true, features: ["cgroupIter"] }),
    fn: () => {
      using collection = loadOnly("clang19", "each_task");
      using link = attachIter(collection.program("each_task"), { task: task() });
      const pairs = readPairs(link.fd);
      assertEquals(pairs.every(([, tgid]) => tgid === Deno.pid), true);
      const found = pairs.map(([pid]) => pid);
      assert(threads().filter((tid) => !found.includes(tid)).length <= 1, `${found}`);
      assertEquals(threads().length === 1, found.length === 1);
    },
  });
}

Deno.test({
  ...shows("iter/task_file", "it walks the files of a process"),
  ...needs({ bpf: true, btf: true, features: ["cgroupIter"] }),
  fn: () => {
    using collection = loadOnly("clang19", "each_file");
    using file = sys.open("/dev/null");
    using link = attachIter(collection.program("each_file"), { task: { pid: Deno.pid } });
    const pairs = readPairs(link.fd);
    assert(pairs.some(([tgid, fd]) => tgid === Deno.pid && fd === file.value));
    assert(pairs.every(([tgid]) => tgid === Deno.pid));
  },
});

Deno.test({
  ...shows("iter/cgroup", "it walks a cgroup and those below, in the order asked for"),
  ...needs({ bpf: true, btf: true, features: ["cgroupIter"] }),
  fn: async (test) => {
    const root = /^\S+ (\S+) cgroup2 /m.exec(Deno.readTextFileSync("/proc/mounts"))?.[1];
    await test.step({
      name: "below a folder",
      ignore: root === undefined,
      fn: () => {
        const top = `${root}/debpf-iter-${Deno.pid}`;
        for (const folder of [top, `${top}/a`, `${top}/a/b`]) Deno.mkdirSync(folder);
        try {
          using collection = loadOnly("clang19", "each_cgroup");
          const program = collection.program("each_cgroup");
          const ids = [top, `${top}/a`, `${top}/a/b`].map((folder) => Deno.statSync(folder).ino! & 0xffff_ffff);
          const walk = (options: AttachIterOptions["cgroup"]) => {
            using link = attachIter(program, { cgroup: options });
            return readPairs(link.fd).map(([id]) => id);
          };
          assertEquals(walk({ at: top, order: "self" }), [ids[0]]);
          assertEquals(walk({ at: top, order: "descendants_pre" }), ids);
          assertEquals(walk({ at: top, order: "descendants_post" }), ids.toReversed());
          assertEquals(walk({ at: `${top}/a/b`, order: "ancestors_up" }).slice(0, 3), ids.toReversed());
          assertEquals(walk({ id: BigInt(Deno.statSync(`${top}/a`).ino!), order: "descendants_pre" }), ids.slice(1));
        } finally {
          for (const folder of [`${top}/a/b`, `${top}/a`, top]) Deno.removeSync(folder);
        }
      },
    });
  },
});

/** Iterators that have to be told a map, and one that they take. */
const NEED_MAP: Readonly<Record<string, BpfMapType>> = {
  bpf_map_elem: BpfMapType.BPF_MAP_TYPE_ARRAY,
  sockmap: BpfMapType.BPF_MAP_TYPE_SOCKMAP,
};

Deno.test({
  ...shows("iter/KIND", "each kind that the kernel's BTF names can be loaded, attached and read"),
  ...needs({ bpf: true, btf: true }),
  fn: async (test) => {
    const btf = hostBtf();
    const kinds: string[] = [];
    for (const type of btf.types()) {
      if (type.kind === BtfKind.Func && type.name.startsWith("bpf_iter_")) {
        kinds.push(type.name.slice("bpf_iter_".length));
      }
    }
    // bpf_iter_num_new() and the like are kernel functions for open-coded loops, and this library's kinds are structs, too.
    const iterators = kinds.filter((kind) => btf.find(`bpf_iter__${kind}`, BtfKind.Struct) !== undefined);
    assert(iterators.length > 5, `${iterators}`);
    for (const kind of iterators) {
      // A socket's storage: its map needs BTF; covered by what bpf_map_elem shows.
      if (kind === "bpf_sk_storage_map") continue;
      if (kind in NEED_MAP && !hasFeature("mapIter")) continue;
      await test.step(kind, () => {
        const spec = objectSpec("clang19", "attach_iter");
        for (const each of spec.programs.values()) each.autoload = each.name === "nothing";
        using collection = Collection.load(spec, { attachTo: { nothing: kind } });
        const type = NEED_MAP[kind];
        using map = type === undefined ? undefined : BpfMap.create({
          ...spec.maps.get("numbers")!,
          type,
          key: undefined,
          value: undefined,
        });
        const options = map === undefined ? kind === "cgroup" ? { cgroup: { order: "self" } as const } : {} : { map };
        using link = attachIter(collection.program("nothing"), options);
        const info = link.info();
        assertEquals(info.kind === "iter" && info.targetName, kind);
        assertEquals(readPairs(link.fd), []);
      });
    }
  },
});

Deno.test({
  name: "an iterator that the kernel lacks is named, with those that are close",
  ...needs({ bpf: true, btf: true }),
  fn: () => {
    const spec = objectSpec("clang19", "attach_iter");
    for (const each of spec.programs.values()) each.autoload = each.name === "nothing";
    const load = () => Collection.load(spec, { attachTo: { nothing: "task_fle" } });
    assertThrows(load, Error, `no iterator "task_fle"; names that are close: "task_file"`);
  },
});
