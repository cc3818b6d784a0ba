/**
 * XDP programs see frames of devices of their own: with and without links, in each mode, replaced, redirecting.
 *
 * @module
 */
import { assertEquals, assertThrows } from "@std/assert";
import { attachXdp, type Link } from "../../ffi/attach/mod.ts";
import * as sys from "../../ffi/sys/mod.ts";
import { UnsupportedError } from "../../lib/errors.ts";
import { BpfCmd } from "../../lib/uapi/mod.ts";
import { failBpf } from "../ffi/sys/inject.ts";
import { needs, openFds, shows } from "../support/mod.ts";
import {
  addAddress,
  deleteDevice,
  hardwareAddress,
  inNetns,
  ipv4,
  LOCALHOST,
  makeVeth,
  networkOrder,
  sendFrame,
  setMtu,
  TestSocket,
  waitFor,
} from "../support/net.ts";
import { NetworkPrograms } from "./network.ts";
import { COMPILERS } from "./support.ts";

const PORT = 7777;
const OWN = [10, 9, 0, 1];
const PEER = [10, 9, 0, 2];
const PAYLOAD = Uint8Array.of(1, 2, 3, 4, 5);
/** Its first 4 bytes. */
const PAYLOAD_WORD = 0x04030201;
const XDP_DROP = 1;

/** Runs `test` beside a pair of devices; what `send` sends out of "v1" comes in by "v0", where a socket waits for it. */
function withVeth(test: (network: { socket: TestSocket; send: (payload?: Uint8Array) => void }) => void): void {
  inNetns(() => {
    makeVeth("v0", "v1");
    addAddress("v0", OWN, 24);
    using socket = TestSocket.udp(PORT, OWN);
    const to = hardwareAddress("v0");
    const send = (payload: Uint8Array = PAYLOAD) =>
      sendFrame("v1", { to, source: PEER, destination: OWN, port: PORT, payload });
    test({ socket, send });
  });
}

function watching(compiler: string, ...names: string[]): NetworkPrograms {
  const programs = new NetworkPrograms(compiler, ...names);
  programs.set("watched_port", networkOrder(PORT));
  return programs;
}

function xdpOf(device: string): sys.XdpPrograms {
  return sys.networkDevice(device).xdp;
}

const NONE: sys.XdpPrograms = { native: 0, generic: 0, hardware: 0 };

for (const compiler of COMPILERS) {
  Deno.test({
    ...shows("attachXdp() native", `sees a frame's payload, drops when told to; ${compiler}`),
    ...needs({ features: ["veth"] }),
    fn: () =>
      withVeth(({ socket, send }) => {
        using programs = watching(compiler, "xdp_count");
        using link = attachXdp(programs.program("xdp_count"), { interface: "v0", mode: "native" });
        const { id } = programs.program("xdp_count").info();
        assertEquals(xdpOf("v0"), { ...NONE, native: id });
        const info = link.info();
        assertEquals([link.kind, info.kind, info.kind === "xdp" && info.ifindex, info.progId], [
          "xdp",
          "xdp",
          sys.networkDevice("v0").ifindex,
          id,
        ]);
        send();
        assertEquals(socket.receive(), PAYLOAD);
        assertEquals([programs.count("xdp_count"), programs.get("last_payload")], [1, PAYLOAD_WORD]);
        programs.set("xdp_result", XDP_DROP);
        send();
        waitFor("the second frame", () => programs.count("xdp_count") === 2);
        assertEquals(socket.receive(true), undefined);
        link.close();
        assertEquals(xdpOf("v0"), NONE);
        send();
        assertEquals(socket.receive(), PAYLOAD);
        assertEquals(programs.count("xdp_count"), 2);
      }),
  });
}

Deno.test({
  ...shows("attachXdp() generic", "sees a packet on the loopback device"),
  ...needs({ bpf: true }),
  fn: () =>
    inNetns(() => {
      using programs = watching("clang19", "xdp_count");
      using socket = TestSocket.udp(PORT);
      using sender = TestSocket.udp(0);
      using _link = attachXdp(programs.program("xdp_count"), { interface: "lo", mode: "generic" });
      assertEquals(xdpOf("lo"), { ...NONE, generic: programs.program("xdp_count").id });
      sender.send("hello", ipv4(LOCALHOST, PORT));
      assertEquals(socket.receiveText(), "hello");
      assertEquals(programs.count("xdp_count"), 1);
    }),
});

Deno.test({
  ...shows("attachXdp() without a link", "is replaced only as expected, and taken away with the link"),
  ...needs({ bpf: true }),
  fn: () =>
    inNetns(() => {
      using programs = watching("clang19", "xdp_count", "xdp_other");
      using socket = TestSocket.udp(PORT);
      using sender = TestSocket.udp(0);
      const [count, other] = [programs.program("xdp_count"), programs.program("xdp_other")];
      const pass = () => {
        sender.send("four", ipv4(LOCALHOST, PORT));
        assertEquals(socket.receiveText(), "four");
        return [programs.count("xdp_count"), programs.count("xdp_other")];
      };
      const options = { interface: "lo", mode: "generic" } as const;
      const link = attachXdp(count, { ...options, link: false });
      assertEquals([link.linkCount, xdpOf("lo").generic], [0, count.id]);
      assertEquals(pass(), [1, 0]);
      assertThrows(() => attachXdp(other, { ...options, link: false }), sys.SyscallError, "EBUSY");
      assertThrows(() => attachXdp(other, { ...options, replace: other }), sys.SyscallError, "EEXIST");
      assertThrows(() => link.update(other, { expected: other }), sys.SyscallError, "EPERM");
      link.update(other, { expected: count });
      assertEquals([link.program, xdpOf("lo").generic], ["xdp_other", other.id]);
      assertEquals(pass(), [1, 1]);
      // Somebody else takes its place: what he attached is not taken away.
      using second = attachXdp(count, { ...options, replace: other });
      assertEquals(pass(), [2, 1]);
      link.close();
      assertEquals(xdpOf("lo").generic, count.id);
      second.close();
      assertEquals(xdpOf("lo"), NONE);
    }),
});

Deno.test({
  ...shows("xdp.frags", "sees a frame on a device whose frames do not fit a page, which other programs are refused"),
  ...needs({ features: ["veth", "xdpFrags"] }),
  fn: () =>
    withVeth(({ socket, send }) => {
      setMtu("v0", 9000);
      setMtu("v1", 9000);
      using programs = watching("clang19", "xdp_with_frags", "xdp_count");
      const options = { interface: "v0", mode: "native" } as const;
      assertThrows(() => attachXdp(programs.program("xdp_count"), options), sys.SyscallError);
      using _link = attachXdp(programs.program("xdp_with_frags"), options);
      const payload = new Uint8Array(8000).fill(7);
      send(payload);
      assertEquals(socket.receive(), payload);
      assertEquals(programs.count("xdp_with_frags"), 1);
    }),
});

Deno.test({
  ...shows("xdp/devmap", "runs for frames that leave by the device of a map's element"),
  ...needs({ features: ["veth"] }),
  fn: () =>
    inNetns(() => {
      makeVeth("v0", "v1");
      makeVeth("w0", "w1");
      using programs = watching("clang19", "xdp_to_devmap", "xdp_on_device", "xdp_count");
      const out = sys.networkDevice("w0").ifindex;
      const device = { ifindex: out, program: programs.program("xdp_on_device").fd };
      programs.collection.map("devices").set(0, device);
      using _in = attachXdp(programs.program("xdp_to_devmap"), { interface: "v0", mode: "native" });
      // The other end has to take frames in the driver, or nothing is sent on.
      using _out = attachXdp(programs.program("xdp_count"), { interface: "w1", mode: "native" });
      sendFrame("v1", { to: hardwareAddress("v0"), source: PEER, destination: OWN, port: PORT, payload: PAYLOAD });
      waitFor("the frame at w1", () => programs.count("xdp_count") === 1);
      assertEquals([programs.count("xdp_to_devmap"), programs.count("xdp_on_device")], [1, 1]);
      assertEquals([programs.get("last_egress"), programs.get("last_payload")], [out, PAYLOAD_WORD]);
    }),
});

Deno.test({
  ...shows("xdp/cpumap", "runs for frames that go on on the CPU of a map's element"),
  ...needs({ features: ["veth"] }),
  fn: () =>
    withVeth(({ socket, send }) => {
      using programs = watching("clang19", "xdp_to_cpumap", "xdp_on_cpu");
      programs.collection.map("cpus").set(0, { queue_size: 64, program: programs.program("xdp_on_cpu").fd });
      using _link = attachXdp(programs.program("xdp_to_cpumap"), { interface: "v0", mode: "native" });
      send();
      assertEquals(socket.receive(), PAYLOAD);
      assertEquals([programs.count("xdp_to_cpumap"), programs.count("xdp_on_cpu")], [1, 1]);
    }),
});

Deno.test({
  ...shows("attachXdp() without a link", "is attached where the kernel has no links of XDP"),
  ...needs({ bpf: true }),
  fn: () =>
    inNetns(() => {
      using programs = watching("clang19", "xdp_count");
      using socket = TestSocket.udp(PORT);
      using sender = TestSocket.udp(0);
      using _ = failBpf(BpfCmd.BPF_LINK_CREATE, sys.Errno.EINVAL);
      const link = attachXdp(programs.program("xdp_count"), { interface: "lo", mode: "generic" });
      assertEquals(link.linkCount, 0);
      sender.send("four", ipv4(LOCALHOST, PORT));
      assertEquals([socket.receiveText(), programs.count("xdp_count")], ["four", 1]);
      assertThrows(() => link.info(), UnsupportedError, "without a BPF link");
      link.close();
      assertEquals(xdpOf("lo"), NONE);
    }),
});

Deno.test({
  name: "attachXdp() names a device that is not there, and a second program on a device",
  ...needs({ bpf: true }),
  fn: () =>
    inNetns(() => {
      using programs = watching("clang19", "xdp_count", "xdp_other");
      const program = programs.program("xdp_count");
      const before = openFds().size;
      const missing = assertThrows(() => attachXdp(program, { interface: "eth7" }), sys.SyscallError);
      assertEquals(missing.code, "ENODEV");
      assertEquals(missing.message.startsWith(`program "xdp_count", XDP on interface "eth7": `), true, missing.message);
      using _link = attachXdp(program, { interface: "lo" });
      const taken = assertThrows(
        () => attachXdp(programs.program("xdp_other"), { interface: "lo" }),
        sys.SyscallError,
      );
      assertEquals(["EBUSY", "EEXIST"].includes(taken.code), true, taken.message);
      assertEquals(openFds().size, before + 1);
    }),
});

Deno.test({
  name: "attachXdp() without a link: a device that is gone is no error when the link is closed",
  ...needs({ features: ["veth"] }),
  fn: () =>
    inNetns(() => {
      makeVeth("v0", "v1");
      using programs = watching("clang19", "xdp_count");
      const before = openFds().size;
      const link: Link = attachXdp(programs.program("xdp_count"), { interface: "v0", link: false });
      deleteDevice("v0");
      link.close();
      assertEquals(openFds().size, before);
    }),
});
