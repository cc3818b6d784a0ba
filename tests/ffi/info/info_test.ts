import { assert, assertEquals, assertThrows } from "@std/assert";
import { BpfMap, BpfProgram, Collection, sys } from "../../../mod.ts";
import { encode, isFunctionCall, LABEL, listing, MAP, REFERENCE, SOURCE } from "../../../lib/asm/mod.ts";
import * as info from "../../../ffi/info/mod.ts";
import { BpfMapFlag, BpfMapType } from "../../../lib/uapi/mod.ts";
import { inVm, needs, onPath, openFds, run } from "../../support/mod.ts";
import { mapSpec, numbers } from "../../kernel/maps.ts";
import { args, COMPILERS, objectSpec } from "../../kernel/support.ts";

const BPF = needs({ bpf: true });
const OBJECT = needs({ bpf: true, btf: true });

for (const compiler of COMPILERS) {
  Deno.test({
    name: `${compiler}/truth: translated instructions name functions, maps, helpers and source lines`,
    ...OBJECT,
    fn() {
      using collection = Collection.load(objectSpec(compiler, "truth"));
      const { fd } = collection.program("maps");
      const insns = info.translatedInstructions(fd);
      const labels = insns.map((insn) => insn.get(LABEL)?.name).filter((name) => name !== undefined);
      assertEquals(labels, ["maps", "store"]);
      const calls = insns.filter(isFunctionCall).map((insn) => insn.get(REFERENCE)?.name);
      assertEquals([calls.length, new Set(calls)], [3, new Set(["store"])]);
      assertEquals(new Set(insns.map((insn) => insn.get(MAP)).filter(Boolean)), new Set(["hits", "outer"]));
      assert(insns.some((insn) => insn.get(SOURCE)?.text.includes("__sync_fetch_and_add(count, 1)")));
      const text = [...listing(insns)].map(({ text }) => text).join("\n");
      assert(/call htab_map_update_elem#\d+/.test(text), text);
      // What is named is still what the kernel gave.
      const { xlatedProgInsns } = sys.progArrays(fd, ["xlatedProgInsns"]);
      assertEquals(encode(insns, "little"), xlatedProgInsns);
    },
  });

  Deno.test({
    name: `${compiler}/truth: machine code of each function, with the lines that it comes from`,
    ...OBJECT,
    fn() {
      using collection = Collection.load(objectSpec(compiler, "truth"));
      const { fd } = collection.program("calls");
      const functions = info.jitedFunctions(fd);
      const names = functions.map(({ name }) => name);
      assertEquals([names[0], new Set(names)], ["calls", new Set(["calls", "triple_plus_one", "fifty_more", "nine"])]);
      const { jitedProgLen } = sys.progInfo(fd);
      assertEquals(functions.reduce((sum, { code }) => sum + code.length, 0), jitedProgLen);
      for (const { address, lines, code } of functions) {
        assert(address !== 0n && lines.length > 0);
        assertEquals([lines[0]!.offset, lines.every(({ offset }) => offset < code.length)], [0, true]);
      }
    },
  });

  Deno.test({
    name: `${compiler}/truth: names and texts are those that bpftool prints`,
    ...needs({ bpf: true, btf: true, peer: "bpftool" }),
    async fn() {
      using collection = Collection.load(objectSpec(compiler, "truth"));
      // bpftool reads all names of the kernel for each program: where the CPU is emulated, few have to do.
      for (const program of collection.programs.values().take(inVm() ? 1 : Infinity)) {
        const insns = info.translatedInstructions(program.fd);
        const ours = [...listing(insns, { source: false })].filter(({ kind }) => kind === "instruction");
        const command = onPath("bpftool")!;
        const { stdout } = await run(command, ["prog", "dump", "xlated", "id", String(program.id)]);
        const theirs = stdout.split("\n").filter((line) => /^ *\d+: /.test(line));
        assertEquals(ours.map(({ text }) => withoutNames(text)), theirs.map(withoutNames));
      }
    },
  });
}

/** Functions and maps are named otherwise: helpers are compared. */
function withoutNames(line: string): string {
  return line.replace(/map\[[^\]]*\]/, "map[]").replace(/call pc.*$|call [^#]*$/, "call function").replace(
    /subprog\[.*\]/,
    "subprog[]",
  );
}

Deno.test({
  name: "describeProgram() tells user, time, memory, maps, verified instructions and run statistics",
  ...OBJECT,
  fn() {
    using collection = Collection.load(objectSpec("clang19", "truth"));
    const program = collection.program("maps");
    {
      using _ = sys.enableStats(0);
      program.run({ ctx: args(1, 1) });
    }
    const about = info.describeProgram(program.fd);
    const { id, name, createdByUid, verifiedInsns, mapIds, memlock, loadedAt, runCnt, runTimeNs } = about;
    assertEquals([id, name, createdByUid, runCnt], [program.id, "maps", Deno.uid(), 1n]);
    // Constants are bound to each program of an object that has some.
    const bound = [...collection.maps.values()].filter(({ name }) => name.includes(".rodata")).map(({ id }) => id);
    const used = new Set(mapIds).difference(new Set(bound));
    assertEquals(used, new Set([collection.map("hits").id, collection.map("outer").id]));
    assert(verifiedInsns > 50 && memlock > 0 && runTimeNs > 0n);
    assert(Math.abs(loadedAt.getTime() - Date.now()) < 600_000, String(loadedAt));
    assertThrows(() => info.describeProgram(collection.map("hits").fd), TypeError, "is a map, not a program");
  },
});

Deno.test({
  name: "describeMap() tells memory, whether it is frozen, and what a program array is for",
  ...OBJECT,
  fn() {
    using map = numbers({ name: "frozen_one", flags: BpfMapFlag.BPF_F_NO_PREALLOC });
    map.freeze();
    const { id, name, frozen, memlock, maxEntries, mapFlags } = info.describeMap(map.fd);
    assertEquals([id, name, frozen, maxEntries, mapFlags], [map.id, "frozen_one", true, 64, 1]);
    assert(memlock > 0);
    using collection = Collection.load(objectSpec("clang19", "truth_tail_call"));
    const { ownerProgType, ownerJited } = info.describeMap(collection.map("targets").fd);
    assertEquals([ownerProgType, ownerJited], [17, true]);
  },
});

Deno.test({
  name: "listPrograms(), listMaps(), listLinks() and listBtfs() find what is loaded, and leave no fd",
  ...needs({ bpf: true, btf: true, tracefs: true }),
  fn() {
    const before = openFds().size;
    {
      using collection = Collection.load(objectSpec("clang19", "tracepoints"));
      const [link] = collection.attach({ only: ({ name }) => name === "raw_exec" });
      const ids = (all: Iterable<{ id: number }>) => new Set([...all].map(({ id }) => id));
      assert(ids(info.listPrograms()).has(collection.program("raw_exec").id));
      const maps = ids(info.listMaps());
      for (const map of collection.maps.values()) assert(maps.has(map.id), map.name);
      const { id, progId } = sys.linkInfo(link!.fd);
      const found = [...info.listLinks()].find((other) => other.id === id);
      assertEquals(found?.progId, progId);
      assert(ids(info.listBtfs()).has(collection.program("raw_exec").info().btfId));
      assertEquals(info.listPrograms().take(1).toArray().length, 1);
    }
    assertEquals(openFds().size, before);
  },
});

Deno.test({
  name: "findHolders() tells which process has what, by which file descriptor",
  ...BPF,
  fn() {
    using map = numbers();
    using same = BpfMap.fromId(map.id);
    const { pid, comm } = info.findHolders().map.get(map.id)![0]!;
    const fds = info.findHolders().map.get(map.id)!.map(({ fd }) => fd).sort();
    assertEquals([pid, comm, fds], [
      Deno.pid,
      Deno.readTextFileSync("/proc/self/comm").trim(),
      [map.fd, same.fd].sort(),
    ]);
  },
});

Deno.test({
  name: "fromId() of a map reads the types of keys and values from the kernel",
  ...OBJECT,
  fn() {
    using collection = Collection.load(objectSpec("clang19", "maps"));
    collection.program("touch").run({ ctx: args(7, 0) });
    for (const name of ["by_struct", "by_enum", "counters"]) {
      using map = BpfMap.fromId(collection.map(name).id);
      assertEquals([...map], [...collection.map(name)]);
    }
    using hash = BpfMap.create(mapSpec({ type: BpfMapType.BPF_MAP_TYPE_HASH }));
    using untyped = BpfMap.fromId(hash.id);
    assertEquals([untyped.spec.key, untyped.spec.value], [undefined, undefined]);
  },
});

Deno.test({
  name: "fromId() of what is gone says ENOENT",
  ...BPF,
  fn() {
    const map = numbers();
    const { id } = map;
    map.close();
    assertEquals(assertThrows(() => BpfMap.fromId(id), sys.SyscallError).code, "ENOENT");
    assertEquals(assertThrows(() => BpfProgram.fromId(0x7fff_ffff), sys.SyscallError).code, "ENOENT");
  },
});

Deno.test("KernelSymbols finds addresses and the call base in the text of /proc/kallsyms", () => {
  const symbols = new info.KernelSymbols(new TextEncoder().encode([
    "ffffffff81000000 T _text",
    "ffffffff81000010 T first",
    "ffffffff81000010 T second",
    "ffffffff81000020 t __bpf_call_base",
    "ffff888181000010 t elsewhere",
    "ffffffffc0000010 t in_module\t[module]",
    "",
  ].join("\n")));
  assertEquals(symbols.callBase(), 0xffffffff81000020n);
  const names = symbols.names(new Set([0xffffffff81000010n, 0xffffffffc0000010n, 5n]));
  assertEquals([...names], [[0xffffffff81000010n, "first"], [0xffffffffc0000010n, "in_module"]]);
  const hidden = new info.KernelSymbols(new TextEncoder().encode("0000000000000000 t __bpf_call_base\n"));
  assertEquals(hidden.callBase(), undefined);
});
