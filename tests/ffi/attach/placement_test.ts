import { assertEquals, assertThrows } from "@std/assert";
import { kernelPlacement } from "../../../ffi/attach/placement.ts";
import { BpfAttachFlag } from "../../../lib/uapi/mod.ts";

const { BPF_F_AFTER, BPF_F_BEFORE, BPF_F_ID, BPF_F_LINK } = BpfAttachFlag;

Deno.test("kernelPlacement() asks for nothing where nothing is said", () => {
  assertEquals(kernelPlacement({}), { flags: 0, relative: undefined });
  assertEquals(kernelPlacement({ expectedRevision: 7n }), { flags: 0, relative: { expectedRevision: 7n } });
});

Deno.test("kernelPlacement() says first and last without an anchor", () => {
  assertEquals(kernelPlacement({ before: "all" }), { flags: BPF_F_BEFORE, relative: { expectedRevision: undefined } });
  assertEquals(kernelPlacement({ after: "all", expectedRevision: 2 }), {
    flags: BPF_F_AFTER,
    relative: { expectedRevision: 2 },
  });
});

Deno.test("kernelPlacement() takes programs and links, by object and by id", () => {
  assertEquals(kernelPlacement({ before: { fd: 5, name: "x" } }), {
    flags: BPF_F_BEFORE,
    relative: { relativeFd: 5, expectedRevision: undefined },
  });
  assertEquals(kernelPlacement({ after: { programId: 9 } }), {
    flags: BPF_F_AFTER | BPF_F_ID,
    relative: { relativeId: 9, expectedRevision: undefined },
  });
  assertEquals(kernelPlacement({ after: { linkId: 9 } }), {
    flags: BPF_F_AFTER | BPF_F_ID | BPF_F_LINK,
    relative: { relativeId: 9, expectedRevision: undefined },
  });
});

Deno.test("kernelPlacement() refuses two places", () => {
  assertThrows(() => kernelPlacement({ before: "all", after: "all" }), TypeError, "not both");
});
