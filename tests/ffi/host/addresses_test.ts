import { assertEquals } from "@std/assert";
import { kernelAddresses } from "../../../ffi/host/mod.ts";
import { needs } from "../../support/mod.ts";

const SYMBOLS = `ffffffff81000000 T _text
ffffffff82266810 T schedule
ffffffff82266810 t same_twice
ffffffff82266810 T same_twice
ffffffff81000010 t two_places
ffffffff81000020 t two_places
ffffffff81000030 t my_schedule
ffffffff81000040 t schedule_more
ffffffff83000000 d renamed.llvm.15302345
ffffffff81000050 t not_data.llvm.15302345
ffffffffc0000000 t of_module\t[nf_conntrack]
ffffffffc0000010 t T
ffffffffc0000020 t last`;

async function withFile(text: string, use: (path: string) => void): Promise<void> {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, text);
    use(path);
  } finally {
    await Deno.remove(path);
  }
}

Deno.test({
  name: "kernelAddresses() finds whole names, modules', data that was renamed, and different addresses of one name",
  ...needs({ ffi: true }),
  fn: () =>
    withFile(SYMBOLS, (path) => {
      const names = ["schedule", "same_twice", "two_places", "renamed", "not_data", "of_module", "T", "last", "gone"];
      const { byName, hidden } = kernelAddresses(new Set(names), { path });
      assertEquals(hidden, false);
      assertEquals(
        [...byName].map(([name, addresses]) => [name, ...addresses.map((address) => address.toString(16))]),
        [
          ["schedule", "ffffffff82266810"],
          ["same_twice", "ffffffff82266810"],
          ["two_places", "ffffffff81000010", "ffffffff81000020"],
          ["renamed", "ffffffff83000000"],
          ["of_module", "ffffffffc0000000"],
          ["T", "ffffffffc0000010"],
          ["last", "ffffffffc0000020"],
        ],
      );
    }),
});

Deno.test({
  name: "kernelAddresses() tells a kernel that hides its addresses from a symbol at 0",
  ...needs({ ffi: true }),
  async fn() {
    const zeros = SYMBOLS.replaceAll(/^[0-9a-f]{16}/gm, "0".repeat(16));
    await withFile(zeros, (path) => {
      const { byName, hidden } = kernelAddresses(new Set(["last"]), { path });
      assertEquals([hidden, byName.get("last")], [true, [0n]]);
    });
    await withFile(`0000000000000000 A fixed_percpu_data\n${SYMBOLS}`, (path) => {
      const { byName, hidden } = kernelAddresses(new Set(["fixed_percpu_data"]), { path });
      assertEquals([hidden, byName.get("fixed_percpu_data")], [false, [0n]]);
    });
  },
});

Deno.test({
  name: "kernelAddresses() finds names on both sides of where the file is cut",
  ...needs({ ffi: true }),
  fn: () => {
    const lines = Array.from({ length: 90_000 }, (_, i) => `${(0x1000 + i).toString(16).padStart(16, "0")} t f${i}_`);
    return withFile(lines.join("\n"), (path) => {
      const names = lines.map((_, i) => `f${i}_`).filter((_, i) => i % 700 === 0);
      const { byName } = kernelAddresses(new Set(names), { path });
      assertEquals(byName.size, names.length);
      for (const name of names) assertEquals(byName.get(name), [BigInt(0x1000 + Number(name.slice(1, -1)))]);
    });
  },
});

Deno.test({
  name: "kernelAddresses() gives what /proc/kallsyms says",
  ...needs({ ffi: true, root: true }),
  fn() {
    const line = Deno.readTextFileSync("/proc/kallsyms").split("\n").find((line) => line.endsWith(" T schedule"))!;
    const { byName } = kernelAddresses(new Set(["schedule"]));
    assertEquals(byName.get("schedule"), [BigInt(`0x${line.slice(0, 16)}`)]);
  },
});
