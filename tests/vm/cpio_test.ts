import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { CpioWriter } from "../../scripts/vm/cpio.ts";

interface Entry {
  readonly mode: string;
  readonly content: string;
}

/** Reads an archive by the format's description: a header of 110 characters, name and content, each padded to 4 bytes. */
function read(parts: readonly Uint8Array<ArrayBuffer>[]): Record<string, Entry> {
  const text = parts.map((part) => new TextDecoder("latin1").decode(part)).join("");
  const entries: Record<string, Entry> = {};
  const padded = (size: number) => Math.ceil(size / 4) * 4;
  for (let at = 0; at < text.length;) {
    const field = (index: number) => parseInt(text.slice(at + 6 + index * 8, at + 14 + index * 8), 16);
    assertEquals(text.slice(at, at + 6), "070701");
    const [mode, size, nameSize] = [field(1), field(6), field(11)];
    const name = text.slice(at + 110, at + 110 + nameSize - 1);
    const start = at + padded(110 + nameSize);
    entries[name] = { mode: mode.toString(8), content: text.slice(start, start + size) };
    at = start + padded(size);
  }
  return entries;
}

Deno.test("CpioWriter writes files, links, and the folders above them once, then the trailer", () => {
  const archive = new CpioWriter();
  archive.file("/usr/bin/tool", Uint8Array.of(1, 2, 3), 0o755);
  archive.file("usr/bin/x", "text");
  archive.link("bin", "usr/bin");
  archive.folder("usr");
  const entries = read(archive.finish());
  assertEquals(Object.keys(entries), ["usr", "usr/bin", "usr/bin/tool", "usr/bin/x", "bin", "TRAILER!!!"]);
  assertEquals(entries["usr"], { mode: "40755", content: "" });
  assertEquals(entries["usr/bin/tool"], { mode: "100755", content: "\x01\x02\x03" });
  assertEquals(entries["usr/bin/x"], { mode: "100644", content: "text" });
  assertEquals(entries["bin"], { mode: "120777", content: "usr/bin" });
});

Deno.test("CpioWriter.copy() takes a folder with links and modes, and leaves out what it is told to", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(join(folder, "in/deep"), { recursive: true });
    await Deno.writeTextFile(join(folder, "in/deep/run"), "#!", { mode: 0o700 });
    await Deno.writeTextFile(join(folder, "in/secret"), "");
    await Deno.symlink("deep/run", join(folder, "in/link"));
    const archive = new CpioWriter();
    await archive.copy("/to", join(folder, "in"), (path) => path.endsWith("secret"));
    const entries = read(archive.finish());
    assertEquals(Object.keys(entries).sort(), ["TRAILER!!!", "to", "to/deep", "to/deep/run", "to/link"]);
    assertEquals(entries["to/deep/run"], { mode: "100700", content: "#!" });
    assertEquals(entries["to/link"]?.content, "deep/run");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
