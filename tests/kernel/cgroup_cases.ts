/**
 * What a process does for a program of each attach type of cgroups to see it.
 *
 * @module
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { Collection } from "../../ffi/collection/mod.ts";
import type { BpfProgram } from "../../ffi/program/mod.ts";
import * as sys from "../../ffi/sys/mod.ts";
import type { Value } from "../../lib/btf/mod.ts";
import { ipv4, ipv6Loopback, libc, LOCALHOST, tcpPair, TestSocket } from "../support/net.ts";
import { objectSpec } from "./support.ts";

const PORT = 7000;
const [AF_UNIX, AF_INET, AF_INET6] = [1, 2, 10];
const [SOCK_STREAM, SOCK_DGRAM] = [1, 2];
const SOL_SOCKET = 1;
const SO_REUSEPORT = 15;
const SO_PRIORITY = 12;

/** Programs of testdata/cgroup.bpf.c. */
export class CgroupPrograms implements Disposable {
  readonly #collection: Collection;

  constructor(compiler: string, ...names: string[]) {
    const spec = objectSpec(compiler, "cgroup");
    for (const program of spec.programs.values()) program.autoload = names.includes(program.name);
    this.#collection = Collection.load(spec);
  }

  program(name: string): BpfProgram {
    return this.#collection.program(name);
  }

  get(variable: string): Value {
    return this.#collection.variable(variable).get();
  }

  set(variable: string, value: Value): void {
    this.#collection.variable(variable).set(value);
  }

  count(slot: number): number {
    return Number((this.get("counts") as bigint[])[slot]);
  }

  seen(slot: number): number {
    return (this.get("seen") as number[])[slot]!;
  }

  takeOrder(): number[] {
    const length = this.get("order_length") as number;
    this.set("order_length", 0);
    return (this.get("order") as number[]).slice(0, length);
  }

  [Symbol.dispose](): void {
    this.#collection.close();
  }
}

/** What is done in the cgroup, and what the program must have seen. */
export interface Case {
  /** The section, without `?`. */
  readonly section: string;
  readonly program: string;
  readonly slot: number;
  readonly what: string;
  /** Does it; gives what `seen` has to be. */
  readonly act: (programs: CgroupPrograms) => number;
}

/** A UDP socket on ::1. */
function udp6(port: number): TestSocket {
  const socket = TestSocket.open(AF_INET6, SOCK_DGRAM);
  socket.bind(ipv6Loopback(port));
  return socket;
}

/** `struct sockaddr_un` of an abstract name. */
function unixName(name: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(AF_UNIX, 0, 0, ...new TextEncoder().encode(`${name}-${Deno.pid}`));
}

/** A Unix datagram socket with a name. */
function unixSocket(name: string): TestSocket {
  const socket = TestSocket.open(AF_UNIX, SOCK_DGRAM);
  socket.bind(unixName(name));
  return socket;
}

/** Sends a text by UDP to this host; gives the length of the packet. */
export function sendUdp(text: string): number {
  using receiver = TestSocket.udp(PORT);
  using sender = TestSocket.udp(0);
  sender.send(text, ipv4(LOCALHOST, PORT));
  assertEquals(receiver.receiveText(true), text);
  return 20 + 8 + text.length;
}

function sendUnix(): void {
  using receiver = unixSocket("receiver");
  using sender = unixSocket("sender");
  assert(sender.send("hello", unixName("receiver")));
  assertEquals(receiver.receiveFromText(), "hello");
}

/** Two Unix stream sockets that are connected, of which the listening one has a name. */
function unixPair(use: (client: TestSocket) => void): void {
  using listener = TestSocket.open(AF_UNIX, SOCK_STREAM);
  listener.bind(unixName("listener"));
  listener.listen();
  using client = TestSocket.open(AF_UNIX, SOCK_STREAM);
  assert(client.connect(unixName("listener")));
  use(client);
}

/** One of each. */
export const CASES: readonly Case[] = [
  {
    section: "cgroup_skb/ingress",
    program: "ingress",
    slot: 0,
    what: "sees the length of a packet that comes in",
    act: () => sendUdp("123"),
  },
  {
    section: "cgroup_skb/egress",
    program: "egress",
    slot: 1,
    what: "sees the length of a packet that goes out",
    act: () => sendUdp("12345"),
  },
  {
    section: "cgroup/sock_create",
    program: "create",
    slot: 3,
    what: "sees the type of a new socket",
    act: () => {
      TestSocket.open(AF_INET, SOCK_DGRAM).close();
      return SOCK_DGRAM;
    },
  },
  {
    section: "cgroup/sock_release",
    program: "release",
    slot: 4,
    what: "sees the type of a closed socket",
    act: () => {
      TestSocket.open(AF_INET, SOCK_STREAM).close();
      return SOCK_STREAM;
    },
  },
  {
    section: "cgroup/post_bind4",
    program: "post_bind4",
    slot: 5,
    what: "sees the port that was bound",
    act: () => {
      TestSocket.udp(7011).close();
      return 7011;
    },
  },
  {
    section: "cgroup/post_bind6",
    program: "post_bind6",
    slot: 6,
    what: "sees the port that was bound",
    act: () => {
      udp6(7012).close();
      return 7012;
    },
  },
  {
    section: "cgroup/bind4",
    program: "bind4",
    slot: 7,
    what: "changes the port that is bound",
    act: () => {
      using socket = TestSocket.udp(7001);
      assertEquals(socket.port, 7002);
      return 7001;
    },
  },
  {
    section: "cgroup/bind6",
    program: "bind6",
    slot: 8,
    what: "sees the port that is to be bound",
    act: () => {
      udp6(7013).close();
      return 7013;
    },
  },
  {
    section: "cgroup/connect4",
    program: "connect4",
    slot: 9,
    what: "sends a connection to another port",
    act: (programs) => {
      using listener = TestSocket.listen(0);
      programs.set("other_port", listener.port);
      using client = TestSocket.open(AF_INET, SOCK_STREAM);
      assert(client.connect(ipv4(LOCALHOST, 7003)));
      using _server = listener.accept();
      assertEquals(client.peerPort, listener.port);
      return 7003;
    },
  },
  {
    section: "cgroup/connect6",
    program: "connect6",
    slot: 10,
    what: "sees the port",
    act: () => {
      using receiver = udp6(7014);
      using sender = TestSocket.open(AF_INET6, SOCK_DGRAM);
      assert(sender.connect(ipv6Loopback(receiver.port)));
      return 7014;
    },
  },
  {
    section: "cgroup/connect_unix",
    program: "connect_unix",
    slot: 11,
    what: "sees a connection",
    act: () => {
      unixPair(() => {});
      return AF_UNIX;
    },
  },
  {
    section: "cgroup/sendmsg4",
    program: "sendmsg4",
    slot: 12,
    what: "sees the port",
    act: () => {
      sendUdp("x");
      return PORT;
    },
  },
  {
    section: "cgroup/sendmsg6",
    program: "sendmsg6",
    slot: 13,
    what: "sees the port",
    act: () => {
      using receiver = udp6(7015);
      using sender = udp6(0);
      sender.send("hello", ipv6Loopback(receiver.port));
      return 7015;
    },
  },
  {
    section: "cgroup/sendmsg_unix",
    program: "sendmsg_unix",
    slot: 14,
    what: "sees a packet",
    act: () => {
      sendUnix();
      return AF_UNIX;
    },
  },
  {
    section: "cgroup/recvmsg4",
    program: "recvmsg4",
    slot: 15,
    what: "sees the sender's port",
    act: () => {
      using receiver = TestSocket.udp(PORT);
      using sender = TestSocket.udp(7016);
      sender.send("hello", ipv4(LOCALHOST, PORT));
      assertEquals(receiver.receiveFromText(), "hello");
      return 7016;
    },
  },
  {
    section: "cgroup/recvmsg6",
    program: "recvmsg6",
    slot: 16,
    what: "sees the sender's port",
    act: () => {
      using receiver = udp6(PORT);
      using sender = udp6(7017);
      sender.send("hello", ipv6Loopback(PORT));
      assertEquals(receiver.receiveFromText(), "hello");
      return 7017;
    },
  },
  {
    section: "cgroup/recvmsg_unix",
    program: "recvmsg_unix",
    slot: 17,
    what: "sees a packet",
    act: () => {
      sendUnix();
      return AF_UNIX;
    },
  },
  {
    section: "cgroup/getpeername4",
    program: "getpeername4",
    slot: 18,
    what: "changes the port that is told",
    act: () => {
      const { client, server } = tcpPair(7018);
      using _client = client;
      using _server = server;
      assertEquals(client.peerPort, 7004);
      return 7018;
    },
  },
  {
    section: "cgroup/getpeername6",
    program: "getpeername6",
    slot: 19,
    what: "sees the port",
    act: () => {
      using receiver = udp6(7019);
      using sender = udp6(0);
      assert(sender.connect(ipv6Loopback(receiver.port)));
      assertEquals(sender.peerPort, 7019);
      return 7019;
    },
  },
  {
    section: "cgroup/getpeername_unix",
    program: "getpeername_unix",
    slot: 20,
    what: "sees the question",
    act: () => {
      unixPair((client) => void client.peerPort);
      return AF_UNIX;
    },
  },
  {
    section: "cgroup/getsockname4",
    program: "getsockname4",
    slot: 21,
    what: "sees the port",
    act: () => {
      using socket = TestSocket.udp(7020);
      assertEquals(socket.port, 7020);
      return 7020;
    },
  },
  {
    section: "cgroup/getsockname6",
    program: "getsockname6",
    slot: 22,
    what: "sees the port",
    act: () => {
      using socket = udp6(7021);
      assertEquals(socket.port, 7021);
      return 7021;
    },
  },
  {
    section: "cgroup/getsockname_unix",
    program: "getsockname_unix",
    slot: 23,
    what: "sees the question",
    act: () => {
      using socket = unixSocket("named");
      void socket.port;
      return AF_UNIX;
    },
  },
  {
    section: "cgroup/sysctl",
    program: "sysctl",
    slot: 24,
    what: "sees the name, refuses writing",
    act: (programs) => {
      const path = "/proc/sys/net/ipv4/ip_default_ttl";
      const value = sys.readTextFile(path);
      assertEquals([programs.get("sysctl_name"), programs.seen(24)], ["net/ipv4/ip_default_ttl", 0]);
      programs.set("strict", 1);
      assertEquals(assertThrows(() => sys.writeFile(path, value), sys.SyscallError).code, "EPERM");
      programs.set("strict", 0);
      return 1;
    },
  },
  {
    section: "cgroup/getsockopt",
    program: "getsockopt",
    slot: 25,
    what: "changes the value that is told",
    act: () => {
      using socket = TestSocket.open(AF_INET, SOCK_DGRAM);
      const value = new Uint8Array(4);
      const length = new Uint8Array(Uint32Array.of(4).buffer);
      assertEquals(libc().getsockopt(socket.fd, SOL_SOCKET, SO_REUSEPORT, value, length), 0);
      assertEquals(value[0], 77);
      return SOL_SOCKET << 16 | SO_REUSEPORT;
    },
  },
  {
    section: "cgroup/setsockopt",
    program: "setsockopt",
    slot: 26,
    what: "sees level and option",
    act: () => {
      using socket = TestSocket.open(AF_INET, SOCK_DGRAM);
      sys.setSocketOption(socket.fd, SOL_SOCKET, SO_PRIORITY, 3);
      return SOL_SOCKET << 16 | SO_PRIORITY;
    },
  },
  {
    section: "cgroup/dev",
    program: "device",
    slot: 27,
    what: "sees a device's numbers, refuses to open it",
    act: (programs) => {
      sys.open("/dev/zero").close();
      assertEquals(programs.seen(27), 1 << 16 | 5);
      programs.set("strict", 1);
      assertEquals(assertThrows(() => sys.open("/dev/zero"), sys.SyscallError).code, "EPERM");
      programs.set("strict", 0);
      sys.open("/dev/null").close();
      return 1 << 16 | 3;
    },
  },
  {
    section: "sockops",
    program: "operation",
    slot: 28,
    what: "sees the port of a connection",
    act: () => {
      const { client, server } = tcpPair(7022);
      client.close();
      server.close();
      // Its last operation was the listening side's.
      return 7022;
    },
  },
];
