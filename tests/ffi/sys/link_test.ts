import { assert, assertEquals, assertGreater, assertThrows } from "@std/assert";
import * as sys from "../../../ffi/sys/mod.ts";
import { BpfAttachType, BpfLinkType, BpfProgType, PerfSoftware, PerfType } from "../../../lib/uapi/mod.ts";
import { needs, openFds } from "../../support/mod.ts";
import { loadReturning } from "./programs.ts";

const BPF = needs({ bpf: true });
const { SyscallError } = sys;

Deno.test({
  name: "rawTracepointOpen() makes a link that linkInfo() describes",
  ...BPF,
  fn() {
    const before = openFds().size;
    {
      using prog = loadReturning(0, BpfProgType.BPF_PROG_TYPE_RAW_TRACEPOINT);
      using link = sys.rawTracepointOpen({ progFd: prog.value, name: "sched_process_exit" });
      const info = sys.linkInfo(link.value);
      assertEquals([info.type, info.progId], [BpfLinkType.BPF_LINK_TYPE_RAW_TRACEPOINT, sys.progInfo(prog.value).id]);
      assert(info.kind === "raw_tracepoint");
      assertEquals(info.tpName, "sched_process_exit");
      using again = sys.linkGetFdById(info.id);
      assertEquals(sys.linkInfo(again.value).id, info.id);
      assertEquals(sys.linkGetNextId(info.id - 1), info.id);
    }
    assertEquals(openFds().size, before);
  },
});

Deno.test({
  name: "rawTracepointOpen() of an unknown tracepoint names it",
  ...BPF,
  fn() {
    using prog = loadReturning(0, BpfProgType.BPF_PROG_TYPE_RAW_TRACEPOINT);
    const error = assertThrows(() => sys.rawTracepointOpen({ progFd: prog.value, name: "nothing" }), SyscallError);
    assertEquals(
      error.message,
      'bpf(BPF_RAW_TRACEPOINT_OPEN, "nothing"): ENOENT (no such file or object): this kernel has no such tracepoint',
    );
  },
});

/** A perf event that never fires. */
function dummyEvent(): sys.Fd {
  const type = PerfType.PERF_TYPE_SOFTWARE;
  return sys.perfEventOpen({ type, config: PerfSoftware.PERF_COUNT_SW_DUMMY, samplePeriod: 1e9, disabled: true }, {
    cpu: 0,
  });
}

Deno.test({
  name: "linkCreate() attaches to a perf event with a cookie, linkUpdate() and linkDetach() change it",
  ...needs({ bpf: true, features: ["perfLinks"] }),
  fn() {
    using event = dummyEvent();
    using prog = loadReturning(0, BpfProgType.BPF_PROG_TYPE_PERF_EVENT);
    using link = sys.linkCreate({
      progFd: prog.value,
      targetFd: event.value,
      attachType: BpfAttachType.BPF_PERF_EVENT,
      perfEvent: { bpfCookie: 0x1234n },
    });
    const info = sys.linkInfo(link.value);
    assertEquals([info.kind, info.progId], ["perf_event", sys.progInfo(prog.value).id]);
    assert(info.kind === "perf_event");
    if (info.event.kind === "event") {
      assertEquals([info.event.type, info.event.config], [PerfType.PERF_TYPE_SOFTWARE, 9n]);
      assertEquals(info.event.cookie, 0x1234n);
    }
    using other = loadReturning(1, BpfProgType.BPF_PROG_TYPE_PERF_EVENT);
    const update = () => sys.linkUpdate(link.value, { newProgFd: other.value, oldProgFd: prog.value });
    assertThrows(update, SyscallError, "BPF_LINK_UPDATE");
    assertThrows(() => sys.linkDetach(link.value), SyscallError, "BPF_LINK_DETACH");
  },
});

Deno.test({
  name: "a tracepoint's perf event runs a program, and its link says which tracepoint",
  ...needs({ bpf: true, tracefs: true, features: ["perfLinks"] }),
  fn() {
    const root = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"].find((path) =>
      sys.exists(`${path}/events/sched`)
    );
    const config = Number(sys.readTextFile(`${root}/events/sched/sched_process_exec/id`));
    using event = sys.perfEventOpen({ type: PerfType.PERF_TYPE_TRACEPOINT, config }, { cpu: 0 });
    using prog = loadReturning(0, BpfProgType.BPF_PROG_TYPE_TRACEPOINT);
    {
      using link = sys.linkCreate({
        progFd: prog.value,
        targetFd: event.value,
        attachType: BpfAttachType.BPF_PERF_EVENT,
      });
      const info = sys.linkInfo(link.value);
      assert(info.kind === "perf_event");
      if (info.event.kind === "tracepoint") assertEquals(info.event.tpName, "sched_process_exec");
      assertEquals(sys.perfEventQueryBpf(event.value), Uint32Array.of(sys.progInfo(prog.value).id));
    }
    sys.perfEventSetBpf(event.value, prog.value);
    sys.perfEventEnable(event.value);
    const query = sys.taskFdQuery(Deno.pid, event.value);
    assertEquals([query.name, query.progId], ["sched_process_exec", sys.progInfo(prog.value).id]);
    sys.perfEventDisable(event.value);
  },
});

Deno.test({
  name: "perfEventId() tells events apart",
  ...BPF,
  fn() {
    using first = dummyEvent();
    using second = dummyEvent();
    assertGreater(sys.perfEventId(second.value), sys.perfEventId(first.value));
  },
});

Deno.test({
  name: "perfEventOpen() of an unknown type says what may be missing",
  ...BPF,
  fn() {
    const error = assertThrows(() => sys.perfEventOpen({ type: 0x7fff_ffff }, { cpu: 0 }), SyscallError);
    assert(
      error.message.startsWith("perf_event_open(): ENOENT (no such file or object): this machine has no such event"),
    );
  },
});
