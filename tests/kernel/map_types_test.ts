/**
 * Every type of map that the kernel creates, created and operated as its type can be.
 *
 * @module
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { BpfMap, BpfProgram, Collection, type CollectionSpec, sys, type Value } from "../../mod.ts";
import { UnsupportedError } from "../../lib/errors.ts";
import { assemble } from "../../lib/asm/text/mod.ts";
import { BpfAttachType, BpfMapFlag, BpfMapType, BpfProgType, PerfType } from "../../lib/uapi/mod.ts";
import type { FeatureName } from "../support/features.ts";
import { needs } from "../support/mod.ts";
import { connectedPair, listener, pidFd, socket } from "./files.ts";
import { mapSpec, numbers, u32 } from "./maps.ts";
import { args, COMPILERS, objectSpec } from "./support.ts";

const BPF = needs({ bpf: true });
const CPUS = sys.possibleCpus();
const zeros = (
  rest: number,
  value: bigint | number,
) => [value, ...new Array(rest - 1).fill(typeof value === "bigint" ? 0n : 0)];

for (const compiler of COMPILERS) {
  const loaded = (name: string, fn: (collection: Collection) => void) =>
    Deno.test({
      name: `${compiler}/maps: ${name}`,
      ...needs({ bpf: true, btf: true, features: ["bloomFilter"] }),
      fn() {
        using collection = Collection.load(objectSpec(compiler, "maps"));
        collection.program("touch").run({ ctx: args(7, 0) });
        fn(collection);
      },
    });

  loaded("hash of structs, by typed keys", (collection) => {
    const key = {
      family: "FAMILY_INET6",
      address: Array.from({ length: 16 }, (_, i) => i + 1),
      port: 443,
      reserved: 0,
    };
    const flow = collection.map("by_struct").get(key) as Record<string, Value>;
    assertEquals([flow.packets, flow.bytes, flow.state, flow.name, flow.history], [
      7n,
      7n << 33n,
      "STATE_OPEN",
      "touched",
      [7, 8, 9, 10],
    ]);
    assertEquals([...collection.map("by_struct").keys()], [key]);
    assertEquals(collection.map("by_enum").take("FAMILY_INET"), -7n);
    assert(!collection.map("by_enum").has("FAMILY_INET"));
    assertThrows(
      () => collection.map("by_struct").get({ ...key, port: 70000 }),
      RangeError,
      'map "by_struct": key.port',
    );
  });

  loaded("per-CPU array and hash maps have a value for each possible CPU", (collection) => {
    const counters = collection.map("counters");
    const counts = counters.get(0) as bigint[];
    assertEquals([counts.length, counts.reduce((sum, n) => sum + n)], [CPUS, 7n]);
    counters.set(1, zeros(CPUS, 5n));
    assertEquals(counters.get(1), zeros(CPUS, 5n));
    assertEquals([...counters.values()].length, 2);
    const hash = collection.map("percpu_hash");
    // 12 bytes each, in strides of 16.
    const value = Array.from({ length: CPUS }, (_, cpu) => [cpu, cpu + 1, cpu + 2]);
    hash.set(9n, value);
    assertEquals([...hash], [[9n, value]]);
    assertEquals(hash.raw.get(new Uint8Array(BigUint64Array.of(9n).buffer))?.length, 16 * CPUS);
    assertThrows(() => hash.set(9n, [[1, 2, 3]].slice(1)), TypeError, "one for each possible CPU");
    const lru = collection.map("lru_percpu");
    lru.set(3, zeros(CPUS, 1n));
    assertEquals(lru.drain(), [[3, zeros(CPUS, 1n)]]);
  });

  loaded("an LRU map without types gives and takes bytes", (collection) => {
    const map = collection.map("lru_by_size");
    assertThrows(() => map.get(1), UnsupportedError, "nothing says what its");
    map.raw.set(new Uint8Array(6).fill(1), new Uint8Array(20).fill(2));
    assertEquals(map.raw.get(new Uint8Array(6).fill(1)), new Uint8Array(20).fill(2));
    assertThrows(() => map.raw.get(new Uint8Array(5)), RangeError, "has 6 bytes, not 5");
  });

  loaded("an LPM trie finds the longest prefix", (collection) => {
    const routes = collection.map("routes");
    const prefix = (length: number, ...address: number[]) => ({ length, address });
    assertEquals(routes.setBatch([[prefix(8, 10, 0, 0, 0), 1], [prefix(16, 10, 1, 0, 0), 2]]), 2);
    assertEquals(routes.get(prefix(32, 10, 1, 2, 3)), 2);
    assertEquals(routes.get(prefix(32, 10, 2, 2, 3)), 1);
    assertEquals(routes.get(prefix(32, 11, 2, 2, 3)), undefined);
    assertEquals(new Map(routes).size, 2);
    routes.clear();
    assertEquals(routes.count(), 0);
  });

  loaded("queue and stack are pushed, popped and peeked at", (collection) => {
    const queue = collection.map("queue");
    assertEquals([queue.peek(), queue.pop(), queue.pop(), queue.pop(), queue.peek()], [7, 7, 8, undefined, undefined]);
    for (let i = 0; i < 8; i++) queue.push(i);
    assertEquals(assertThrows(() => queue.push(8), sys.SyscallError).code, "E2BIG");
    queue.push(8, "exist");
    assertEquals(queue.pop(), 1);
    queue.clear();
    assertEquals(queue.pop(), undefined);
    assertThrows(() => queue.get(0), UnsupportedError, "use push(), pop() and peek()");
    assertThrows(() => [...queue], UnsupportedError);
    const { raw } = collection.map("stack");
    assertEquals([raw.pop(), raw.pop(), raw.pop()], [u32(8), u32(7), undefined]);
  });

  loaded("a bloom filter contains what was pushed", (collection) => {
    const bloom = collection.map("bloom");
    bloom.push(3);
    assert(bloom.contains(3));
    assert(!bloom.contains(4));
    assertThrows(() => bloom.pop(), UnsupportedError, "use push() and contains()");
    assertThrows(() => bloom.clear(), UnsupportedError);
  });

  loaded("inner maps are put, found by id, and replaced while the outer map lives", (collection) => {
    const outer = collection.map("hash_of_maps");
    const inner = () => BpfMap.create({ ...outer.spec.inner!, name: "inner" });
    using first = inner();
    using second = inner();
    outer.set(5n, first);
    outer.set(6n, first);
    assertEquals(outer.get(5n), first.id);
    outer.set(5n, second, "exist");
    assertEquals(new Map(outer), new Map([[5n, second.id], [6n, first.id]]));
    assert(outer.delete(6n));
    assertThrows(() => outer.set(5n, 3), TypeError, "numbers that are read here are ids");
    const rings = collection.map("array_of_rings");
    using ring = BpfMap.create({ ...rings.spec.inner!, name: "ring" });
    rings.set(1, ring);
    assertEquals([[...rings], rings.count()], [[[1, ring.id]], 1]);
  });

  loaded("a prog array takes programs and gives their ids", (collection) => {
    const programs = collection.map("programs");
    const program = collection.program("touch");
    programs.set(2, program);
    assertEquals([...programs], [[2, program.info().id]]);
    assertEquals([programs.count(), [...programs.keys()]], [1, [0, 1, 2, 3]]);
    programs.clear();
    assertEquals(programs.count(), 0);
  });

  loaded("an mmapable array is read and written in place, and cleared to zero", (collection) => {
    const map = collection.map("array_of_struct");
    using view = map.view();
    const packets = (value: Value | undefined) => (value as Record<string, Value>).packets;
    assertEquals([view.length, packets(view.get(1))], [4, 7n]);
    view.set(3, { ...(view.get(3) as Record<string, Value>), packets: 99n });
    assertEquals(packets(map.get(3)), 99n);
    map.clear();
    assertEquals([packets(view.get(1)), packets(view.get(3)), map.count()], [0n, 0n, 4]);
  });
}

Deno.test({
  name: "stack traces are read as addresses, the innermost first",
  ...BPF,
  fn() {
    const type = BpfMapType.BPF_MAP_TYPE_STACK_TRACE;
    using map = BpfMap.create(mapSpec({ name: "stacks", type, valueSize: 127 * 8 }));
    using program = load(
      BpfProgType.BPF_PROG_TYPE_RAW_TRACEPOINT,
      `
      r2 = map[fd:${map.fd}]
      r3 = 0
      call get_stackid
      exit`,
    );
    const id = program.run({}).returnValue;
    const stack = map.get(id) as bigint[];
    assert(stack.length > 2 && stack.every((address) => address !== 0n), String(stack));
    assertEquals([...map.keys()], [id]);
    assert(map.delete(id));
    assertEquals(map.count(), 0);
  },
});

Deno.test({
  name: "perf event array and cgroup array take file descriptors",
  ...BPF,
  fn() {
    using events = BpfMap.create(mapSpec({ type: BpfMapType.BPF_MAP_TYPE_PERF_EVENT_ARRAY, maxEntries: 0 }));
    assertEquals(events.info().maxEntries, CPUS);
    const clock = { type: PerfType.PERF_TYPE_SOFTWARE, config: 0 };
    using event = sys.perfEventOpen(clock, { pid: -1, cpu: 0 });
    events.setFd(0, event.value);
    assertEquals([events.delete(0), events.delete(0)], [true, false]);
    assertEquals([...events.keys()].length, CPUS);
    using cgroups = BpfMap.create(mapSpec({ type: BpfMapType.BPF_MAP_TYPE_CGROUP_ARRAY, maxEntries: 2 }));
    const root = cgroupRoot();
    if (root === undefined) return;
    using cgroup = sys.open(root);
    cgroups.setFd(1, cgroup.value);
    assertEquals([cgroups.delete(1), cgroups.delete(1)], [true, false]);
  },
});

Deno.test({
  name: "devmap, devmap hash and cpumap hold numbers",
  ...BPF,
  fn() {
    const loopback = 1;
    using devices = BpfMap.create(mapSpec({ type: BpfMapType.BPF_MAP_TYPE_DEVMAP, maxEntries: 4 }));
    devices.set(2, loopback);
    assertEquals([[...devices], devices.count()], [[[2, loopback]], 1]);
    using hashed = BpfMap.create(mapSpec({ type: BpfMapType.BPF_MAP_TYPE_DEVMAP_HASH, maxEntries: 4 }));
    hashed.set(77, loopback);
    assertEquals([...hashed], [[77, loopback]]);
    hashed.clear();
    assertEquals(hashed.count(), 0);
    using cpus = BpfMap.create(mapSpec({ type: BpfMapType.BPF_MAP_TYPE_CPUMAP, maxEntries: 1 }));
    cpus.set(0, 192);
    assertEquals([...cpus], [[0, 192]]);
    cpus.clear();
    assertEquals(cpus.count(), 0);
  },
});

Deno.test({
  name: "maps of sockets take file descriptors and give cookies",
  ...BPF,
  fn() {
    const [client, server] = connectedPair();
    using _client = client;
    using _server = server;
    using sockets = BpfMap.create(mapSpec({ type: BpfMapType.BPF_MAP_TYPE_SOCKMAP, valueSize: 8 }));
    sockets.setFd(1, client.value);
    const cookie = sockets.get(1) as bigint;
    assert(cookie > 0n);
    assertEquals([[...sockets], sockets.count(), sockets.delete(1)], [[[1, cookie]], 1, true]);
    using hash = BpfMap.create(mapSpec({ type: BpfMapType.BPF_MAP_TYPE_SOCKHASH, valueSize: 8 }));
    hash.raw.set(u32(5), u32(server.value, 0));
    assertEquals([hash.raw.has(u32(5)), hash.count()], [true, 1]);
    using listening = listener();
    using group = BpfMap.create(mapSpec({ type: BpfMapType.BPF_MAP_TYPE_REUSEPORT_SOCKARRAY, valueSize: 8 }));
    group.setFd(0, listening.value);
    assertEquals(group.count(), 1);
    using packets = BpfMap.create(mapSpec({ type: BpfMapType.BPF_MAP_TYPE_XSKMAP }));
    const [AF_XDP, SOCK_RAW] = [44, 3];
    using xdp = socket(AF_XDP, SOCK_RAW);
    packets.setFd(0, xdp.value);
    assert(packets.delete(0));
  },
});

const STORAGES: Record<string, { readonly open: () => sys.Fd; readonly features: readonly FeatureName[] }> = {
  BPF_MAP_TYPE_SK_STORAGE: { open: () => socket(), features: [] },
  BPF_MAP_TYPE_TASK_STORAGE: { open: () => pidFd(Deno.pid), features: ["taskStorage"] },
  BPF_MAP_TYPE_INODE_STORAGE: { open: () => sys.open("/"), features: [] },
  BPF_MAP_TYPE_CGRP_STORAGE: { open: () => sys.open(cgroupRoot() ?? "/"), features: ["cgroupStorage"] },
};

for (const [name, { open, features }] of Object.entries(STORAGES)) {
  const type = BpfMapType[name as keyof typeof BpfMapType];
  Deno.test({
    name: `${name}: values belong to what a file descriptor names`,
    ignore: needs({ bpf: true, btf: true, features }).ignore ||
      (name === "BPF_MAP_TYPE_CGRP_STORAGE" && cgroupRoot() === undefined),
    fn() {
      using collection = Collection.load(retyped("on_node_0", type, BpfMapFlag.BPF_F_NO_PREALLOC));
      const map = collection.map("on_node_0");
      using owner = open();
      map.set(owner.value, 77);
      assertEquals([map.get(owner.value), map.has(owner.value)], [77, true]);
      assertEquals([map.delete(owner.value), map.get(owner.value)], [true, undefined]);
      assertThrows(() => map.count(), UnsupportedError, "belong to kernel objects");
    },
  });
}

for (const name of ["BPF_MAP_TYPE_CGROUP_STORAGE", "BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE"] as const) {
  Deno.test({
    name: `${name}: an attached program's storage is read and set`,
    ...BPF,
    ignore: BPF.ignore || cgroupRoot() === undefined,
    fn() {
      const type = BpfMapType[name];
      using map = BpfMap.create(mapSpec({ type, keySize: 16, valueSize: 8, maxEntries: 0 }));
      using program = load(
        BpfProgType.BPF_PROG_TYPE_CGROUP_SKB,
        `
        r1 = map[fd:${map.fd}]
        r2 = 0
        call get_local_storage
        r0 = 1
        exit`,
      );
      const path = `${cgroupRoot()}/debpf_test_${Deno.pid}`;
      sys.mkdir(path);
      try {
        using cgroup = sys.open(path);
        const place = {
          targetFd: cgroup.value,
          attachBpfFd: program.fd,
          attachType: BpfAttachType.BPF_CGROUP_INET_INGRESS,
        };
        sys.progAttach(place);
        const { raw } = map;
        const [key] = [...raw.keys()];
        const size = name === "BPF_MAP_TYPE_CGROUP_STORAGE" ? 8 : 8 * CPUS;
        assertEquals(raw.get(key!), new Uint8Array(size));
        raw.set(key!, new Uint8Array(size).fill(3), "exist");
        assertEquals([...raw.values()], [new Uint8Array(size).fill(3)]);
        sys.progDetach(place);
      } finally {
        sys.rmdir(path);
      }
    },
  });
}

Deno.test({
  name: "ring buffers and arenas have no elements; an arena's memory is mapped",
  ...needs({ bpf: true, features: ["arena"] }),
  fn() {
    for (const type of [BpfMapType.BPF_MAP_TYPE_RINGBUF, BpfMapType.BPF_MAP_TYPE_USER_RINGBUF]) {
      using ring = BpfMap.create(mapSpec({ type, keySize: 0, valueSize: 0, maxEntries: 5000 }));
      assertEquals(ring.info().maxEntries, 8192);
      assertThrows(() => ring.get(0), UnsupportedError, "it has no elements");
      assertThrows(() => ring.view(), UnsupportedError, "only arrays and arenas");
    }
    const options = { type: BpfMapType.BPF_MAP_TYPE_ARENA, keySize: 0, valueSize: 0, maxEntries: 4 };
    using arena = BpfMap.create(mapSpec({ ...options, flags: BpfMapFlag.BPF_F_MMAPABLE }));
    using view = arena.view();
    assertEquals(view.byteLength, 4 * sys.pageSize());
    view.bytes.set([1, 2, 3], 100);
    assertEquals(view.read(99, 5), Uint8Array.of(0, 1, 2, 3, 0));
    assertThrows(() => view.get(0), TypeError, "an arena has no elements");
    const faulting = BpfMapFlag.BPF_F_MMAPABLE | BpfMapFlag.BPF_F_SEGV_ON_FAULT;
    using deadly = BpfMap.create(mapSpec({ ...options, flags: faulting }));
    assertThrows(() => deadly.view(), UnsupportedError, "would kill the process");
  },
});

Deno.test({
  name: "types that a map does not want are left out",
  ...needs({ bpf: true, btf: true }),
  fn() {
    const spec = retyped("by_enum", BpfMapType.BPF_MAP_TYPE_LPM_TRIE, BpfMapFlag.BPF_F_NO_PREALLOC);
    const map = spec.maps.get("by_enum")!;
    // An LPM trie has keys of 5 bytes and more: the kernel refuses the type of 4 bytes.
    map.keySize = 8;
    map.maxEntries = 4;
    using collection = Collection.load(spec);
    assertEquals(collection.map("by_enum").info().btfId, 0);
    collection.map("by_enum").raw.set(u32(8, 10), new Uint8Array(8));
    assertEquals(collection.map("by_enum").count(), 1);
  },
});

Deno.test({
  name: "update flags by name",
  ...BPF,
  fn() {
    using map = numbers();
    map.set(1, 2, "noexist");
    assertEquals(assertThrows(() => map.set(1, 3, "noexist"), sys.SyscallError).code, "EEXIST");
    assertEquals(assertThrows(() => map.set(2, 3, "exist"), sys.SyscallError).code, "ENOENT");
    map.set(1, 4, { mode: "exist" });
    assertEquals(map.get(1), 4);
    // Without a lock in its value.
    const error = assertThrows(() => map.get(1, { lock: true }), sys.SyscallError);
    assertEquals([error.code, error.message.startsWith('map "made_by_test": ')], ["EINVAL", true]);
    map.freeze();
    assertEquals(assertThrows(() => map.set(1, 5), sys.SyscallError).code, "EPERM");
  },
});

/** The `maps` object without programs and with one map, of another type. */
function retyped(name: string, type: BpfMapType, flags: number): CollectionSpec {
  const spec = objectSpec("clang19", "maps");
  for (const program of spec.programs.values()) program.autoload = false;
  for (const other of spec.maps.keys()) if (other !== name) spec.maps.delete(other);
  Object.assign(spec.maps.get(name)!, { type, flags, maxEntries: 0 });
  return spec;
}

function load(type: BpfProgType, text: string): BpfProgram {
  return BpfProgram.load({
    name: "made_by_test",
    type,
    expectedAttachType: 0,
    flags: 0,
    license: "GPL",
    kernelVersion: 0,
    insns: assemble(text),
    funcInfo: new Uint8Array(0),
    lineInfo: new Uint8Array(0),
    attachBtfId: 0,
  });
}

/** Where cgroup v2 is mounted. */
function cgroupRoot(): string | undefined {
  const mount = Deno.readTextFileSync("/proc/mounts").split("\n").find((line) => line.split(" ")[2] === "cgroup2");
  return mount?.split(" ")[1];
}
