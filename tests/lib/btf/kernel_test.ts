import { assertEquals } from "@std/assert";
import { Btf, BtfBuilder } from "../../../lib/btf/mod.ts";
import { BtfKind } from "../../../lib/uapi/mod.ts";
import { needs, run } from "../../support/mod.ts";

const VMLINUX = "/sys/kernel/btf/vmlinux";

/** A type as `bpftool btf dump` heads it: `[2] CONST '(anon)' type_id=1`. */
interface Line {
  readonly id: number;
  readonly kind: BtfKind;
  readonly name: string;
}

const KINDS: ReadonlyMap<string, BtfKind> = new Map(
  Object.entries(BtfKind).map(([name, kind]) => [name.replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase(), kind]),
);

async function dump(path: string): Promise<string[]> {
  const { code, stdout, stderr } = await run("bpftool", ["btf", "dump", "file", path]);
  assertEquals(code, 0, stderr);
  return stdout.trimEnd().split(/\n(?=\[)/);
}

function parseLine(line: string): Line {
  const [, id = "", word = "", name = ""] = /^\[(\d+)\] (\w+) '(.*?)'/.exec(line) ?? [];
  const kind = KINDS.get(word);
  if (kind === undefined) throw new Error(`bpftool writes a kind that this test doesn't know: ${line}`);
  return { id: Number(id), kind, name: name === "(anon)" ? "" : name };
}

Deno.test({
  name: "Btf of the running kernel has the ids, kinds and names that bpftool sees",
  ...needs({ peer: "bpftool", btf: true }),
  async fn() {
    const lines = (await dump(VMLINUX)).map(parseLine);
    const btf = Btf.parse(Deno.readFileSync(VMLINUX), { what: "vmlinux" });
    assertEquals(btf.typeCount, lines.length + 1);
    const byName = new Map<string, number[]>();
    for (const { id, kind, name } of lines) {
      if (btf.kindOf(id) !== kind || btf.nameOf(id) !== name) {
        assertEquals({ id, kind: btf.kindOf(id), name: btf.nameOf(id) }, { id, kind, name });
      }
      if (name === "") continue;
      const ids = byName.get(name);
      if (ids === undefined) byName.set(name, [id]);
      else ids.push(id);
    }
    // Every hundredth name, first by scanning, then by the index.
    for (const [index, [name, ids]] of [...byName].entries()) {
      if (index % 100 === 0) assertEquals(btf.findIds(name), ids, name);
    }
  },
});

Deno.test({
  name: "BtfBuilder's copy of the running kernel's BTF reads the same to bpftool, but for the ids",
  ...needs({ peer: "bpftool", btf: true }),
  async fn() {
    const btf = Btf.parse(Deno.readFileSync(VMLINUX), { what: "vmlinux" });
    const builder = new BtfBuilder();
    const ids = [0];
    for (const type of btf.types()) ids.push(builder.add(type));
    const path = await Deno.makeTempFile({ suffix: ".btf" });
    try {
      await Deno.writeFile(path, builder.encode());
      const copies = new Map((await dump(path)).map((line) => [parseLine(line).id, line]));
      const renumber = (line: string): string =>
        line.replace(/^\[(\d+)\]/, (_, id) => `[${ids[id]}]`).replace(
          /(?<=type_id=)\d+/g,
          (id) => `${ids[Number(id)]}`,
        );
      for (const line of await dump(VMLINUX)) {
        const expected = renumber(line);
        const copy = copies.get(parseLine(expected).id);
        if (copy !== expected) assertEquals(copy, expected);
      }
    } finally {
      await Deno.remove(path);
    }
  },
});
