import { assertEquals, assertThrows } from "@std/assert";
import { gzipSync } from "node:zlib";
import { readKernelConfig } from "../../../ffi/host/mod.ts";
import { FormatError } from "../../../lib/errors.ts";
import { needs } from "../../support/mod.ts";

const TEXT = "# Linux/x86 6.12.11 Kernel Configuration\nCONFIG_HZ=250\n";

async function inFolder(use: (folder: string) => void): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test({
  name: "readKernelConfig() reads the first file that there is, packed or not, and says which",
  ...needs({ ffi: true }),
  fn: () =>
    inFolder((folder) => {
      const [gone, plain, packed] = ["gone", "config", "config.gz"].map((name) => `${folder}/${name}`) as [
        string,
        string,
        string,
      ];
      Deno.writeTextFileSync(plain, TEXT);
      Deno.writeFileSync(packed, gzipSync(TEXT));
      assertEquals(readKernelConfig([gone, plain, packed]), { text: TEXT, files: [plain] });
      assertEquals(readKernelConfig([gone, packed]), { text: TEXT, files: [packed] });
      assertEquals(readKernelConfig([gone, folder]), { text: undefined, files: [gone, folder] });
    }),
});

Deno.test({
  name: "readKernelConfig() names a file whose packed data is broken",
  ...needs({ ffi: true }),
  fn: () =>
    inFolder((folder) => {
      const path = `${folder}/config.gz`;
      Deno.writeFileSync(path, gzipSync(TEXT).subarray(0, 30));
      assertThrows(() => readKernelConfig([path]), FormatError, `${path}: its compressed data is broken`);
    }),
});
