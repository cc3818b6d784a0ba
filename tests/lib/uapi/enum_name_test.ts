import { assertEquals } from "@std/assert";
import {
  BpfCmd,
  BpfFuncId,
  BpfMapType,
  BpfProgType,
  enumName,
  HELPER_NAMES,
  helperId,
  helperName,
} from "../../../lib/uapi/mod.ts";

Deno.test("enumName() gives the kernel's name, and undefined for a value of a newer kernel", () => {
  assertEquals(enumName(BpfMapType, 27), "BPF_MAP_TYPE_RINGBUF");
  assertEquals(enumName(BpfProgType, BpfProgType.BPF_PROG_TYPE_XDP), "BPF_PROG_TYPE_XDP");
  assertEquals(enumName(BpfProgType, 9999), undefined);
});

Deno.test("enumName() prefers the first name that is not deprecated", () => {
  assertEquals(enumName(BpfMapType, 19), "BPF_MAP_TYPE_CGROUP_STORAGE");
  assertEquals(enumName(BpfCmd, 10), "BPF_PROG_TEST_RUN");
});

Deno.test("helperName() and helperId() are each other's reverse", () => {
  assertEquals(helperName(1), "map_lookup_elem");
  assertEquals(helperName(HELPER_NAMES.length), undefined);
  assertEquals(helperId("ringbuf_output"), BpfFuncId.BPF_FUNC_ringbuf_output);
  for (const [id, name] of HELPER_NAMES.entries()) assertEquals<number | undefined>(helperId(name), id);
});

Deno.test("helperId() knows nothing of an object's own properties", () => {
  assertEquals(helperId("toString"), undefined);
  assertEquals(helperId(""), undefined);
});
