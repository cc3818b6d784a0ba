import { assert, assertEquals, assertThrows } from "@std/assert";
import { BpfMap, Collection, type CollectionSpec, sys, VerifierError } from "../../../mod.ts";
import { pin, unpin } from "../../../ffi/pin/mod.ts";
import { BpfCmd } from "../../../lib/uapi/mod.ts";
import { needs, openFds } from "../../support/mod.ts";
import { pinFolder } from "../pin/pin_folder.ts";
import { failBpf } from "../sys/inject.ts";
import { args, COMPILERS, objectSpec } from "../../kernel/support.ts";

const BPF = needs({ bpf: true, btf: true });
const PINNED = needs({ bpf: true, btf: true, bpffs: true });

const count = (collection: Collection) => collection.program("count").run({ ctx: args(0, 0) }).returnValue;

for (const compiler of COMPILERS) {
  const pinned = () => objectSpec(compiler, "maps_pinned");

  Deno.test({
    name: `${compiler}: a map that asks for it is pinned by its name, and used again by the next load`,
    ...PINNED,
    fn() {
      using folder = pinFolder();
      const { path: pinPath } = folder;
      {
        using first = Collection.load(pinned(), { pinPath });
        assertEquals([count(first), count(first)], [0, 1]);
        assertEquals(sys.readDir(pinPath).map(({ name }) => name), ["debpf_test_pinned"]);
      }
      using second = Collection.load(pinned(), { pinPath });
      assertEquals([count(second), second.map("debpf_test_pinned").get(0)], [2, 3n]);
    },
  });

  Deno.test({
    name: `${compiler}: a pinned map that does not fit is named with all that differs, and stays`,
    ...PINNED,
    fn() {
      using folder = pinFolder();
      const { path: pinPath } = folder;
      const before = openFds().size;
      const other = pinned();
      Object.assign(other.maps.get("debpf_test_pinned")!, { maxEntries: 3, valueSize: 16, value: undefined });
      for (const program of other.programs.values()) program.autoload = false;
      Collection.load(other, { pinPath }).close();
      const error = assertThrows(() => Collection.load(pinned(), { pinPath }), Error) as Error;
      assertEquals(
        error.message,
        `map "debpf_test_pinned": what is pinned at "${pinPath}/debpf_test_pinned" does not fit: its value size is 16, ` +
          "wanted is 8; its max_entries is 3, wanted is 1: unpin it, or load with another pinPath",
      );
      unpin(`${pinPath}/debpf_test_pinned`);
      using program = Collection.load(pinned(), { pinPath });
      unpin(`${pinPath}/debpf_test_pinned`);
      pin(program.program("count"), `${pinPath}/debpf_test_pinned`);
      assertThrows(() => Collection.load(pinned(), { pinPath }), Error, "is no map but a program");
      program.close();
      assertEquals(openFds().size, before);
    },
  });

  Deno.test({
    name: `${compiler}: a load that fails after pinning leaves no pin and no fd`,
    ...PINNED,
    fn() {
      using folder = pinFolder();
      const before = openFds().size;
      {
        using _ = failBpf(BpfCmd.BPF_PROG_LOAD, 12);
        assertThrows(() => Collection.load(pinned(), { pinPath: folder.path }), sys.SyscallError, "ENOMEM");
      }
      assertEquals([sys.readDir(folder.path), openFds().size], [[], before]);
    },
  });

  Deno.test({
    name: `${compiler}: maps are replaced by existing ones, which stay open`,
    ...BPF,
    fn() {
      const spec = pinned();
      spec.maps.get("debpf_test_pinned")!.pinning = "none";
      using first = Collection.load(spec);
      count(first);
      const shared = first.map("debpf_test_pinned");
      {
        using second = Collection.load(pinned(), { maps: { debpf_test_pinned: shared } });
        assertEquals([count(second), second.map("debpf_test_pinned") === shared], [1, true]);
      }
      assertEquals(shared.get(0), 2n);
      assertThrows(
        () => Collection.load(spec, { maps: { nonsense: shared } }),
        Error,
        'no map "nonsense" to be replaced',
      );
      using small = BpfMap.create({ ...shared.spec, type: 1 });
      assertThrows(
        () => Collection.load(spec, { maps: new Map([["debpf_test_pinned", small]]) }),
        Error,
        "its type is BPF_MAP_TYPE_HASH, wanted is BPF_MAP_TYPE_ARRAY",
      );
    },
  });

  Deno.test({
    name: `${compiler}: only programs with autoload are loaded`,
    ...BPF,
    fn() {
      const spec = objectSpec(compiler, "truth");
      for (const program of spec.programs.values()) program.autoload = program.name === "calls";
      using collection = Collection.load(spec);
      assertEquals([...collection.programs.keys()], ["calls"]);
    },
  });
}

Deno.test({
  name: "a collection closes in reverse order of making, links first, also when the body throws",
  ...BPF,
  fn() {
    const spec = objectSpec("clang19", "truth");
    const closed: string[] = [];
    const before = openFds().size;
    assertThrows(
      () => {
        using collection = Collection.load(spec);
        const names = namesByFd(collection);
        const real = sys.calls.close;
        sys.calls.close = (fd) => {
          if (names.has(fd)) closed.push(names.get(fd)!);
          return real(fd);
        };
        try {
          throw new Error("the body");
        } finally {
          collection.close();
          sys.calls.close = real;
        }
      },
      Error,
      "the body",
    );
    const expected = [...spec.maps.keys(), ...[...spec.programs.values()].filter((p) => p.autoload).map((p) => p.name)];
    assertEquals(closed, expected.reverse());
    assertEquals(openFds().size, before);
  },
});

function namesByFd(collection: Collection): Map<number, string> {
  return new Map([...collection.maps, ...collection.programs].map(([name, { fd }]) => [fd, name]));
}

Deno.test({
  name: "a closed collection's variables throw, and its maps say EBADF",
  ...BPF,
  fn() {
    const collection = Collection.load(objectSpec("clang19", "truth"));
    const variable = collection.variable("wide_value");
    const map = collection.map("hits");
    collection.close();
    assertThrows(() => variable.get(), TypeError, "no longer mapped");
    assertThrows(() => variable.set(1n), TypeError, "no longer mapped");
    assertEquals(assertThrows(() => map.count(), sys.SyscallError).code, "EBADF");
  },
});

Deno.test({
  name: "load() does not change the spec, also when it fails",
  ...BPF,
  fn() {
    const before = snapshot(objectSpec("clang19", "bad"));
    const spec = objectSpec("clang19", "bad");
    assertThrows(() => Collection.load(spec), VerifierError);
    assertEquals(snapshot(spec), before);
    assert(before.length > 0);
  },
});

/** All of a spec that is plain data. */
function snapshot(spec: CollectionSpec): string {
  return JSON.stringify({ maps: [...spec.maps.values()], programs: [...spec.programs.values()] }, (key, value) => {
    if (key === "key" || key === "value" || key === "instructions") return undefined;
    return typeof value === "bigint" ? String(value) : value;
  });
}
