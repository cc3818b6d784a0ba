/**
 * Merging against libbpf's static linker: of the same objects as many types are left.
 */
import { assert, assertEquals } from "@std/assert";
import { Btf, type BtfType } from "../../lib/btf/mod.ts";
import { BtfMerger } from "../../lib/btf/dedup/mod.ts";
import { ElfFile } from "../../lib/elf/mod.ts";
import { BtfKind } from "../../lib/uapi/mod.ts";
import { clangPath, needs, run } from "../support/mod.ts";

const UNITS = 8;
const STRUCTS = 40;

/** Structs that point at each other in circles. What a unit does not read through is only declared in its BTF. */
function header(): string {
  const structs = Array.from({ length: STRUCTS }, (_, i) => {
    const other = (step: number): string => `s${(i * step + 7) % STRUCTS}`;
    return `struct s${i} { struct ${other(3)} *a; struct { int x${i % 3}; union { struct ${
      other(5)
    } *b; long c; }; } d[2]; ` +
      `int (*f)(struct ${other(11)} *, const struct ${other(13)} *); enum e${i % 4} e; t${i % 5} t; };`;
  });
  return [
    "typedef unsigned int u32;",
    ...[0, 1, 2, 3].map((i) => `enum e${i} { E${i}A, E${i}B = ${i} };`),
    ...[0, 1, 2, 3, 4].map((i) => `struct s${i * 7}; typedef struct s${i * 7} *t${i};`),
    "#pragma clang attribute push (__attribute__((preserve_access_index)), apply_to = record)",
    ...structs,
    "#pragma clang attribute pop",
  ].join("\n");
}

/** A program that reads through some of the structs. */
function unit(index: number): string {
  const reads = Array.from({ length: 6 }, (_, i) => {
    const first = (index * 5 + i * 3) % STRUCTS;
    const second = (first * 3 + 7) % STRUCTS;
    return `  sum += (long)((struct s${first} *)p)->a->d[1].c + ((struct s${second} *)p)->e;`;
  });
  return `#include "structs.h"
long sum${index};
__attribute__((section("raw_tp/sys_enter"), used)) int program${index}(void *p) {
  long sum = 0;
${reads.join("\n")}
  sum${index} = sum;
  return 0;
}
char LICENSE[] __attribute__((section("license"), used)) = "GPL";
`;
}

/** Number of types of each kind; without those that a linker joins by symbol. */
function kinds(btf: Btf): Record<string, number> {
  const names = new Map<number, string>(Object.entries(BtfKind).map(([name, kind]) => [kind, name]));
  const counts: Record<string, number> = {};
  for (const { kind } of btf.types()) {
    if (kind === BtfKind.Var || kind === BtfKind.Datasec) continue;
    const name = names.get(kind)!;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

async function compile(folder: string): Promise<string[]> {
  await Deno.writeTextFile(`${folder}/structs.h`, header());
  const objects: string[] = [];
  for (let index = 0; index < UNITS; index++) {
    const source = `${folder}/u${index}.bpf.c`;
    const object = `${folder}/u${index}.bpf.o`;
    await Deno.writeTextFile(source, unit(index));
    const { code, stderr } = await run(clangPath("19")!, ["-target", "bpf", "-g", "-O2", "-c", source, "-o", object]);
    assertEquals(code, 0, stderr);
    objects.push(object);
  }
  return objects;
}

function btfOf(path: string): Btf {
  const section = ElfFile.parse(Deno.readFileSync(path), path).section(".BTF");
  assert(section !== undefined, path);
  return Btf.parse(section.bytes(), { what: path });
}

Deno.test({
  name: "BtfMerger leaves as many types of each kind as bpftool gen object, or fewer (needs clang 19 and bpftool)",
  ...needs({ clang: "19", peer: "bpftool" }),
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      const objects = await compile(folder);
      const linked = `${folder}/linked.o`;
      const { code, stderr } = await run("bpftool", ["gen", "object", linked, ...objects]);
      assertEquals(code, 0, stderr);

      const merger = new BtfMerger();
      const inputs = objects.map(btfOf);
      const places = inputs.map((btf) => merger.append(btf));
      const result = merger.finish();
      const merged = Btf.parse(result.bytes);
      // bpftool 7.1 leaves declarations of what is defined elsewhere, and pointers to them; libbpf 1.7 does not.
      const { Ptr: pointers, ...ours } = kinds(merged);
      const { Fwd: declarations = 0, Ptr: theirPointers, ...theirs } = kinds(btfOf(linked));
      assertEquals(ours, theirs);
      assert(pointers! <= theirPointers! && theirPointers! <= pointers! + declarations);
      assert(merged.typeCount * 2 < inputs.reduce((sum, btf) => sum + btf.typeCount, 0));

      const after = (index: number, type: BtfType): string => {
        const { kind, name } = merged.type(result.idOf(places[index]!.typeId(type.id)));
        return `${kind === BtfKind.Struct ? BtfKind.Fwd : kind} ${name}`;
      };
      for (const [index, btf] of inputs.entries()) {
        for (const type of btf.types()) {
          assertEquals(after(index, type), `${type.kind === BtfKind.Struct ? BtfKind.Fwd : type.kind} ${type.name}`);
        }
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
