/**
 * Programs of traffic control see packets of devices of their own, in the order asked for: tcx, netkit, classic classifiers.
 *
 * @module
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { type Anchor, attachNetkit, attachTc, attachTcx, type Link, queryHook } from "../../ffi/attach/mod.ts";
import * as sys from "../../ffi/sys/mod.ts";
import { UnsupportedError } from "../../lib/errors.ts";
import { BpfAttachType, BpfCmd } from "../../lib/uapi/mod.ts";
import { failBpf } from "../ffi/sys/inject.ts";
import { needs, openFds, shows } from "../support/mod.ts";
import {
  addAddress,
  deleteDevice,
  inNetns,
  ipv4,
  LOCALHOST,
  makeNetkit,
  makeVeth,
  TestSocket,
} from "../support/net.ts";
import { NetworkPrograms } from "./network.ts";
import { COMPILERS } from "./support.ts";

const PORT = 7777;
const LO = { interface: "lo", direction: "ingress" } as const;
const INGRESS = { interface: "lo", attachType: BpfAttachType.BPF_TCX_INGRESS } as const;
const TCX_PASS = 0;
const TCX_DROP = 2;
const TC_ACT_SHOT = 2;

/** Runs `test` in a network namespace; `send` sends a packet by the loopback device and says whether it came. */
function withLoopback(test: (send: (text?: string) => boolean) => void): void {
  inNetns(() => {
    using receiver = TestSocket.udp(PORT);
    using sender = TestSocket.udp(0);
    test((text = "hello") => {
      sender.send(text, ipv4(LOCALHOST, PORT));
      // By the loopback device a packet is there when sending is done.
      return receiver.receiveText(true) === text;
    });
  });
}

for (const compiler of COMPILERS) {
  Deno.test({
    ...shows("tcx/ingress", `runs in the order asked for; ${compiler}`),
    ...needs({ features: ["tcx"] }),
    fn: () =>
      withLoopback((send) => {
        using programs = new NetworkPrograms(compiler, "tcx_first", "tcx_second", "tcx_third");
        const [first, second, third] = ["first", "second", "third"].map((name) => programs.program(`tcx_${name}`));
        using base = attachTcx(second!, { interface: "lo" });
        const info = base.info();
        assert(info.kind === "tcx");
        assertEquals([info.ifindex, info.attachType], [1, BpfAttachType.BPF_TCX_INGRESS]);
        const places: [Anchor, "link" | "link id" | "program" | "program id" | "all"][] = [
          [base, "link"],
          [{ linkId: base.id }, "link id"],
          [second!, "program"],
          [{ programId: second!.id }, "program id"],
        ];
        for (const [anchor, how] of places) {
          using _before = attachTcx(first!, { ...LO, before: anchor });
          using _after = attachTcx(third!, { ...LO, after: anchor });
          assert(send());
          assertEquals(programs.takeOrder(), [1, 2, 3], how);
        }
        {
          using _last = attachTcx(first!, { ...LO, after: "all" });
          using _first = attachTcx(third!, { ...LO, before: "all" });
          assert(send());
          assertEquals(programs.takeOrder(), [3, 2, 1]);
          programs.set("tcx_result", TCX_PASS);
          assert(send());
          assertEquals(programs.takeOrder(), [3]);
          programs.set("tcx_result", TCX_DROP);
          assert(!send());
          programs.set("tcx_result", -1);
          programs.takeOrder();
        }
        assert(send());
        assertEquals(programs.takeOrder(), [2]);
        base.close();
        assert(send());
        assertEquals([programs.takeOrder(), queryHook(INGRESS).programs], [[], []]);
      }),
  });
}

Deno.test({
  ...shows("tcx/ingress", "is placed only while the list has the expected revision"),
  ...needs({ features: ["tcx"] }),
  fn: () =>
    withLoopback((send) => {
      using programs = new NetworkPrograms("clang19", "tcx_first", "tcx_second");
      const [first, second] = [programs.program("tcx_first"), programs.program("tcx_second")];
      using one = attachTcx(first, { ...LO });
      const { revision, programs: listed } = queryHook(INGRESS);
      assertEquals(listed, [{ id: first.id, linkId: one.id, flags: 0 }]);
      const stale = { ...LO, expectedRevision: revision - 1n };
      assertEquals(assertThrows(() => attachTcx(second, stale), sys.SyscallError).code, "ESTALE");
      using two = attachTcx(second, { ...LO, before: "all", expectedRevision: revision });
      assertEquals(queryHook(INGRESS).programs.map(({ linkId }) => linkId), [two.id, one.id]);
      assert(queryHook(INGRESS).revision > revision);
      assert(send());
      assertEquals(programs.takeOrder(), [2, 1]);
    }),
});

Deno.test({
  ...shows("attachTcx() without a link", "is placed, replaced as expected, and detached"),
  ...needs({ features: ["tcx"] }),
  fn: () =>
    withLoopback((send) => {
      using programs = new NetworkPrograms("clang19", "tcx_first", "tcx_second", "tcx_third");
      const [first, second, third] = ["first", "second", "third"].map((name) => programs.program(`tcx_${name}`));
      const before = openFds().size;
      const link = attachTcx(first!, { ...LO, link: false });
      const other = attachTcx(second!, { ...LO, link: false, before: first! });
      assert(send());
      assertEquals([programs.takeOrder(), link.linkCount], [[2, 1], 0]);
      assertThrows(() => link.update(third!, { expected: second! }), sys.SyscallError);
      link.update(third!, { expected: first! });
      assert(send());
      assertEquals([programs.takeOrder(), link.program], [[2, 3], "tcx_third"]);
      link.close();
      assertEquals(queryHook(INGRESS).programs, [{ id: second!.id, linkId: 0, flags: 0 }]);
      other.close();
      assertEquals([queryHook(INGRESS).programs, openFds().size], [[], before]);
    }),
});

Deno.test({
  ...shows("tcx/egress", "sees the length of a packet that goes out"),
  ...needs({ features: ["tcx"] }),
  fn: () =>
    withLoopback((send) => {
      using programs = new NetworkPrograms("clang19", "tcx_out");
      using _link = attachTcx(programs.program("tcx_out"), { interface: "lo" });
      assert(send("12345"));
      assertEquals([programs.count("tcx_out"), programs.get("last_length")], [1, 14 + 20 + 8 + 5]);
    }),
});

Deno.test({
  ...shows("tc", "sees packets as a classic classifier, by priority, and drops; the qdisc goes with the last"),
  ...needs({ features: ["clsact"] }),
  fn: () =>
    withLoopback((send) => {
      using programs = new NetworkPrograms("clang19", "classify", "classify_other");
      const before = sys.qdiscs(1);
      assert(!before.includes("clsact"));
      const late = attachTc(programs.program("classify"), { ...LO, priority: 20, handle: 7 });
      const early = attachTc(programs.program("classify_other"), { ...LO, priority: 10 });
      assertEquals([late.kind, early.kind, late.linkCount], ["tc", "tc", 0]);
      assertEquals(late.target, `interface "lo" ingress priority 20 handle 7`);
      assertEquals(sys.tcFilters(1, "ingress"), [
        {
          direction: "ingress",
          priority: 10,
          handle: 1,
          protocol: 3,
          name: "classify_other",
          progId: programs.program("classify_other").id,
          directAction: true,
        },
        {
          direction: "ingress",
          priority: 20,
          handle: 7,
          protocol: 3,
          name: "classify",
          progId: programs.program("classify").id,
          directAction: true,
        },
      ]);
      assert(send("12345"));
      assertEquals([programs.takeOrder(), programs.get("last_length")], [[5, 4], 14 + 20 + 8 + 5]);
      programs.set("tc_result", TC_ACT_SHOT);
      assert(!send());
      early.close();
      assert(sys.qdiscs(1).includes("clsact"));
      programs.takeOrder();
      assert(!send());
      assertEquals(programs.takeOrder(), [4]);
      late.close();
      assertEquals(sys.qdiscs(1), before);
      assert(send());
      assertEquals(programs.takeOrder(), []);
    }),
});

Deno.test({
  ...shows("tc", "is replaced, by the link and by priority and handle"),
  ...needs({ features: ["clsact"] }),
  fn: () =>
    withLoopback((send) => {
      using programs = new NetworkPrograms("clang19", "classify", "classify_other");
      const [one, other] = [programs.program("classify"), programs.program("classify_other")];
      const place = { ...LO, direction: "egress", priority: 5, handle: 1 } as const;
      using link = attachTc(one, place);
      assertEquals(assertThrows(() => attachTc(other, place), sys.SyscallError).code, "EEXIST");
      assertThrows(() => link.update(other, { expected: other }), Error, "not the expected program");
      link.update(other, { expected: one });
      assert(send());
      assertEquals([programs.takeOrder(), link.program], [[5], "classify_other"]);
      using second = attachTc(one, { ...place, replace: true });
      assert(send());
      assertEquals([programs.takeOrder(), second.program], [[4], "classify"]);
      assertEquals(sys.tcFilters(1, "egress").length, 1);
    }),
});

Deno.test({
  ...shows("attachTc() by tcx", "takes a link where the kernel has tcx"),
  ...needs({ features: ["tcx"] }),
  fn: () =>
    withLoopback((send) => {
      using programs = new NetworkPrograms("clang19", "classify");
      using link = attachTc(programs.program("classify"), LO);
      assertEquals([link.kind, link.info().kind], ["tcx", "tcx"]);
      assert(send());
      assertEquals(programs.takeOrder(), [4]);
      assertEquals(sys.tcFilters(1, "ingress"), []);
    }),
});

Deno.test({
  ...shows("tc", "is attached as a classic classifier where the kernel has no tcx"),
  ...needs({ features: ["clsact"] }),
  fn: () =>
    withLoopback((send) => {
      using programs = new NetworkPrograms("clang19", "classify");
      const program = programs.program("classify");
      using _create = failBpf(BpfCmd.BPF_LINK_CREATE, sys.Errno.EINVAL);
      using _query = failBpf(BpfCmd.BPF_PROG_QUERY, sys.Errno.EINVAL);
      const error = assertThrows(() => attachTcx(program, LO), UnsupportedError);
      assertEquals([error.since, error.message], [
        "6.6",
        `program "classify": this kernel has no tcx (Linux 6.6): use attachTc()`,
      ]);
      const link = attachTc(program, LO);
      assertEquals(link.kind, "tc");
      assert(send());
      assertEquals(programs.takeOrder(), [4]);
      link.close();
      assertEquals(sys.qdiscs(1).includes("clsact"), false);
    }),
});

Deno.test({
  ...shows("action", "runs for each packet, as the action of a classifier"),
  ...needs({ features: ["bpfActions"] }),
  fn: () =>
    withLoopback((send) => {
      using programs = new NetworkPrograms("clang19", "act");
      const link = attachTc(programs.program("act"), LO);
      assertEquals(link.kind, "action");
      assert(send("12345"));
      assertEquals([programs.count("act"), programs.get("last_length")], [1, 14 + 20 + 8 + 5]);
      link.close();
      assert(send());
      assertEquals([programs.count("act"), sys.qdiscs(1).includes("clsact")], [1, false]);
    }),
});

for (const compiler of COMPILERS) {
  Deno.test({
    ...shows("netkit/primary", `sees what the primary device sends; ${compiler}`),
    ...needs({ features: ["netkit"] }),
    fn: () =>
      inNetns(() => {
        makeNetkit("n0", "n1");
        addAddress("n0", [10, 8, 0, 1], 24);
        using programs = new NetworkPrograms(compiler, "netkit_primary", "netkit_peer");
        using primary = attachNetkit(programs.program("netkit_primary"), { interface: "n0" });
        using peer = attachNetkit(programs.program("netkit_peer"), { interface: "n0" });
        const info = primary.info();
        assert(info.kind === "netkit");
        assertEquals([info.ifindex, info.attachType, peer.kind], [
          sys.networkDevice("n0").ifindex,
          BpfAttachType.BPF_NETKIT_PRIMARY,
          "netkit",
        ]);
        using sender = TestSocket.udp(0, [10, 8, 0, 1]);
        const before = programs.count("netkit_primary");
        sender.send("12345", ipv4([10, 8, 0, 2], PORT));
        assertEquals(programs.count("netkit_primary"), before + 1);
        // Also in layer 3 a packet has the room of an Ethernet header before it.
        assertEquals(programs.get("last_length"), 14 + 20 + 8 + 5);
      }),
  });
}

Deno.test({
  ...shows("netkit/peer", "sees what the peer sends, and nothing else"),
  ...needs({ features: ["netkit"] }),
  fn: () =>
    inNetns(() => {
      makeNetkit("n0", "n1");
      addAddress("n0", [10, 8, 0, 1], 24);
      addAddress("n1", [10, 7, 0, 1], 24);
      using programs = new NetworkPrograms("clang19", "netkit_peer");
      using _link = attachNetkit(programs.program("netkit_peer"), { interface: "n0" });
      using primary = TestSocket.udp(0, [10, 8, 0, 1]);
      using peer = TestSocket.udp(0, [10, 7, 0, 1]);
      const before = programs.count("netkit_peer");
      primary.send("12345", ipv4([10, 8, 0, 2], PORT));
      assertEquals(programs.count("netkit_peer"), before);
      peer.send("12345", ipv4([10, 7, 0, 2], PORT));
      assertEquals(programs.count("netkit_peer"), before + 1);
    }),
});

Deno.test({
  ...shows("netkit/primary", "is placed before another by its link"),
  ...needs({ features: ["netkit"] }),
  fn: () =>
    inNetns(() => {
      makeNetkit("n0", "n1");
      addAddress("n0", [10, 8, 0, 1], 24);
      using programs = new NetworkPrograms("clang19", "netkit_primary");
      using others = new NetworkPrograms("clang19", "netkit_primary");
      using sender = TestSocket.udp(0, [10, 8, 0, 1]);
      using base = attachNetkit(programs.program("netkit_primary"), { interface: "n0" });
      using first = attachNetkit(others.program("netkit_primary"), { interface: "n0", before: base });
      others.set("tcx_result", TCX_DROP);
      programs.takeOrder();
      others.takeOrder();
      sender.send("12345", ipv4([10, 8, 0, 2], PORT));
      assertEquals([programs.takeOrder(), others.takeOrder()], [[], [6]]);
      const hook = { interface: "n0", attachType: BpfAttachType.BPF_NETKIT_PRIMARY } as const;
      assertEquals(queryHook(hook).programs.map(({ linkId }) => linkId), [first.id, base.id]);
    }),
});

Deno.test({
  name: "attachTcx() and attachTc() name the program and the device that is not there",
  ...needs({ features: ["tcx", "clsact"] }),
  fn: () =>
    inNetns(() => {
      using programs = new NetworkPrograms("clang19", "tcx_first", "classify");
      const before = openFds().size;
      const tcx = () => attachTcx(programs.program("tcx_first"), { interface: "eth7" });
      const tc = () =>
        attachTc(programs.program("classify"), { interface: "eth7", direction: "ingress", classic: true });
      for (const [attach, place] of [[tcx, "tcx ingress"], [tc, "tc ingress"]] as const) {
        const error = assertThrows(attach, sys.SyscallError);
        assertEquals(error.code, "ENODEV");
        assert(error.message.includes(`, ${place} of interface "eth7": `), error.message);
      }
      assertThrows(
        () => attachTcx(programs.program("classify"), { interface: "lo" }),
        TypeError,
        `"ingress" or "egress"`,
      );
      assertEquals(openFds().size, before);
    }),
});

Deno.test({
  name: "attachTc(): a device that is gone is no error when the link is closed; another's qdisc stays",
  ...needs({ features: ["veth", "clsact"] }),
  fn: () =>
    inNetns(() => {
      makeVeth("v0", "v1");
      using programs = new NetworkPrograms("clang19", "classify");
      const program = programs.program("classify");
      const before = openFds().size;
      const options = { direction: "ingress", classic: true } as const;
      const link: Link = attachTc(program, { ...options, interface: "v0" });
      deleteDevice("v0");
      link.close();
      sys.clsactAdd(1);
      attachTc(program, { ...options, interface: "lo" }).close();
      assert(sys.qdiscs(1).includes("clsact"));
      assertEquals(openFds().size, before);
    }),
});
