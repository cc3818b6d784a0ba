import { assert, assertEquals } from "@std/assert";
import { eachLine, findKernelSymbols, selectKernelSymbols } from "../../../ffi/info/mod.ts";
import { needs } from "../../support/mod.ts";

const TEXT = `ffffffff81000000 T _text
ffffffff81000100 t helper
ffffffff81000200 t helper
ffffffff81000300 t folded.isra.0
ffffffffc0000000 t driver_probe\t[driver]
ffffffffc0000100 d helper\t[driver]`;

async function withFile(text: string, action: (path: string) => void): Promise<void> {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, text);
    action(path);
  } finally {
    await Deno.remove(path);
  }
}

Deno.test({
  name: "findKernelSymbols() gives all symbols of a name, with module and address; names that are missing are left out",
  ...needs({ ffi: true }),
  fn: () =>
    withFile(TEXT, (path) => {
      const found = findKernelSymbols(["helper", "driver_probe", "folded", "_text"], { path });
      assertEquals([...found.keys()].sort(), ["_text", "driver_probe", "helper"]);
      assertEquals(found.get("helper"), [
        { name: "helper", address: 0xffffffff81000100n, type: "t", module: undefined },
        { name: "helper", address: 0xffffffff81000200n, type: "t", module: undefined },
        { name: "helper", address: 0xffffffffc0000100n, type: "d", module: "driver" },
      ]);
      assertEquals(found.get("driver_probe")?.[0]?.module, "driver");
    }),
});

Deno.test({
  name: "selectKernelSymbols() picks by name and type",
  ...needs({ ffi: true }),
  fn: () =>
    withFile(TEXT, (path) => {
      const found = selectKernelSymbols((name, type) => type === "t" && name.startsWith("folded."), { path });
      assertEquals(found.map(({ name }) => name), ["folded.isra.0"]);
    }),
});

Deno.test({
  name: "eachLine() cuts nothing, however long lines and file are, and stops where it is told",
  ...needs({ ffi: true }),
  fn: () => {
    const lines = ["a", "", "b".repeat(300_000), ...Array.from({ length: 50_000 }, (_, i) => `line ${i}`), "end"];
    return withFile(lines.join("\n"), (path) => {
      const seen: string[] = [];
      eachLine(path, (bytes, start, end) => void seen.push(new TextDecoder().decode(bytes.subarray(start, end))));
      assertEquals(seen, lines);
      let count = 0;
      eachLine(path, () => ++count === 5);
      assertEquals(count, 5);
    });
  },
});

Deno.test({
  name: "findKernelSymbols() finds what the running kernel has",
  ...needs({ ffi: true, root: true }),
  fn: () => {
    const found = findKernelSymbols(["vfs_read", "no_such_symbol"]);
    assertEquals(found.get("vfs_read")?.[0]?.module, undefined);
    assert(found.has("vfs_read") && !found.has("no_such_symbol"));
  },
});
