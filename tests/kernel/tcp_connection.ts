/**
 * A TCP connection over loopback whose congestion control is chosen: plain system calls, since Deno's own sockets have no such
 * option.
 *
 * @module
 */

const AF_INET = 2;
const SOCK_STREAM = 1;
const IPPROTO_TCP = 6;
/** linux/tcp.h */
const TCP_CONGESTION = 13;
/** linux/socket.h */
const MSG_WAITALL = 0x100;

const C = Deno.dlopen("libc.so.6", {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  listen: { parameters: ["i32", "i32"], result: "i32" },
  accept: { parameters: ["i32", "pointer", "pointer"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
  send: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  close: { parameters: ["i32"], result: "i32" },
}).symbols;

function check<T extends number | bigint>(call: string, result: T): T {
  if (result < 0) throw new Error(`${call} failed`);
  return result;
}

/** A connection: its client's congestion control is the one that was chosen. */
export class TcpConnection implements Disposable {
  readonly #listener: number;
  readonly #client: number;
  readonly #server: number;

  /**
   * Connects to itself.
   *
   * @param congestion Name of the client's congestion control.
   * @throws {Error} if the kernel has none of that name.
   */
  constructor(congestion: string) {
    using cleanup = new DisposableStack();
    const open = (call: string, fd: number) => cleanup.adopt(check(call, fd), (fd) => C.close(fd));
    const address = Uint8Array.of(AF_INET, 0, 0, 0, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0);
    const listener = open("socket()", C.socket(AF_INET, SOCK_STREAM, 0));
    check("bind()", C.bind(listener, address, address.length));
    check("listen()", C.listen(listener, 1));
    check("getsockname()", C.getsockname(listener, address, new Uint32Array([address.length])));
    const client = open("socket()", C.socket(AF_INET, SOCK_STREAM, 0));
    const name = new TextEncoder().encode(congestion);
    check(
      `setsockopt(TCP_CONGESTION, "${congestion}")`,
      C.setsockopt(client, IPPROTO_TCP, TCP_CONGESTION, name, name.length),
    );
    check("connect()", C.connect(client, address, address.length));
    const server = open("accept()", C.accept(listener, null, null));
    cleanup.move();
    [this.#listener, this.#client, this.#server] = [listener, client, server];
  }

  /** The congestion control that the client has now. */
  get congestion(): string {
    const name = new Uint8Array(16);
    const length = new Uint32Array([name.length]);
    check("getsockopt(TCP_CONGESTION)", C.getsockopt(this.#client, IPPROTO_TCP, TCP_CONGESTION, name, length));
    return new TextDecoder().decode(name.subarray(0, name.indexOf(0)));
  }

  /** Sends bytes from client to server, a piece at a time, so that neither waits for the other. */
  transfer(bytes: number): void {
    const piece = new Uint8Array(16384);
    for (let left = bytes; left > 0;) {
      const sent = check("send()", C.send(this.#client, piece, BigInt(Math.min(piece.length, left)), 0));
      check("recv()", C.recv(this.#server, piece, sent, MSG_WAITALL));
      left -= Number(sent);
    }
  }

  /** Closes both ends. */
  [Symbol.dispose](): void {
    for (const fd of [this.#client, this.#server, this.#listener]) C.close(fd);
  }
}
