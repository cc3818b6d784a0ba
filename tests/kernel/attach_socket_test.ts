/**
 * Programs of sockets, sockmaps, network namespaces, netfilter and routes, with real connections and packets.
 *
 * @module
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  attachFlowDissector,
  attachLwt,
  attachNetfilter,
  attachReuseport,
  attachSkLookup,
  attachSocketFilter,
  attachSockmap,
  attachXdp,
  queryHook,
} from "../../ffi/attach/mod.ts";
import { parseAddress } from "../../ffi/attach/ip_address.ts";
import * as sys from "../../ffi/sys/mod.ts";
import { BpfAttachType, BpfCmd } from "../../lib/uapi/mod.ts";
import { failBpf } from "../ffi/sys/inject.ts";
import { needs, openFds, shows } from "../support/mod.ts";
import {
  addAddress,
  addNeighbour,
  hardwareAddress,
  inNetns,
  ipv4,
  LOCALHOST,
  makeVeth,
  networkOrder,
  sendBytes,
  sendFrame,
  tcpPair,
  TestSocket,
  waitFor,
} from "../support/net.ts";
import { NetworkPrograms } from "./network.ts";
import { COMPILERS } from "./support.ts";

const PORT = 7777;
/** A port that no socket is bound to. */
const OTHER_PORT = 7778;

/** Puts a socket into a sockmap or an array of sockets. */
function putSocket(programs: NetworkPrograms, map: string, index: number, socket: TestSocket): void {
  const value = new Uint8Array(BigUint64Array.of(BigInt(socket.fd)).buffer);
  programs.collection.map(map).raw.set(new Uint8Array(Uint32Array.of(index).buffer), value);
}

/** Takes the socket out of the sockmap, and puts it in again. */
function putAgain(programs: NetworkPrograms, socket: TestSocket): void {
  programs.collection.map("sockets").raw.delete(new Uint8Array(4));
  putSocket(programs, "sockets", 0, socket);
}

/** Lets sockets share a port (`SO_REUSEPORT`), then binds them. */
function sharing(count: number, port: number): TestSocket[] {
  return Array.from({ length: count }, () => {
    const socket = TestSocket.open(2, 2);
    sys.setSocketOption(socket.fd, 1, 15, 1);
    socket.bind(ipv4(LOCALHOST, port));
    return socket;
  });
}

for (const compiler of COMPILERS) {
  Deno.test({
    ...shows("sk_lookup", `gives packets and connections to a socket of another port; ${compiler}`),
    ...needs({ bpf: true }),
    fn: () =>
      inNetns(() => {
        using programs = new NetworkPrograms(compiler, "choose_socket");
        using udp = TestSocket.udp(PORT);
        using sender = TestSocket.udp(0);
        putSocket(programs, "sockets", 0, udp);
        programs.set("looked_up", OTHER_PORT);
        using link = attachSkLookup(programs.program("choose_socket"));
        const info = link.info();
        assert(info.kind === "netns");
        assertEquals([info.attachType, info.netnsIno > 0], [BpfAttachType.BPF_SK_LOOKUP, true]);
        assert(sender.send("to nobody", ipv4(LOCALHOST, OTHER_PORT)));
        assertEquals([udp.receiveText(), programs.count("choose_socket")], ["to nobody", 1]);
        using listener = TestSocket.listen(PORT);
        putSocket(programs, "sockets", 0, listener);
        using client = TestSocket.open(2, 1);
        assert(client.connect(ipv4(LOCALHOST, OTHER_PORT)));
        using server = listener.accept();
        assertEquals([client.peerPort, server.port], [OTHER_PORT, OTHER_PORT]);
        const ids = queryHook({ netns: undefined, attachType: BpfAttachType.BPF_SK_LOOKUP }).programs.map(({ id }) =>
          id
        );
        assertEquals(ids, [programs.program("choose_socket").id]);
        link.close();
        using late = TestSocket.open(2, 1);
        assert(!late.connect(ipv4(LOCALHOST, OTHER_PORT)));
      }),
  });
}

Deno.test({
  ...shows("sk_lookup", "is attached to another network namespace by its path"),
  ...needs({ bpf: true }),
  fn: () => {
    using programs = new NetworkPrograms("clang19", "choose_socket");
    inNetns(() => {
      using udp = TestSocket.udp(PORT);
      using sender = TestSocket.udp(0);
      putSocket(programs, "sockets", 0, udp);
      programs.set("looked_up", OTHER_PORT);
      using inner = sys.open("/proc/thread-self/ns/net");
      inNetns(() => {
        using _link = attachSkLookup(programs.program("choose_socket"), { netns: `/proc/self/fd/${inner.value}` });
      });
      using link = inNetns(() => attachSkLookup(programs.program("choose_socket"), { netns: inner.value }));
      assert(sender.send("across", ipv4(LOCALHOST, OTHER_PORT)));
      assertEquals([udp.receiveText(), link.kind], ["across", "sk_lookup"]);
    });
  },
});

Deno.test({
  ...shows("flow_dissector", "is asked for the headers of a frame"),
  ...needs({ bpf: true }),
  fn: () =>
    inNetns(() => {
      using programs = new NetworkPrograms("clang19", "dissect");
      using link = attachFlowDissector(programs.program("dissect"));
      assertEquals([link.kind, link.info().kind], ["flow_dissector", "netns"]);
      const send = () => {
        const payload = Uint8Array.of(1);
        sendFrame("lo", { to: hardwareAddress("lo"), source: LOCALHOST, destination: LOCALHOST, port: 1, payload });
      };
      send();
      const count = programs.count("dissect");
      assert(count > 0);
      assertThrows(() => attachFlowDissector(programs.program("dissect")), sys.SyscallError);
      link.close();
      send();
      assertEquals(programs.count("dissect"), count);
    }),
});

for (const compiler of COMPILERS) {
  Deno.test({
    ...shows("netfilter", `sees packets at its hook, and drops them; ${compiler}`),
    ...needs({ features: ["netfilterLinks"] }),
    fn: () =>
      inNetns(() => {
        using programs = new NetworkPrograms(compiler, "filter_hook");
        using receiver = TestSocket.udp(PORT);
        using sender = TestSocket.udp(0);
        const options = { family: "ipv4", hook: "input", priority: -128 } as const;
        using link = attachNetfilter(programs.program("filter_hook"), { ...options, defrag: true });
        const info = link.info();
        assert(info.kind === "netfilter");
        assertEquals([info.pf, info.hooknum, info.priority, info.flags], [2, 1, -128, 1]);
        sender.send("one", ipv4(LOCALHOST, PORT));
        assertEquals([receiver.receiveText(true), programs.count("filter_hook")], ["one", 1]);
        programs.set("drop", 1);
        sender.send("two", ipv4(LOCALHOST, PORT));
        assertEquals([receiver.receiveText(true), programs.count("filter_hook")], [undefined, 2]);
        const taken = assertThrows(() => attachNetfilter(programs.program("filter_hook"), options), sys.SyscallError);
        assert(taken.message.includes("netfilter ipv4 input priority -128"), taken.message);
        link.close();
        sender.send("three", ipv4(LOCALHOST, PORT));
        assertEquals([receiver.receiveText(true), programs.count("filter_hook")], ["three", 2]);
      }),
  });
}

Deno.test({
  ...shows("socket", "cuts what a socket gets, and refuses it"),
  ...needs({ bpf: true }),
  fn: () =>
    inNetns(() => {
      using programs = new NetworkPrograms("clang19", "filter");
      using receiver = TestSocket.udp(PORT);
      using sender = TestSocket.udp(0);
      const before = openFds().size;
      const link = attachSocketFilter(programs.program("filter"), { socket: receiver.fd });
      const send = () => {
        sender.send("0123456789", ipv4(LOCALHOST, PORT));
        return receiver.receiveText(true);
      };
      assertEquals([send(), programs.get("last_length")], ["0123456789", 18]);
      // 8 bytes are the UDP header.
      programs.set("kept", 8 + 4);
      assertEquals(send(), "0123");
      programs.set("kept", 0);
      assertEquals(send(), undefined);
      assertEquals(programs.count("filter"), 3);
      link.close();
      assertEquals([send(), programs.count("filter")], ["0123456789", 3]);
      assertEquals(openFds().size, before);
    }),
});

Deno.test({
  ...shows("attachSocketFilter() on a device", "sees all frames of a device"),
  ...needs({ bpf: true }),
  fn: () =>
    inNetns(() => {
      using programs = new NetworkPrograms("clang19", "filter");
      programs.set("kept", 0);
      using sender = TestSocket.udp(0);
      const before = openFds().size;
      const link = attachSocketFilter(programs.program("filter"), { interface: "lo" });
      sender.send("12345", ipv4(LOCALHOST, PORT));
      // Once on its way out, once on its way in; then the answer that nobody listens, likewise.
      assertEquals([programs.count("filter"), link.target], [4, `interface "lo"`]);
      link.close();
      sender.send("12345", ipv4(LOCALHOST, PORT));
      assertEquals([programs.count("filter"), openFds().size], [4, before]);
    }),
});

Deno.test({
  ...shows("sk_reuseport", "chooses the socket of a shared port"),
  ...needs({ bpf: true }),
  fn: () =>
    inNetns(() => {
      using programs = new NetworkPrograms("clang19", "share");
      using cleanup = new DisposableStack();
      const sockets = sharing(3, PORT).map((socket) => cleanup.use(socket));
      using sender = TestSocket.udp(0);
      for (const [index, socket] of sockets.entries()) putSocket(programs, "shared", index, socket);
      using link = attachReuseport(programs.program("share"), { socket: sockets[0]!.fd });
      assertEquals([link.kind, link.linkCount], ["sk_reuseport", 0]);
      for (const chosen of [2, 0, 1]) {
        programs.set("chosen", chosen);
        sender.send("x", ipv4(LOCALHOST, PORT));
        assertEquals(
          sockets.map((socket) => socket.receiveText(true)),
          sockets.map((_, i) => i === chosen ? "x" : undefined),
        );
      }
      assertEquals(programs.count("share"), 3);
      link.close();
      sender.send("x", ipv4(LOCALHOST, PORT));
      assertEquals(programs.count("share"), 3);
    }),
});

Deno.test({
  ...shows("attachReuseport() of a socket filter", "chooses the socket by its index"),
  ...needs({ bpf: true }),
  fn: () =>
    inNetns(() => {
      using programs = new NetworkPrograms("clang19", "filter");
      using cleanup = new DisposableStack();
      const sockets = sharing(2, PORT).map((socket) => cleanup.use(socket));
      using sender = TestSocket.udp(0);
      using _link = attachReuseport(programs.program("filter"), { socket: sockets[0]!.fd });
      for (const chosen of [1, 0]) {
        programs.set("kept", chosen);
        sender.send("x", ipv4(LOCALHOST, PORT));
        assertEquals(
          sockets.map((socket) => socket.receiveText(true)),
          chosen === 0 ? ["x", undefined] : [undefined, "x"],
        );
      }
    }),
});

for (const compiler of COMPILERS) {
  Deno.test({
    ...shows("sk_skb/stream_verdict", `sends what a connection gets on to another; ${compiler}`),
    ...needs({ bpf: true }),
    fn: () =>
      inNetns(() => {
        using programs = new NetworkPrograms(compiler, "parse", "redirect");
        const map = programs.collection.map("sockets");
        using cleanup = new DisposableStack();
        const one = tcpPair(PORT);
        const two = tcpPair(OTHER_PORT);
        for (const socket of [one.client, one.server, two.client, two.server]) cleanup.use(socket);
        using parser = attachSockmap(programs.program("parse"), map);
        using verdict = attachSockmap(programs.program("redirect"), map);
        assertEquals([parser.kind, parser.target, verdict.kind], ["sk_skb", "sockets", "sk_skb"]);
        putSocket(programs, "sockets", 0, one.server);
        putSocket(programs, "sockets", 1, two.server);
        one.client.send("for one");
        assertEquals(one.server.receiveText(), "for one");
        assertEquals(programs.get("last_length"), 7);
        programs.set("redirect_to", 2);
        one.client.send("for two");
        assertEquals(two.client.receiveText(), "for two");
        assert(programs.count("parse") > 0 && programs.count("redirect") === 2);
      }),
  });
}

Deno.test({
  ...shows("sk_skb/stream_parser", "tells where messages end"),
  ...needs({ bpf: true }),
  fn: () =>
    inNetns(() => {
      using programs = new NetworkPrograms("clang19", "parse", "redirect");
      const map = programs.collection.map("sockets");
      using cleanup = new DisposableStack();
      const { client, server } = tcpPair(PORT);
      for (const socket of [client, server]) cleanup.use(socket);
      using _parser = attachSockmap(programs.program("parse"), map);
      using _verdict = attachSockmap(programs.program("redirect"), map);
      putSocket(programs, "sockets", 0, server);
      client.send("12345");
      assertEquals(server.receiveText(), "12345");
      assertEquals([programs.count("parse"), programs.get("last_length")], [1, 5]);
    }),
});

Deno.test({
  ...shows("sk_skb/verdict", "drops what a socket gets"),
  ...needs({ features: ["sockmapVerdicts"] }),
  fn: () =>
    inNetns(() => {
      using programs = new NetworkPrograms("clang19", "verdict");
      const map = programs.collection.map("sockets");
      using receiver = TestSocket.udp(PORT);
      using sender = TestSocket.udp(0);
      using link = attachSockmap(programs.program("verdict"), map);
      putSocket(programs, "sockets", 0, receiver);
      sender.send("one", ipv4(LOCALHOST, PORT));
      assertEquals([receiver.receiveText(), programs.count("verdict")], ["one", 1]);
      programs.set("stream_result", 0);
      sender.send("two", ipv4(LOCALHOST, PORT));
      waitFor("the second packet", () => programs.count("verdict") === 2);
      assertEquals([receiver.receiveText(true), link.kind], [undefined, "sk_skb"]);
    }),
});

Deno.test({
  ...shows("sk_msg", "refuses what a socket sends; is replaced by another"),
  ...needs({ features: ["sockmapLinks"] }),
  fn: () =>
    inNetns(() => {
      using programs = new NetworkPrograms("clang19", "message", "message_other");
      const map = programs.collection.map("sockets");
      using cleanup = new DisposableStack();
      const { client, server } = tcpPair(PORT);
      for (const socket of [client, server]) cleanup.use(socket);
      using link = attachSockmap(programs.program("message"), map);
      const info = link.info();
      assert(info.kind === "sockmap");
      assertEquals([info.mapId, info.attachType, link.kind], [map.id, BpfAttachType.BPF_SK_MSG_VERDICT, "sk_msg"]);
      putSocket(programs, "sockets", 0, client);
      assert(client.send("one"));
      assertEquals([server.receiveText(), programs.count("message")], ["one", 1]);
      programs.set("stream_result", 0);
      assert(!client.send("two"));
      assertEquals(programs.count("message"), 2);
      link.update(programs.program("message_other"), { expected: programs.program("message") });
      // A socket keeps the program that the map had when it was put in.
      putAgain(programs, client);
      assert(client.send("three"));
      assertEquals([server.receiveText(), programs.count("message")], ["three", 2]);
    }),
});

Deno.test({
  ...shows("sk_msg", "is attached where the kernel has no links of sockmaps"),
  ...needs({ features: ["sockmapQueries"] }),
  fn: () =>
    inNetns(() => {
      using programs = new NetworkPrograms("clang19", "message", "message_other");
      const [message, other] = [programs.program("message"), programs.program("message_other")];
      const map = programs.collection.map("sockets");
      using _ = failBpf(BpfCmd.BPF_LINK_CREATE, sys.Errno.EINVAL);
      using cleanup = new DisposableStack();
      const { client, server } = tcpPair(PORT);
      for (const socket of [client, server]) cleanup.use(socket);
      const before = openFds().size;
      const link = attachSockmap(message, map);
      assertEquals(link.linkCount, 0);
      putSocket(programs, "sockets", 0, client);
      assert(client.send("one"));
      assertEquals([server.receiveText(), programs.count("message")], ["one", 1]);
      assertThrows(() => link.update(other, { expected: other }), Error, "not the expected program");
      link.update(other, { expected: message });
      putAgain(programs, client);
      assert(client.send("two"));
      assertEquals([server.receiveText(), programs.count("message")], ["two", 1]);
      link.close();
      const hook = { map, attachType: BpfAttachType.BPF_SK_MSG_VERDICT } as const;
      assertEquals([queryHook(hook).programs, openFds().size], [[], before]);
    }),
});

for (const [name, direction] of [["route_out", "lwt_out"], ["route_xmit", "lwt_xmit"]] as const) {
  Deno.test({
    ...shows(direction, "sees packets that take its route, and drops them"),
    ...needs({ features: ["routePrograms"] }),
    fn: () =>
      inNetns(() => {
        using programs = new NetworkPrograms("clang19", name);
        using sender = TestSocket.udp(0);
        const options = { destination: "10.1.0.0/16", interface: "lo" };
        const link = attachLwt(programs.program(name), options);
        assertEquals([link.kind, link.target], ["lwt", "route to 10.1.0.0/16"]);
        assert(sender.send("12345", ipv4([10, 1, 2, 3], PORT)));
        assertEquals([programs.count(name), programs.get("last_length")], [1, 20 + 8 + 5]);
        programs.set("route_result", 1);
        sender.send("12345", ipv4([10, 1, 2, 3], PORT));
        assertEquals(programs.count(name), 2);
        assertEquals(assertThrows(() => attachLwt(programs.program(name), options), sys.SyscallError).code, "EEXIST");
        link.close();
        assert(!sender.send("12345", ipv4([10, 1, 2, 3], PORT)));
        assertEquals(programs.count(name), 2);
      }),
  });
}

Deno.test({
  ...shows("lwt_in", "sees the packets that are to be forwarded by its route, and drops them"),
  ...needs({ features: ["routePrograms", "veth"] }),
  fn: () =>
    inNetns(() => {
      makeVeth("v0", "v1");
      makeVeth("w0", "w1");
      addAddress("v0", [10, 9, 0, 1], 24);
      addAddress("w0", [10, 8, 0, 1], 24);
      sys.writeFile("/proc/sys/net/ipv4/ip_forward", "1");
      // Not the address of "w1", which would forward it again, here.
      addNeighbour("w0", [10, 1, 2, 3], Uint8Array.of(2, 0, 0, 0, 0, 7));
      using programs = new NetworkPrograms("clang19", "route_in", "xdp_count");
      programs.set("watched_port", networkOrder(PORT));
      using _seen = attachXdp(programs.program("xdp_count"), { interface: "w1", mode: "generic" });
      using _link = attachLwt(programs.program("route_in"), { destination: "10.1.0.0/16", interface: "w0" });
      const payload = Uint8Array.of(1, 2, 3, 4);
      const to = hardwareAddress("v0");
      const send = () =>
        sendFrame("v1", { to, source: [10, 9, 0, 2], destination: [10, 1, 2, 3], port: PORT, payload });
      send();
      waitFor("forwarding the packet", () => programs.count("xdp_count") === 1);
      assertEquals([programs.count("route_in"), programs.get("last_payload")], [1, 0x04030201]);
      programs.set("route_result", 1);
      send();
      waitFor("the second packet", () => programs.count("route_in") === 2);
      assertEquals(programs.count("xdp_count"), 1);
    }),
});

/** An IPv6 packet with a segment routing header (RFC 8754): it is to go to the first of `segments`, then to the second. */
function segmentFrame(to: Uint8Array, segments: readonly [Uint8Array, Uint8Array]): Uint8Array<ArrayBuffer> {
  const udp = [0x11, 0x5c, 0x1e, 0x61, 0, 8, 0, 0];
  // Next header UDP, 4 units of 8 bytes after the first, type 4, one segment left, the last of two; segments backwards.
  const routing = [17, 4, 4, 1, 1, 0, 0, 0, ...segments[1], ...segments[0]];
  const source = [0xfd, 9, ...new Array<number>(13).fill(0), 2];
  const header = [0x60, 0, 0, 0, 0, routing.length + udp.length, 43, 64, ...source, ...segments[0]];
  return Uint8Array.of(...to, 2, 0, 0, 0, 0, 9, 0x86, 0xdd, ...header, ...routing, ...udp);
}

Deno.test({
  ...shows("lwt_seg6local", "sees a packet whose next segment is its route's destination"),
  ...needs({ features: ["segmentRoutes", "veth"] }),
  fn: () =>
    inNetns(() => {
      makeVeth("v0", "v1");
      sys.writeFile("/proc/sys/net/ipv6/conf/all/forwarding", "1");
      using programs = new NetworkPrograms("clang19", "route_segment");
      const link = attachLwt(programs.program("route_segment"), { destination: "fd01::1", interface: "v0" });
      const frame = segmentFrame(hardwareAddress("v0"), [parseAddress("fd01::1"), parseAddress("fd02::1")]);
      sendBytes("v1", frame);
      waitFor("the packet", () => programs.count("route_segment") === 1);
      assertEquals(programs.get("last_length"), 40 + 40 + 8);
      link.close();
      sendBytes("v1", frame);
      assertEquals(programs.count("route_segment"), 1);
    }),
});

Deno.test({
  ...shows("flow_dissector", "is attached where the kernel has no links of network namespaces"),
  ...needs({ bpf: true }),
  fn: () =>
    inNetns(() => {
      using programs = new NetworkPrograms("clang19", "dissect");
      const before = openFds().size;
      {
        using _ = failBpf(BpfCmd.BPF_LINK_CREATE, sys.Errno.EINVAL);
        using link = attachFlowDissector(programs.program("dissect"));
        assertEquals(link.linkCount, 0);
        const frame = { source: LOCALHOST, destination: LOCALHOST, port: 1, payload: Uint8Array.of(1) };
        sendFrame("lo", { ...frame, to: hardwareAddress("lo") });
        assert(programs.count("dissect") > 0);
      }
      const hook = { netns: undefined, attachType: BpfAttachType.BPF_FLOW_DISSECTOR } as const;
      assertEquals([queryHook(hook).programs, openFds().size], [[], before]);
    }),
});

Deno.test({
  name: "attachReuseport() and attachSocketFilter() name the program and the socket",
  ...needs({ bpf: true }),
  fn: () =>
    inNetns(() => {
      using programs = new NetworkPrograms("clang19", "filter");
      using socket = TestSocket.udp(PORT);
      const before = openFds().size;
      const program = programs.program("filter");
      const alone = assertThrows(() => attachReuseport(program, { socket: socket.fd }), sys.SyscallError);
      assertEquals([alone.code, alone.message.startsWith(`program "filter", sockets that share`)], ["EINVAL", true]);
      const none = assertThrows(() => attachSocketFilter(program, { interface: "eth7" }), sys.SyscallError);
      assertEquals(none.code, "ENODEV");
      assertThrows(() => attachSocketFilter(program, { socket: 9999 }), sys.SyscallError, "EBADF");
      assertEquals(openFds().size, before);
    }),
});
