import { assertEquals, assertRejects } from "@std/assert";
import { BtfBuilder, type StructType } from "../../lib/btf/mod.ts";
import { FormatError } from "../../lib/errors.ts";
import { BtfKind } from "../../lib/uapi/mod.ts";
import { extractBtf, findBtf } from "../../scripts/vm/extract_btf.ts";
import { needs } from "../support/mod.ts";

/** As large as a kernel's, almost. */
function kernelBtf(): Uint8Array<ArrayBuffer> {
  const builder = new BtfBuilder();
  for (let i = 0; i < 9000; i++) {
    const name = i === 0 ? "task_struct" : `struct_${i}`;
    const type: StructType = { kind: BtfKind.Struct, id: 0, name, size: i, members: [] };
    builder.add(type);
  }
  return new Uint8Array(builder.encode());
}

function image(...parts: (Uint8Array | number)[]): Uint8Array<ArrayBuffer> {
  const bytes = parts.map((part) => typeof part === "number" ? new Uint8Array(part).fill(0x9f) : part);
  const whole = new Uint8Array(bytes.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of bytes) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** What looks like BTF and is none. */
const FALSE_START = Uint8Array.of(0x9f, 0xeb, 1, 0, 24, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0);

Deno.test("findBtf() finds a kernel's BTF between other bytes", () => {
  const btf = kernelBtf();
  assertEquals(findBtf(image(1001, FALSE_START, 77, btf, 500)), btf);
});

Deno.test("findBtf() takes neither a small BTF nor a cut one for a kernel's", () => {
  const small = new BtfBuilder();
  small.add({ kind: BtfKind.Struct, id: 0, name: "task_struct", size: 0, members: [] });
  assertEquals(findBtf(image(10, new Uint8Array(small.encode()), 10)), undefined);
  assertEquals(findBtf(image(10, kernelBtf().subarray(0, -1))), undefined);
});

for (const program of ["gzip", "xz", "zstd"]) {
  Deno.test({
    name: `extractBtf() unpacks ${program} inside an image, and ignores what follows`,
    ...needs({ program }),
    fn: async () => {
      const btf = kernelBtf();
      const child = new Deno.Command(program, { args: ["-c"], stdin: "piped", stdout: "piped" }).spawn();
      const written = ReadableStream.from([image(1 << 20, btf, 3000)]).pipeTo(child.stdin);
      const { stdout } = await child.output();
      await written;
      assertEquals(await extractBtf(image(4096, stdout, 512), "vmlinuz"), btf);
    },
  });
}

Deno.test("extractBtf() of something else says so", async () => {
  await assertRejects(() => extractBtf(image(5000), "vmlinuz-0"), FormatError, "vmlinuz-0: no BTF in it");
});
