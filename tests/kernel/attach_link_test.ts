/**
 * Links as objects: updated, detached, pinned, opened again; what is gone is told.
 *
 * @module
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  attachCgroup,
  attachFlowDissector,
  attachRawTracepoint,
  attachTcx,
  attachTracing,
  attachXdp,
  Link,
  updateOrAttach,
} from "../../ffi/attach/mod.ts";
import * as sys from "../../ffi/sys/mod.ts";
import { UnsupportedError } from "../../lib/errors.ts";
import { pinFolder } from "../ffi/pin/pin_folder.ts";
import { TestCgroup } from "../support/cgroup.ts";
import { needs, openFds } from "../support/mod.ts";
import { deleteDevice, inNetns, ipv4, LOCALHOST, makeVeth, networkOrder, TestSocket } from "../support/net.ts";
import { NetworkPrograms } from "./network.ts";
import { objectSpec } from "./support.ts";
import { Collection } from "../../ffi/collection/mod.ts";

const PORT = 7777;

/** Sends a packet by the loopback device that XDP programs watch for. */
function sendOne(): void {
  using receiver = TestSocket.udp(PORT);
  using sender = TestSocket.udp(0);
  sender.send("four", ipv4(LOCALHOST, PORT));
  assertEquals(receiver.receiveText(), "four");
}

function xdpPrograms(): NetworkPrograms {
  const programs = new NetworkPrograms("clang19", "xdp_count", "xdp_other");
  programs.set("watched_port", networkOrder(PORT));
  return programs;
}

Deno.test({
  name: "Link.update() puts another program in the place of the expected one, and changes nothing otherwise",
  ...needs({ bpf: true }),
  fn: () =>
    inNetns(() => {
      using programs = xdpPrograms();
      const [count, other] = [programs.program("xdp_count"), programs.program("xdp_other")];
      using link = attachXdp(count, { interface: "lo" });
      const error = assertThrows(() => link.update(other, { expected: other }), sys.SyscallError);
      assertEquals(error.code, "EPERM");
      assertEquals(
        error.message,
        `link of program "xdp_count" (xdp interface "lo"): bpf(BPF_LINK_UPDATE): EPERM (operation not permitted): another ` +
          "program than the expected one is attached",
      );
      assertEquals([link.info().progId, link.program], [count.id, "xdp_count"]);
      link.update(other, { expected: count });
      assertEquals([link.info().progId, link.program], [other.id, "xdp_other"]);
      sendOne();
      assertEquals([programs.count("xdp_count"), programs.count("xdp_other")], [0, 1]);
      link.update(count);
      sendOne();
      assertEquals([programs.count("xdp_count"), programs.count("xdp_other")], [1, 1]);
      using wrong = new NetworkPrograms("clang19", "filter");
      assertThrows(() => link.update(wrong.program("filter")), sys.SyscallError, "not of the type");
    }),
});

Deno.test({
  name: "Link.update(), detach() and pin() say what the kernel cannot do for a kind",
  ...needs({ bpf: true, btf: true }),
  fn: () => {
    const spec = objectSpec("clang19", "tracepoints");
    for (const program of spec.programs.values()) program.autoload = ["raw_exec", "btf_exec"].includes(program.name);
    using collection = Collection.load(spec);
    const program = collection.program("raw_exec");
    {
      using typed = attachTracing(collection.program("btf_exec"), "sched_process_exec");
      using again = Link.open(typed.id);
      assertEquals([again.kind, again.target, again.program], ["trace", "sched_process_exec", "btf_exec"]);
    }
    using link = attachRawTracepoint(program, "sched_process_exec");
    assertThrows(() => link.update(program), UnsupportedError, "cannot replace the program of a raw_tracepoint link");
    assertThrows(() => link.detach(), UnsupportedError, "close it, and remove its pins");
    const info = link.info();
    assert(info.kind === "raw_tracepoint");
    assertEquals([info.tpName, link.detached, link.linkCount], ["sched_process_exec", false, 1]);
  },
});

Deno.test({
  name: "Link.open() and Link.all() find a link by its id, with kind and target",
  ...needs({ bpf: true }),
  fn: () =>
    inNetns(() => {
      using programs = xdpPrograms();
      const before = openFds().size;
      {
        using link = attachXdp(programs.program("xdp_count"), { interface: "lo" });
        {
          using again = Link.open(link.id);
          assertEquals([again.kind, again.target, again.program, again.id], ["xdp", "ifindex 1", "xdp_count", link.id]);
        }
        const found: string[] = [];
        for (using one of Link.all()) if (one.id === link.id) found.push(`${one.kind} ${one.program}`);
        assertEquals(found, ["xdp xdp_count"]);
        // The opened ones were closed: this one alone holds it.
        const { id } = link;
        link.close();
        assertEquals(assertThrows(() => Link.open(id), sys.SyscallError).code, "ENOENT");
      }
      assertEquals(openFds().size, before);
      const file = sys.open("/proc/self/status");
      assertThrows(() => Link.fromFd(file), TypeError, "not a link");
      assert(file.closed);
    }),
});

Deno.test({
  name: "Link.pin() keeps it attached; Link.openPinned() opens it, also to detach it for all",
  ...needs({ bpf: true, bpffs: true }),
  fn: () =>
    inNetns(() => {
      using folder = pinFolder();
      const path = `${folder.path}/link`;
      using programs = xdpPrograms();
      const link = attachXdp(programs.program("xdp_count"), { interface: "lo" });
      link.pin(path, { makeDirs: true });
      link.close();
      sendOne();
      assertEquals(programs.count("xdp_count"), 1);
      using pinned = Link.openPinned(path);
      assertEquals([pinned.kind, pinned.program, pinned.detached], ["xdp", "xdp_count", false]);
      pinned.detach();
      assertEquals(pinned.detached, true);
      sendOne();
      assertEquals(programs.count("xdp_count"), 1);
      assertThrows(() => Link.openPinned(`${folder.path}/none`), sys.SyscallError, "nothing is pinned there");
      programs.program("xdp_count").pin(`${folder.path}/program`);
      assertThrows(() => Link.openPinned(`${folder.path}/program`), TypeError, "not a link");
    }),
});

Deno.test({
  name: "a pinned link whose device is gone tells ENOLINK, and updateOrAttach() replaces it",
  ...needs({ bpffs: true, features: ["veth"] }),
  fn: () =>
    inNetns(() => {
      using folder = pinFolder();
      const path = `${folder.path}/link`;
      using programs = xdpPrograms();
      const [count, other] = [programs.program("xdp_count"), programs.program("xdp_other")];
      const before = openFds().size;
      makeVeth("v0", "v1");
      const attach = () => attachXdp(count, { interface: "v0" });
      const first = updateOrAttach(path, count, attach, { makeDirs: true });
      assertEquals([first.how, first.link.program], ["attached", "xdp_count"]);
      first.link.close();
      const second = updateOrAttach(path, other, attach);
      assertEquals([second.how, second.link.program, second.link.info().progId], ["updated", "xdp_other", other.id]);
      deleteDevice("v0");
      assertEquals(second.link.detached, true);
      const error = assertThrows(() => second.link.update(count), sys.SyscallError);
      assertEquals(error.code, "ENOLINK");
      assert(/is gone, or it was detached: attach the program anew/.test(error.message), error.message);
      second.link.close();
      makeVeth("v0", "v1");
      const third = updateOrAttach(path, count, attach);
      assertEquals([third.how, third.link.detached], ["replaced", false]);
      third.link.close();
      {
        using pinned = Link.openPinned(path);
        assertEquals(pinned.info().progId, count.id);
      }
      assertEquals(sys.networkDevice("v0").xdp.native, count.id);
      assertEquals(openFds().size, before);
    }),
});

Deno.test({
  name: "Link.detached tells of each kind that was detached",
  ...needs({ features: ["tcx"] }),
  fn: () =>
    inNetns(() => {
      using programs = new NetworkPrograms("clang19", "tcx_first", "dissect");
      const spec = objectSpec("clang19", "cgroup");
      for (const program of spec.programs.values()) program.autoload = program.name === "ingress";
      using collection = Collection.load(spec);
      using cgroup = new TestCgroup();
      const links = [
        attachTcx(programs.program("tcx_first"), { interface: "lo" }),
        attachFlowDissector(programs.program("dissect")),
        attachCgroup(collection.program("ingress"), { path: cgroup.name }),
      ];
      for (const link of links) {
        using _ = link;
        assertEquals(link.detached, false);
        using again = Link.open(link.id);
        assertEquals(again.kind, link.kind);
        link.detach();
        assertEquals([link.detached, again.detached], [true, true], link.kind);
      }
    }),
});
