import { assert, assertEquals } from "@std/assert";
import { sectionMeaning } from "../../../lib/spec/mod.ts";
import { SECTION_TABLE } from "../../../lib/spec/section_table.ts";
import { BpfAttachType, BpfProgFlag, BpfProgType } from "../../../lib/uapi/mod.ts";

Deno.test("sectionMeaning() finds every row of the table by its own name", () => {
  for (const row of SECTION_TABLE) {
    const name = row.pattern.replace("+", "");
    const meaning = sectionMeaning(name);
    assertEquals(meaning.type, BpfProgType[`BPF_PROG_TYPE_${row.type}`], name);
    assertEquals(meaning.expectedAttachType, row.expected ? BpfAttachType[`BPF_${row.expected}`] : 0, name);
    assertEquals(meaning.attach, row.attach, name);
    assert(!meaning.autoAttach || name.includes("/"), `${name} says nothing to attach to`);
  }
});

Deno.test("sectionMeaning() takes what follows the first slash where the row allows it", () => {
  const open = sectionMeaning("tp/sched/sched_process_exec");
  assertEquals(open.type, BpfProgType.BPF_PROG_TYPE_TRACEPOINT);
  assertEquals(open.attachTo, "sched/sched_process_exec");
  assertEquals(open.autoAttach, true);
  const closed = sectionMeaning("socket/x");
  assertEquals(closed.type, BpfProgType.BPF_PROG_TYPE_UNSPEC);
  assertEquals(closed.attach, undefined);
});

Deno.test("sectionMeaning() does not take a longer word for a row", () => {
  for (const name of ["fentryx", "kprobex/f", "xdp.fragsx", "tpx/a/b", "tc/foo"]) {
    assertEquals(sectionMeaning(name).type, BpfProgType.BPF_PROG_TYPE_UNSPEC, name);
  }
});

Deno.test("sectionMeaning() strips a question mark and turns loading off", () => {
  const meaning = sectionMeaning("?fentry.s/do_unlinkat");
  assertEquals(meaning.section, "fentry.s/do_unlinkat");
  assertEquals(meaning.autoload, false);
  assertEquals(meaning.sleepable, true);
  assertEquals(meaning.flags, BpfProgFlag.BPF_F_SLEEPABLE);
  assertEquals(meaning.attachByBtf, true);
  assertEquals(meaning.expectedAttachType, BpfAttachType.BPF_TRACE_FENTRY);
});

Deno.test("sectionMeaning() knows frags, optional attach types and what is never attached by itself", () => {
  assertEquals(sectionMeaning("xdp.frags/cpumap").flags, BpfProgFlag.BPF_F_XDP_HAS_FRAGS);
  assertEquals(sectionMeaning("xdp").expectedAttachTypeOptional, true);
  assertEquals(sectionMeaning("xdp/devmap").expectedAttachTypeOptional, false);
  assertEquals(sectionMeaning("kprobe").autoAttach, false);
  assertEquals(sectionMeaning("cgroup/connect4").autoAttach, false);
  assertEquals(sectionMeaning("lsm_cgroup/socket_post_create").autoAttach, false);
});
