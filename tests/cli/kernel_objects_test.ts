/**
 * `debpf map`, `prog` and `link` about objects that this test loads: with `-j` what bpftool 7.1 says, where it says something.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { command as link } from "../../cli/link/mod.ts";
import { command as map } from "../../cli/map/mod.ts";
import { command as prog } from "../../cli/prog/mod.ts";
import type { Command } from "../../cli/command.ts";
import { BpfMap, Collection } from "../../mod.ts";
import { sys } from "../../mod.ts";
import { needs, onPath, openFds, run } from "../support/mod.ts";
import { CapturedOutput } from "../support/captured_output.ts";
import { pinFolder } from "../ffi/pin/pin_folder.ts";
import { args, objectSpec } from "../kernel/support.ts";
import { inRepository } from "../support/mod.ts";

const LOADED = needs({ bpf: true, btf: true });
const BPFTOOL = needs({ bpf: true, btf: true, peer: "bpftool", tracefs: true });
const PINNED = needs({ bpf: true, btf: true, bpffs: true });

/** The text of a command's output. */
async function ours(command: Command, words: string, json = false): Promise<string> {
  const output = new CapturedOutput({ json });
  assertEquals(await command.run(words.split(" "), { output }), 0);
  return output.lines.join("\n");
}

const json = async (command: Command, words: string): Promise<unknown> => JSON.parse(await ours(command, words, true));

async function bpftool(words: string): Promise<unknown> {
  return JSON.parse((await run(onPath("bpftool")!, ["-j", ...words.split(" ")])).stdout);
}

/** The `maps` object after its program has run. */
function loadMaps(): Collection {
  const collection = Collection.load(objectSpec("clang19", "maps"));
  collection.program("touch").run({ ctx: args(7, 0) });
  return collection;
}

Deno.test({
  name: "map show, dump, lookup and getnext: JSON as bpftool's",
  ...BPFTOOL,
  async fn() {
    using collection = loadMaps();
    collection.map("routes").set({ length: 8, address: [10, 0, 0, 0] }, 1);
    collection.map("lru_by_size").raw.set(new Uint8Array(6).fill(1), new Uint8Array(20).fill(2));
    using inner = BpfMap.create({ ...collection.map("hash_of_maps").spec.inner!, name: "inner" });
    collection.map("hash_of_maps").set(5n, inner);
    const id = (name: string) => `id ${collection.map(name).id}`;
    for (const name of collection.maps.keys()) {
      assertEquals(await json(map, `show ${id(name)}`), await bpftool(`map show ${id(name)}`), name);
    }
    // Not by_struct, whose double bpftool 7.1 prints as no JSON at all.
    for (const name of ["by_enum", "counters", "lru_by_size", "routes", "programs", "queue"]) {
      assertEquals(await json(map, `dump ${id(name)}`), await bpftool(`map dump ${id(name)}`), name);
    }
    // bpftool 7.1 does not say which map an inner one is.
    const [outer] = await json(map, `dump ${id("hash_of_maps")}`) as [{ inner_map_id?: number }];
    assertEquals(outer.inner_map_id, inner.id);
    delete outer.inner_map_id;
    assertEquals([outer], await bpftool(`map dump ${id("hash_of_maps")}`));
    for (
      const words of [
        `lookup ${id("by_enum")} key 2 0 0 0`,
        `lookup ${id("by_enum")} key 9 0 0 0`,
        `getnext ${id("by_enum")}`,
      ]
    ) {
      assertEquals(await json(map, words), await bpftool(`map ${words}`), words);
    }
  },
});

Deno.test({
  name: "prog show and dump xlated, link show: JSON as bpftool's",
  ...BPFTOOL,
  async fn() {
    const spec = objectSpec("clang19", "tracepoints");
    using collection = Collection.load(spec);
    const links = collection.attach({ only: ({ name }) => ["raw_exec", "btf_exec"].includes(name) });
    for (const program of collection.programs.values()) {
      const words = `show id ${program.id}`;
      assertEquals(await json(prog, words), await bpftool(`prog ${words}`), program.name);
      const dump = `dump xlated id ${program.id}`;
      assertEquals(await json(prog, dump), await bpftool(`prog ${dump}`), program.name);
    }
    for (const { fd } of links) {
      const words = `show id ${sys.linkInfo(fd).id}`;
      assertEquals(await json(link, words), await bpftool(`link ${words}`));
    }
    using truth = Collection.load(objectSpec("clang19", "truth"));
    for (const program of truth.programs.values()) {
      for (const option of ["opcodes", "linum"]) {
        const dump = `dump xlated id ${program.id} ${option}`;
        assertEquals(await json(prog, dump), await bpftool(`prog ${dump}`), `${program.name} ${option}`);
      }
    }
  },
});

Deno.test({
  name: "map update, delete, create, pin, freeze, push and pop",
  ...PINNED,
  async fn() {
    using folder = pinFolder();
    sys.mkdir(folder.path);
    const before = openFds().size;
    const [hash, outer, queue] = ["hash", "outer", "queue"].map((name) => `${folder.path}/${name}`);
    await ours(map, `create ${hash} type hash key 4 value 8 entries 16 name numbers flags 1`);
    await ours(map, `update pinned ${hash} key 1 0 0 0 value hex 0a 00 00 00 00 00 00 ff noexist`);
    assertEquals(await json(map, `lookup pinned ${hash} key 0x01 0 0 0`), {
      key: ["0x01", "0x00", "0x00", "0x00"],
      value: ["0x0a", "0x00", "0x00", "0x00", "0x00", "0x00", "0x00", "0xff"],
    });
    assertEquals(
      await ours(map, `dump pinned ${hash}`),
      "key: 01 00 00 00  value: 0a 00 00 00 00 00 00 ff\nFound 1 element",
    );
    await ours(map, `delete pinned ${hash} key 1 0 0 0`);
    assertEquals(await json(map, `dump pinned ${hash}`), []);
    await ours(map, `create ${outer} type array_of_maps key 4 value 4 entries 2 name outer inner_map pinned ${hash}`);
    await ours(map, `update pinned ${outer} key 1 0 0 0 value pinned ${hash}`);
    const [element] = await json(map, `dump pinned ${outer}`) as [{ inner_map_id: number }];
    using inner = BpfMap.openPinned(hash!);
    assertEquals(element.inner_map_id, inner.id);
    await ours(map, `create ${queue} type queue value 4 entries 2 name line key 0`);
    await ours(map, `push pinned ${queue} value 1 2 3 4`);
    assertEquals(await ours(map, `peek pinned ${queue}`), "value: 01 02 03 04");
    assertEquals(await json(map, `pop pinned ${queue}`), { key: [], value: ["0x01", "0x02", "0x03", "0x04"] });
    assertEquals(await json(map, `pop pinned ${queue}`), null);
    await ours(map, `freeze pinned ${hash}`);
    assertEquals((await json(map, `show pinned ${hash}`) as { frozen: number }).frozen, 1);
    await ours(map, `pin id ${inner.id} ${folder.path}/again`);
    const { pinned } = await json(map, `show id ${inner.id} -f`) as { pinned: string[] };
    assertEquals(pinned.sort(), [`${folder.path}/again`, hash]);
    inner.close();
    assertEquals(openFds().size, before);
  },
});

Deno.test({
  name: "map dump prints values of a map with types, a line each",
  ...LOADED,
  async fn() {
    using collection = loadMaps();
    const dump = (name: string) => ours(map, `dump id ${collection.map(name).id}`);
    assertEquals(await dump("by_enum"), '"FAMILY_INET": -7\nFound 1 element');
    assertMatch(
      await dump("by_struct"),
      /^\{"family":"FAMILY_INET6",.*"port":443.*\}: \{"packets":7,"bytes":60129542144,/,
    );
    assertMatch(await dump("counters"), /^0: \[7|^0: \[0/);
  },
});

Deno.test({
  name: "prog load, loadall, run and pin; maps of others and pinned maps",
  ...PINNED,
  async fn() {
    using folder = pinFolder();
    sys.mkdir(folder.path);
    const before = openFds().size;
    const object = inRepository("testdata", "clang19", "truth_tail_call.bpf.o");
    await ours(prog, `loadall ${object} ${folder.path}/all pinmaps ${folder.path}/maps`);
    assertEquals(sys.readDir(`${folder.path}/all`).map(({ name }) => name).sort(), [
      "enter",
      "leave_with_1000",
      "leave_with_2000",
    ]);
    assertEquals(sys.readDir(`${folder.path}/maps`).map(({ name }) => name), ["targets"]);
    const context = Deno.makeTempFileSync();
    Deno.writeFileSync(context, args(1, 0));
    const run = await json(prog, `run pinned ${folder.path}/all/enter ctx_in ${context}`) as { retval: number };
    Deno.removeSync(context);
    assertEquals(run.retval, 7);
    using targets = BpfMap.openPinned(`${folder.path}/maps/targets`);
    await ours(prog, `load ${object} ${folder.path}/first map name targets id ${targets.id}`);
    const { map_ids } = await json(prog, `show pinned ${folder.path}/all/enter`) as { map_ids: number[] };
    assertEquals(map_ids, [targets.id]);
    targets.close();
    assertEquals(openFds().size, before);
  },
});

Deno.test({
  name: "prog dump jited prints machine code below the lines that it comes from",
  ...LOADED,
  async fn() {
    using collection = Collection.load(objectSpec("clang19", "truth"));
    const { id } = collection.program("maps");
    const text = await ours(prog, `dump jited id ${id}`);
    assertMatch(text, /^maps: {2}# 0x[0-9a-f]+, \d+ bytes\n; int maps\(u64 \*args\) @ .*truth\.bpf\.c:\d+\n {5}0: /);
    assert(text.includes("\nstore:  # 0x"));
    const [first] = await json(prog, `dump jited id ${id}`) as [{ name: string; insns: string[] }];
    assertEquals([first.name, first.insns.length > 100], ["maps", true]);
  },
});

Deno.test({
  name: "link pin and detach",
  ...needs({ bpf: true, btf: true, bpffs: true, tracefs: true }),
  async fn() {
    using folder = pinFolder();
    sys.mkdir(folder.path);
    const spec = objectSpec("clang19", "tracepoints");
    for (const program of spec.programs.values()) program.autoload = program.name === "raw_exec";
    using collection = Collection.load(spec);
    const [attached] = collection.attach();
    const { id } = sys.linkInfo(attached!.fd);
    await ours(link, `pin id ${id} ${folder.path}/link`);
    attached!.close();
    assertMatch(
      await ours(link, `show pinned ${folder.path}/link`),
      new RegExp(`^${id}: raw_tracepoint  prog \\d+\n\ttp_name sched_process_exec`),
    );
    assertMatch(await ours(link, "show"), new RegExp(`^${id}: raw_tracepoint`, "m"));
  },
});
