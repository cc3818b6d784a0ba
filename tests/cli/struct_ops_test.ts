/**
 * `debpf struct_ops`: with `-j` what bpftool 7.1 says; what is registered stays until it is unregistered.
 *
 * @module
 */
import { assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { command } from "../../cli/struct_ops/mod.ts";
import { UsageError } from "../../cli/command.ts";
import { Collection, Link } from "../../mod.ts";
import { pinFolder } from "../ffi/pin/pin_folder.ts";
import { objectSpec } from "../kernel/support.ts";
import { TcpConnection } from "../kernel/tcp_connection.ts";
import { CapturedOutput } from "../support/captured_output.ts";
import { inRepository, needs, onPath, run } from "../support/mod.ts";

const OBJECT = inRepository("testdata/clang19/struct_ops.bpf.o");

async function ours(words: string, json = false): Promise<string> {
  const output = new CapturedOutput({ json });
  assertEquals(await command.run(words.split(" "), { output }), 0);
  return output.lines.join("\n");
}

async function bpftool(words: string): Promise<unknown> {
  return JSON.parse((await run(onPath("bpftool")!, ["-j", "struct_ops", ...words.split(" ")])).stdout);
}

/** The maps of these names, loaded and registered. */
function registered(...maps: string[]): Collection {
  const spec = objectSpec("clang19", "struct_ops");
  for (const map of spec.maps.values()) if (map.structOps !== undefined) map.autocreate = maps.includes(map.name);
  const collection = Collection.load(spec);
  collection.attach();
  return collection;
}

/** Can a connection have it. */
function isRegistered(name: string): boolean {
  try {
    new TcpConnection(name)[Symbol.dispose]();
    return true;
  } catch {
    return false;
  }
}

Deno.test({
  name: "struct_ops list and dump: JSON as bpftool's",
  ...needs({ bpf: true, btf: true, features: ["structOps"], peer: "bpftool" }),
  async fn() {
    using _collection = registered("debpf_reno");
    for (const words of ["list", "show name debpf_reno", "dump", "dump name debpf_reno"]) {
      assertEquals(JSON.parse(await ours(words, true)), await bpftool(words), words);
    }
  },
});

Deno.test({
  name: "struct_ops list and dump: text names the kernel's struct and the programs",
  ...needs({ bpf: true, btf: true, features: ["structOps"] }),
  async fn() {
    using collection = registered("debpf_reno");
    const { id } = collection.map("debpf_reno");
    assertEquals(await ours(`list id ${id}`), `${id}: debpf_reno  tcp_congestion_ops`);
    const program = collection.program("ssthresh").id;
    assertMatch(
      await ours(`dump id ${id}`),
      new RegExp(`"ssthresh": ".*\\(struct sock \\*\\) ssthresh/prog_id:${program}"`),
    );
  },
});

Deno.test({
  name: "struct_ops unregister: of a map, and by its link",
  ...needs({ bpf: true, btf: true, features: ["structOpsLinks"] }),
  async fn() {
    using _collection = registered("debpf_reno", "linked");
    assertMatch(await ours("unregister name debpf_reno"), /^Unregistered tcp_congestion_ops debpf_reno id \d+$/);
    assertEquals(isRegistered("debpf_reno"), false);
    await assertRejects(() => ours("unregister name debpf_reno"), Error, "is not registered");
    assertEquals(isRegistered("debpf_linked"), true);
    assertEquals(await ours("unregister name linked", true), "null");
    assertEquals(isRegistered("debpf_linked"), false);
    await assertRejects(() => ours("unregister name linked"), Error, "no link is on it");
  },
});

Deno.test({
  name: "struct_ops register: links are pinned, and all stays until it is unregistered",
  ...needs({ bpf: true, btf: true, bpffs: true, features: ["structOpsLinks"] }),
  async fn() {
    using folder = pinFolder();
    const lines = (await ours(`register ${OBJECT} ${folder.path}`)).split("\n");
    assertMatch(lines[0]!, /^Registered tcp_congestion_ops debpf_reno id \d+$/);
    assertMatch(lines[1]!, /^Registered tcp_congestion_ops linked map id \d+ link id \d+$/);
    assertEquals([isRegistered("debpf_reno"), isRegistered("debpf_linked")], [true, true]);
    await ours("unregister name debpf_reno");
    using link = Link.openPinned(`${folder.path}/linked`);
    link.detach();
    assertEquals([isRegistered("debpf_reno"), isRegistered("debpf_linked")], [false, false]);
  },
});

Deno.test({
  name: "struct_ops register: if one is refused, none is registered or pinned",
  ...needs({ bpf: true, btf: true, bpffs: true, features: ["structOpsLinks"] }),
  async fn() {
    using folder = pinFolder();
    using _linked = registered("linked");
    await assertRejects(() => ours(`register ${OBJECT} ${folder.path}`), Error, "one of that name is registered");
    assertEquals(isRegistered("debpf_reno"), false);
    assertThrows(() => Link.openPinned(`${folder.path}/linked`));
  },
});

Deno.test({
  name: "struct_ops register: an object without struct_ops",
  ...needs({ bpf: true, btf: true }),
  async fn() {
    const object = inRepository("testdata/clang19/truth.bpf.o");
    await assertRejects(() => ours(`register ${object}`), Error, `no struct_ops found in ${object}`);
  },
});

Deno.test({
  name: "struct_ops: names that are not there, words that are wrong",
  ...needs({ bpf: true, btf: true }),
  async fn() {
    await assertRejects(() => ours("list name nobody"), Error, "no struct_ops found for nobody");
    await assertRejects(() => ours("dump id 4294967295"), Error, "there is no map with the id 4294967295");
    for (const words of ["unregister", "frob", "list id x", "register"]) {
      await assertRejects(() => ours(words), UsageError);
    }
  },
});
