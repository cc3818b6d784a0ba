import { assertEquals, assertGreater } from "@std/assert";
import { Btf, type EnumType } from "../../../../lib/btf/mod.ts";
import {
  attachTypeSince,
  compareKernelVersions,
  helperSince,
  kfuncSince,
  mapTypeSince,
  programTypeSince,
} from "../../../../lib/uapi/versions/mod.ts";
import { BpfAttachType, BpfFuncId, BpfMapType, BpfProgType, BtfKind } from "../../../../lib/uapi/mod.ts";
import { needs } from "../../../support/mod.ts";

/** The enums of the newest kernel, the functions that know their versions, and what is no feature of a kernel. */
const TABLES = [
  { values: BpfFuncId, since: helperSince, enumName: "bpf_func_id", none: /unspec$/ },
  { values: BpfProgType, since: programTypeSince, enumName: "bpf_prog_type", none: /UNSPEC$/ },
  { values: BpfMapType, since: mapTypeSince, enumName: "bpf_map_type", none: /UNSPEC$/ },
  { values: BpfAttachType, since: attachTypeSince, enumName: "bpf_attach_type", none: /$^/ },
];

Deno.test("every helper and type of the newest kernel has a version, later ones no older one", () => {
  for (const { values, since, none } of TABLES) {
    let last = "3.19";
    for (const [name, value] of Object.entries<number>(values)) {
      const version = since(value);
      if (none.test(name)) {
        assertEquals(version, undefined, name);
        continue;
      }
      if (version === undefined) throw new Error(`${name} has no version`);
      assertEquals(compareKernelVersions(last, version) <= 0, true, `${name}: ${version} after ${last}`);
      last = version;
    }
    const newest = Math.max(...Object.values<number>(values));
    assertEquals(since(newest + 1), undefined, "what no table knows has no version");
  }
});

Deno.test("versions are those that people know", () => {
  const helper = (name: keyof typeof BpfFuncId) => helperSince(BpfFuncId[name]);
  assertEquals(helper("BPF_FUNC_map_lookup_elem"), "3.19");
  assertEquals(helper("BPF_FUNC_get_prandom_u32"), "4.1");
  assertEquals(helper("BPF_FUNC_tail_call"), "4.2");
  assertEquals(helper("BPF_FUNC_probe_read_kernel"), "5.5");
  assertEquals(helper("BPF_FUNC_ringbuf_output"), "5.8");
  assertEquals(helper("BPF_FUNC_loop"), "5.17");
  assertEquals(helper("BPF_FUNC_cgrp_storage_delete"), "6.2");
  assertEquals(mapTypeSince(BpfMapType.BPF_MAP_TYPE_RINGBUF), "5.8");
  assertEquals(mapTypeSince(BpfMapType.BPF_MAP_TYPE_ARENA), "6.9");
  assertEquals(programTypeSince(BpfProgType.BPF_PROG_TYPE_XDP), "4.8");
  assertEquals(programTypeSince(BpfProgType.BPF_PROG_TYPE_TRACING), "5.5");
  assertEquals(attachTypeSince(BpfAttachType.BPF_TRACE_FENTRY), "5.5");
  assertEquals(attachTypeSince(BpfAttachType.BPF_TCX_INGRESS), "6.6");
  assertEquals(attachTypeSince(BpfAttachType.BPF_CGROUP_INET_INGRESS), "4.10");
  assertEquals(kfuncSince("bpf_task_from_pid"), "6.2");
  assertEquals(kfuncSince("bpf_no_such_function"), undefined);
});

Deno.test("compareKernelVersions() counts, and does not spell", () => {
  assertEquals(["5.10", "4.20", "5.9", "6.0", "5.8"].sort(compareKernelVersions), [
    "4.20",
    "5.8",
    "5.9",
    "5.10",
    "6.0",
  ]);
});

Deno.test({
  name: "the running kernel has the helpers and types that its version brings, and no others",
  ...needs({ btf: true }),
  fn() {
    const [, release = ""] = /^(\d+\.\d+)/.exec(Deno.osRelease()) ?? [];
    const btf = Btf.parse(Deno.readFileSync("/sys/kernel/btf/vmlinux"));
    for (const { values, since, enumName, none } of TABLES) {
      const kernel = new Map(
        (btf.find(enumName, BtfKind.Enum) as EnumType).values.map(({ name, value }) => [name, Number(value)]),
      );
      let count = 0;
      for (const [name, value] of Object.entries<number>(values)) {
        if (none.test(name) || name.endsWith("_DEPRECATED")) continue;
        const expected = compareKernelVersions(since(value)!, release) <= 0;
        assertEquals(kernel.has(name), expected, `${name}, since ${since(value)}, in ${release}`);
        count++;
      }
      assertGreater(count, 20);
    }
  },
});
