/**
 * A network of a test's own: a network namespace, devices in it, sockets, frames. All calls are synchronous and made by this
 * thread, which is in the namespace only while a test's function runs.
 *
 * @module
 */
import { netlink, NetlinkFlag } from "../../ffi/sys/netlink.ts";
import { AttributeReader, type Attributes, encodeAttributes } from "../../ffi/sys/netlink_message.ts";
import * as sys from "../../ffi/sys/mod.ts";

const RTM = { newLink: 16, delLink: 17, getLink: 18, newAddr: 20, newNeighbour: 28 } as const;
const IFLA = { address: 1, ifname: 3, mtu: 4, linkInfo: 18 } as const;
const IFLA_INFO = { kind: 1, data: 2 } as const;
const VETH_INFO_PEER = 1;
const IFLA_NETKIT = { peerInfo: 1, mode: 5 } as const;
/** Packets without hardware addresses. */
const NETKIT_L3 = 1;
const IFF_UP = 1;
const IFA = { address: 1, local: 2 } as const;
const NDA = { destination: 1, hardware: 2 } as const;
const NUD_PERMANENT = 0x80;
const CLONE_NEWNET = 0x4000_0000;

const LIBRARY = {
  unshare: { parameters: ["i32"], result: "i32" },
  setns: { parameters: ["i32", "i32"], result: "i32" },
  socketpair: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  listen: { parameters: ["i32", "i32"], result: "i32" },
  accept: { parameters: ["i32", "pointer", "pointer"], result: "i32" },
  sendto: { parameters: ["i32", "buffer", "usize", "i32", "buffer", "u32"], result: "i32" },
  recvfrom: { parameters: ["i32", "buffer", "usize", "i32", "buffer", "buffer"], result: "i32" },
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  getpeername: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
} as const;

let opened: Deno.DynamicLibrary<typeof LIBRARY> | undefined;

/** libc's functions, as they are: -1 for an error. */
export function libc(): Deno.DynamicLibrary<typeof LIBRARY>["symbols"] {
  return (opened ??= Deno.dlopen("libc.so.6", LIBRARY)).symbols;
}

function done(what: string, result: number): number {
  if (result < 0) throw new Error(`${what} failed`);
  return result;
}

/** Runs `test` in a new network namespace, whose loopback device is up; it has to be synchronous. */
export function inNetns<T>(test: () => T): T {
  using own = sys.open("/proc/thread-self/ns/net");
  done("unshare()", libc().unshare(CLONE_NEWNET));
  try {
    setUp("lo");
    return test();
  } finally {
    done("setns()", libc().setns(own.value, CLONE_NEWNET));
  }
}

/** Runs `test` in the network namespace that `netns` is a file descriptor of; it has to be synchronous. */
export function insideNetns<T>(netns: sys.Fd, test: () => T): T {
  using own = sys.open("/proc/thread-self/ns/net");
  done("setns()", libc().setns(netns.value, CLONE_NEWNET));
  try {
    return test();
  } finally {
    done("setns()", libc().setns(own.value, CLONE_NEWNET));
  }
}

/** Makes a pair of devices: what one sends the other gets. Both are up. */
export function makeVeth(name: string, peer: string): void {
  const data = { [VETH_INFO_PEER]: concatenated(ifinfo(0), encodeAttributes({ [IFLA.ifname]: peer })) };
  makeDevice(name, "veth", data);
  setUp(name);
  setUp(peer);
}

/** Makes a netkit pair of layer 3, without IPv6: nothing is sent but what a test sends. Both are up. */
export function makeNetkit(name: string, peer: string): void {
  const setting = "/proc/sys/net/ipv6/conf/default/disable_ipv6";
  if (sys.exists(setting)) sys.writeFile(setting, "1");
  makeDevice(name, "netkit", {
    [IFLA_NETKIT.mode]: NETKIT_L3,
    [IFLA_NETKIT.peerInfo]: concatenated(ifinfo(0), encodeAttributes({ [IFLA.ifname]: peer })),
  });
  setUp(name);
  setUp(peer);
}

function makeDevice(name: string, kind: string, data: Attributes): void {
  netlink({
    name: "RTM_NEWLINK",
    type: RTM.newLink,
    flags: NetlinkFlag.NLM_F_CREATE | NetlinkFlag.NLM_F_EXCL,
    fixed: ifinfo(0),
    attributes: { [IFLA.ifname]: name, [IFLA.linkInfo]: { [IFLA_INFO.kind]: kind, [IFLA_INFO.data]: data } },
  });
}

/** Switches a device on. */
export function setUp(name: string): void {
  const fixed = ifinfo(sys.networkDevice(name).ifindex);
  new Uint32Array(fixed.buffer, 8, 2).fill(IFF_UP);
  netlink({ name: "RTM_NEWLINK", type: RTM.newLink, fixed });
}

/** Sets how long a packet may be. */
export function setMtu(name: string, bytes: number): void {
  const fixed = ifinfo(sys.networkDevice(name).ifindex);
  netlink({ name: "RTM_NEWLINK", type: RTM.newLink, fixed, attributes: { [IFLA.mtu]: bytes } });
}

/** Removes a device, and its peer. */
export function deleteDevice(name: string): void {
  netlink({ name: "RTM_DELLINK", type: RTM.delLink, fixed: ifinfo(sys.networkDevice(name).ifindex) });
}

/** Gives a device an IPv4 address. */
export function addAddress(name: string, address: readonly number[], prefixLength: number): void {
  const fixed = Uint8Array.of(2, prefixLength, 0, 0, 0, 0, 0, 0);
  new Uint32Array(fixed.buffer)[1] = sys.networkDevice(name).ifindex;
  const bytes = Uint8Array.from(address);
  netlink({
    name: "RTM_NEWADDR",
    type: RTM.newAddr,
    flags: NetlinkFlag.NLM_F_CREATE,
    fixed,
    attributes: { [IFA.local]: bytes, [IFA.address]: bytes },
  });
}

/** Says which hardware address a neighbour has, so that nobody is asked. */
export function addNeighbour(name: string, address: readonly number[], hardware: Uint8Array): void {
  const fixed = new Uint8Array(12);
  fixed[0] = 2;
  new Uint32Array(fixed.buffer)[1] = sys.networkDevice(name).ifindex;
  new Uint16Array(fixed.buffer)[4] = NUD_PERMANENT;
  netlink({
    name: "RTM_NEWNEIGH",
    type: RTM.newNeighbour,
    flags: NetlinkFlag.NLM_F_CREATE,
    fixed,
    attributes: { [NDA.destination]: Uint8Array.from(address), [NDA.hardware]: hardware },
  });
}

/** Hardware address of a device. */
export function hardwareAddress(name: string): Uint8Array {
  const fixed = ifinfo(sys.networkDevice(name).ifindex);
  const [answer] = netlink({ name: "RTM_GETLINK", type: RTM.getLink, fixed });
  return new AttributeReader(answer!.body, 16).bytes(IFLA.address)!;
}

function ifinfo(ifindex: number): Uint8Array<ArrayBuffer> {
  const fixed = new Uint8Array(16);
  new Int32Array(fixed.buffer)[1] = ifindex;
  return fixed;
}

function concatenated(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** `struct sockaddr_in`. */
export function ipv4(address: readonly number[], port: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(2, 0, port >> 8, port & 0xff, ...address, 0, 0, 0, 0, 0, 0, 0, 0);
}

/** `struct sockaddr_in6` of `::1`. */
export function ipv6Loopback(port: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(10, 0, port >> 8, port & 0xff, 0, 0, 0, 0, ...new Array<number>(15).fill(0), 1, 0, 0, 0, 0);
}

/** This host. */
export const LOCALHOST = [127, 0, 0, 1] as const;

/** A socket that is closed with the test; it never blocks for more than 2 s. */
export class TestSocket implements Disposable {
  readonly #fd: sys.Fd;

  constructor(fd: sys.Fd) {
    this.#fd = fd;
    // SO_RCVTIMEO and SO_SNDTIMEO: struct timeval.
    const seconds = new Uint8Array(BigInt64Array.of(2n, 0n).buffer);
    for (const option of [20, 21]) libc().setsockopt(fd.value, 1, option, seconds, seconds.length);
  }

  static open(family: number, type: number, protocol = 0): TestSocket {
    return new TestSocket(sys.socket(family, type, protocol));
  }

  /** UDP over IPv4, bound to an address; port 0 is any. */
  static udp(port: number, address: readonly number[] = LOCALHOST): TestSocket {
    const socket = TestSocket.open(2, 2);
    socket.bind(ipv4(address, port));
    return socket;
  }

  /** TCP over IPv4 that listens. */
  static listen(port: number, address: readonly number[] = LOCALHOST): TestSocket {
    const socket = TestSocket.open(2, 1);
    socket.bind(ipv4(address, port));
    socket.listen();
    return socket;
  }

  get fd(): number {
    return this.#fd.value;
  }

  bind(address: Uint8Array<ArrayBuffer>): void {
    done("bind()", libc().bind(this.fd, address, address.length));
  }

  connect(address: Uint8Array<ArrayBuffer>): boolean {
    return libc().connect(this.fd, address, address.length) === 0;
  }

  listen(): void {
    done("listen()", libc().listen(this.fd, 8));
  }

  accept(): TestSocket {
    return new TestSocket(new sys.Fd(done("accept()", libc().accept(this.fd, null, null))));
  }

  /** Whether it was sent. */
  send(data: Uint8Array<ArrayBuffer> | string, to?: Uint8Array<ArrayBuffer>): boolean {
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    const address = to ?? null;
    return libc().sendto(this.fd, bytes, BigInt(bytes.length), 0, address, to?.length ?? 0) === bytes.length;
  }

  /** What came; `undefined` if nothing did within 2 s, or with `now` if nothing is there. */
  receive(now = false): Uint8Array<ArrayBuffer> | undefined {
    const buffer = new Uint8Array(65536);
    const length = libc().recvfrom(this.fd, buffer, BigInt(buffer.length), now ? 0x40 : 0, null, null);
    return length < 0 ? undefined : buffer.slice(0, length);
  }

  /** As text. */
  receiveText(now = false): string | undefined {
    const bytes = this.receive(now);
    return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
  }

  /** What came, as text, asking for the sender's address too. */
  receiveFromText(): string | undefined {
    const buffer = new Uint8Array(65536);
    const address = new Uint8Array(128);
    const size = new Uint8Array(Uint32Array.of(address.length).buffer);
    const length = libc().recvfrom(this.fd, buffer, BigInt(buffer.length), 0, address, size);
    return length < 0 ? undefined : new TextDecoder().decode(buffer.subarray(0, length));
  }

  /** The port that it is bound to. */
  get port(): number {
    return portOf((address, length) => libc().getsockname(this.fd, address, length));
  }

  /** The port that it is connected to. */
  get peerPort(): number {
    return portOf((address, length) => libc().getpeername(this.fd, address, length));
  }

  close(): void {
    this.#fd.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function portOf(ask: (address: Uint8Array<ArrayBuffer>, length: Uint8Array<ArrayBuffer>) => number): number {
  const address = new Uint8Array(128);
  done("asking for an address", ask(address, new Uint8Array(Uint32Array.of(address.length).buffer)));
  return address[2]! << 8 | address[3]!;
}

/** Two TCP sockets that are connected to each other. */
export function tcpPair(port: number): { client: TestSocket; server: TestSocket } {
  using listener = TestSocket.listen(port);
  const client = TestSocket.open(2, 1);
  if (!client.connect(ipv4(LOCALHOST, port))) throw new Error("connect() failed");
  return { client, server: listener.accept() };
}

/** An Ethernet frame with a UDP packet. */
export interface UdpFrame {
  readonly to: Uint8Array;
  readonly source: readonly number[];
  readonly destination: readonly number[];
  readonly port: number;
  readonly payload: Uint8Array;
}

/** Sends a frame with a UDP packet out of a device. */
export function sendFrame(device: string, frame: UdpFrame): void {
  sendBytes(device, frameBytes(frame));
}

/** Sends a frame out of a device. */
export function sendBytes(device: string, frame: Uint8Array<ArrayBuffer>): void {
  using socket = TestSocket.open(17, 3);
  const address = new Uint8Array(20);
  new Uint16Array(address.buffer)[0] = 17;
  new Int32Array(address.buffer)[1] = sys.networkDevice(device).ifindex;
  if (!socket.send(frame, address)) throw new Error(`sending a frame out of ${device} failed`);
}

function frameBytes({ to, source, destination, port, payload }: UdpFrame): Uint8Array<ArrayBuffer> {
  const udpLength = 8 + payload.length;
  const ip = Uint8Array.of(0x45, 0, 0, 0, 0, 1, 0, 0, 64, 17, 0, 0, ...source, ...destination);
  const header = new DataView(ip.buffer);
  header.setUint16(2, 20 + udpLength);
  header.setUint16(10, checksum(header));
  const udp = new Uint8Array(8);
  const view = new DataView(udp.buffer);
  // No checksum: 0.
  view.setUint16(0, 4444);
  view.setUint16(2, port);
  view.setUint16(4, udpLength);
  return Uint8Array.of(...to, 2, 0, 0, 0, 0, 9, 8, 0, ...ip, ...udp, ...payload);
}

function checksum(view: DataView): number {
  let sum = 0;
  for (let at = 0; at < view.byteLength; at += 2) sum += view.getUint16(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** 16 bits in network byte order, as a program reads them. */
export function networkOrder(port: number): number {
  return (port & 0xff) << 8 | port >> 8;
}

/** Waits, without giving the thread away, until `look` says so; fails after some seconds. */
export function waitFor(what: string, look: () => boolean): void {
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  for (let looks = 0; looks < 500; looks++) {
    if (look()) return;
    Atomics.wait(sleeper, 0, 0, 10);
  }
  throw new Error(`${what} did not happen`);
}
