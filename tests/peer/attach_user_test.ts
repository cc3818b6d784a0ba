/**
 * Attaching to user programs as libbpf does: the same file, the same offsets, semaphores and cookies, and the same specs of USDT
 * probes in the object's map.
 */
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { attachUprobe, attachUprobeMulti, attachUsdt, type BpfProgram, Collection, Link, type sys } from "../../mod.ts";
import { inRepository, needs, peersDir } from "../support/mod.ts";
import { userProgram } from "../support/user_target.ts";
import { objectSpec } from "../kernel/support.ts";

const COOKIE = 0x1234_5678_9abcn;
const PEER = join(peersDir(), "libbpf-attach-user");
const requirements = needs({ peer: "oracle", features: ["uprobeMultiPid", "uprobeSession"] });

/** What was attached to what. */
interface Attached {
  readonly links: readonly sys.LinkInfo[];
  /** Elements of __bpf_usdt_specs that are in use: number and bytes in hexadecimal digits. */
  readonly specs: readonly (readonly [number, string])[];
}

/** Without what differs from link to link. */
function comparable(link: Link): sys.LinkInfo {
  return { ...link.info(), id: 0, progId: 0 };
}

async function byLibbpf(object: string, program: string, section: string): Promise<Attached> {
  const args = [inRepository("testdata", "clang19", `${object}.bpf.o`), program, section, String(COOKIE)];
  const child = new Deno.Command(PEER, { args, stdin: "piped", stdout: "piped", stderr: "piped" }).spawn();
  const links: sys.LinkInfo[] = [];
  const specs: [number, string][] = [];
  let text = "";
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (!text.includes('{"end":true}')) continue;
    for (const line of text.trim().split("\n").map((line) => JSON.parse(line))) {
      if ("spec" in line) specs.push([line.spec, line.value]);
      if (!("link" in line)) continue;
      using link = Link.open(line.link);
      links.push(comparable(link));
    }
    await child.stdin.close();
  }
  const { success } = await child.status;
  assert(success, await new Response(child.stderr).text());
  await child.stderr.cancel().catch(() => undefined);
  return { links, specs };
}

function byUs(object: string, name: string, attach: (program: BpfProgram) => Link): Attached {
  const spec = objectSpec("clang19", object);
  for (const program of spec.programs.values()) program.autoload = program.name === name;
  using collection = Collection.load(spec);
  using link = attach(collection.program(name));
  const links = link.infos().map((info) => ({ ...info, id: 0, progId: 0 }));
  const map = collection.maps.get("__bpf_usdt_specs");
  const specs = [...map?.raw ?? []].map((
    [key, value],
  ): [number, string] => [new DataView(key.buffer).getInt32(0, true), value.toHex()]);
  return { links, specs: specs.filter(([, value]) => /[^0]/.test(value)) };
}

const PATH = userProgram();

for (const target of ["user_target", "user_target_exec"] as const) {
  for (const name of ["simple", "many", "indexed", "counted", "empty"]) {
    Deno.test({
      name: `usdt ${target} user:${name}: places, semaphores, cookies and specs are libbpf's`,
      ...requirements,
      async fn() {
        const path = userProgram(target);
        const expected = await byLibbpf("usdt", "first", `usdt/${path}:user:${name}`);
        assertEquals([expected.links.length, expected.specs.length > 0], [1, true]);
        const ours = byUs(
          "usdt",
          "first",
          (program) => attachUsdt(program, { path, provider: "user", name, cookie: COOKIE }),
        );
        assertEquals(ours, expected);
      },
    });
  }
}

Deno.test({
  name: "uprobe, uretprobe: the offset is libbpf's",
  ...requirements,
  async fn() {
    for (const symbol of ["target_add", "target_weak", "main", "twin_of_other_file"]) {
      for (const target of ["user_target", "user_target_exec"] as const) {
        const path = userProgram(target);
        assertEquals(
          byUs("user", "enter", (program) => attachUprobe(program, { path, symbol })),
          await byLibbpf("user", "enter", `uprobe/${path}:${symbol}`),
        );
      }
    }
    assertEquals(
      byUs("user", "leave", (program) => attachUprobe(program, { path: PATH, symbol: "target_add", retprobe: true })),
      await byLibbpf("user", "leave", `uretprobe/${PATH}:target_add`),
    );
    for (const symbol of ["malloc", "memcpy@GLIBC_2.2.5", "pthread_create", "open", "fork"]) {
      assertEquals(
        byUs("user", "enter", (program) => attachUprobe(program, { path: "libc.so.6", symbol })),
        await byLibbpf("user", "enter", `uprobe/libc.so.6:${symbol}`),
        symbol,
      );
    }
  },
});

Deno.test({
  name: "uprobe.multi, uretprobe.multi: the offsets are libbpf's",
  ...requirements,
  async fn() {
    for (const pattern of ["target_*", "t*_?dd", "target_add"]) {
      for (const [name, section] of [["multi", "uprobe.multi"], ["multi_ret", "uretprobe.multi"]] as const) {
        const retprobe = name === "multi_ret";
        const expected = await byLibbpf("user", name, `${section}/${PATH}:${pattern}`);
        const ours = byUs("user", name, (program) => attachUprobeMulti(program, { path: PATH, pattern, retprobe }));
        assertEquals(sorted(ours), sorted(expected));
      }
    }
  },
});

/** libbpf gives offsets in the order of the symbol table. */
function sorted({ links }: Attached): unknown[] {
  return links.map((link) => link.kind === "uprobe_multi" ? { ...link, offsets: link.offsets.toSorted() } : link);
}
