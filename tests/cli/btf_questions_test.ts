import { assertEquals, assertStringIncludes } from "@std/assert";
import { BtfBuilder, type BtfType } from "../../lib/btf/mod.ts";
import { BtfKind } from "../../lib/uapi/mod.ts";
import { int, member, pointer, struct } from "../lib/btf/value/make_types.ts";
import { needs, runCli } from "../support/mod.ts";
import { assertJsonError, assertSentence } from "./expect.ts";

/** A kernel with a struct, and a function that takes it. */
function kernel(newer: boolean): Uint8Array {
  const builder = new BtfBuilder();
  const u32 = int("unsigned int", 4);
  const owner = struct("owner", 8, [member("uid", u32, 0)]);
  const device = struct("device", newer ? 24 : 16, [
    ...(newer ? [member("added", u32, 0)] : []),
    member("count", u32, newer ? 8 : 0),
    member("flags", u32, newer ? 12 : 4),
    member("owner", pointer(owner), newer ? 16 : 8),
  ]);
  const proto: BtfType = {
    kind: BtfKind.FuncProto,
    id: 0,
    name: "",
    returns: newer ? u32 : pointer(device),
    params: [{ name: "dev", type: pointer(device) }],
  };
  builder.add(device);
  builder.add({ kind: BtfKind.Func, id: 0, name: "open_device", target: proto, linkage: "static" });
  if (newer) builder.add(struct("only_new", 4, []));
  return builder.encode();
}

async function withKernels(use: (old: string, now: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const paths = [`${folder}/old.btf`, `${folder}/now.btf`] as const;
    await Deno.writeFile(paths[0], kernel(false));
    await Deno.writeFile(paths[1], kernel(true));
    await use(...paths);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test({
  name: "debpf btf diff tells what changed between two kernels",
  ...needs({ ffi: true }),
  fn: () =>
    withKernels(async (old, now) => {
      const { code, stdout, stderr } = await runCli(["btf", "diff", old, now]);
      assertEquals([code, stderr], [0, ""]);
      assertEquals(stdout.split("\n"), [
        "+ struct only_new",
        "~ struct device, 16 -> 24 bytes",
        "    + added: unsigned int, at 0",
        "    > count to owner: 3 members moved by +8 bytes",
        "~ func open_device",
        "    - struct device *open_device(struct device *dev)",
        "    + unsigned int open_device(struct device *dev)",
        "",
      ]);
      const one = await runCli(["-j", "btf", "diff", old, now, "open_device"]);
      assertEquals(JSON.parse(one.stdout), {
        added: [],
        removed: [],
        changed: [{
          kind: "func",
          name: "open_device",
          parts: [{
            change: "changed",
            name: "",
            before: { text: "struct device *open_device(struct device *dev)" },
            after: { text: "unsigned int open_device(struct device *dev)" },
          }],
        }],
      });
      assertEquals((await runCli(["btf", "diff", old, old])).stdout, "");
      assertSentence(await runCli(["btf", "diff", old, now, "nobody"]), 1, /has a type, function or variable "nobody"/);
      assertSentence(await runCli(["btf", "diff", old]), 2, /B is missing/);
    }),
});

Deno.test({
  name: "debpf btf field shows the reads that lead to a field",
  ...needs({ ffi: true }),
  fn: () =>
    withKernels(async (_, now) => {
      const { code, stdout } = await runCli(["btf", "field", "device.owner.uid", "file", now]);
      assertEquals(code, 0);
      assertEquals(stdout.split("\n"), [
        "device.owner.uid: unsigned int, 4 bytes",
        "  IN             OFFSET  FIELD  TYPE",
        "  struct device      16  owner  struct owner *",
        "  struct owner        0  uid    unsigned int",
        "",
      ]);
      const json = await runCli(["-j", "btf", "field", "device.flags", "file", now]);
      assertEquals(JSON.parse(json.stdout), {
        path: "device.flags",
        type: "unsigned int",
        size: 4,
        steps: [{ base: "struct device", path: "flags", offset: 12, offset_bits: 96, type: "unsigned int" }],
      });
      assertJsonError(await runCli(["-j", "btf", "field", "device.x", "file", now]), 1, /device has no member "x"$/);
    }),
});

Deno.test({
  name: "debpf btf users lists who uses a type",
  ...needs({ ffi: true }),
  fn: () =>
    withKernels(async (old) => {
      const { stdout } = await runCli(["btf", "users", "owner", "file", old]);
      assertEquals(stdout, "USER           WHERE\nstruct device  owner\n");
      const json = await runCli(["-j", "btf", "users", "struct device", "file", old]);
      const [use] = JSON.parse(json.stdout);
      assertEquals([use.kind, use.name, use.places], ["func", "open_device", ["return", "dev"]]);
      assertSentence(await runCli(["btf", "users", "nobody", "file", old]), 1, /has no type "nobody"/);
    }),
});

Deno.test({
  name: "debpf btf field and users ask the running kernel by default",
  ...needs({ ffi: true, btf: true }),
  async fn() {
    assertStringIncludes((await runCli(["btf", "field", "task_struct.mm.owner"])).stdout, "struct mm_struct *");
    assertStringIncludes((await runCli(["btf", "users", "cred"])).stdout, "struct task_struct");
  },
});
