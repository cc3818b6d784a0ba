/**
 * What BPF iterators print (kernel/bpf/bpf_iter.c, 5.8): text, or structs that bpf_seq_write writes.
 *
 * @module
 */
import type { Codec, Value } from "../../lib/btf/mod.ts";
import { FormatError } from "../../lib/errors.ts";
import { attachIter, type AttachIterOptions } from "../attach/mod.ts";
import type { BpfProgram } from "../program/mod.ts";
import * as sys from "../sys/mod.ts";
import { nap } from "./pace.ts";

/** The kernel gives at most so much at a time (8 pages), and needs no more. */
const CHUNK_BYTES = 32768;
/** Others get their turn after this time. */
const TURN_MS = 10;

/**
 * One run of an iterator, to be read once: as bytes, text, lines or values. Leaving a loop closes it.
 *
 * The program runs while it is read. To run it again, open it again.
 */
export class BpfIterator implements Disposable {
  readonly #fd: sys.Fd;

  /**
   * Takes over a file to read.
   *
   * @param fd Of `BPF_ITER_CREATE`, or of a pinned link.
   */
  constructor(fd: sys.Fd) {
    this.#fd = fd;
  }

  /**
   * Runs an iterator program once.
   *
   * @param program The program, of a section `iter/...`.
   * @param options What it walks, for iterators that have to be told or can be.
   * @throws {Error} if this iterator has to be told.
   * @throws {SyscallError} if the kernel refuses it.
   */
  static open(program: BpfProgram, options: AttachIterOptions = {}): BpfIterator {
    using link = attachIter(program, options);
    return BpfIterator.ofLink(link.fd);
  }

  /**
   * Runs the iterator of a link once.
   *
   * @param linkFd Its file descriptor; may be closed afterwards.
   * @throws {SyscallError} if it is no iterator's link.
   */
  static ofLink(linkFd: number): BpfIterator {
    return new BpfIterator(sys.iterCreate(linkFd));
  }

  /**
   * Runs an iterator that is pinned.
   *
   * @param path Its name in a BPF file system.
   * @throws {SyscallError} if there is none.
   */
  static openPinned(path: string): BpfIterator {
    return new BpfIterator(sys.open(path));
  }

  /** What it prints, in pieces of any size. The bytes are a copy. */
  async *bytes(): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
    using _this = this;
    const buffer = new Uint8Array(CHUNK_BYTES);
    let began = performance.now();
    for (;;) {
      const length = sys.read(this.#fd.value, buffer);
      if (length === 0) return;
      // EAGAIN: a million objects in a row of which nothing was printed.
      if (length !== undefined) yield buffer.slice(0, length);
      if (performance.now() - began < TURN_MS) continue;
      await nap();
      began = performance.now();
    }
  }

  /** All that it prints, as text. */
  async text(): Promise<string> {
    const decoder = new TextDecoder();
    let text = "";
    for await (const piece of this.bytes()) text += decoder.decode(piece, { stream: true });
    return text + decoder.decode();
  }

  /** The lines that it prints. */
  async *lines(): AsyncGenerator<string, void, undefined> {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const piece of this.bytes()) {
      const lines = (rest + decoder.decode(piece, { stream: true })).split("\n");
      rest = lines.pop()!;
      yield* lines;
    }
    rest += decoder.decode();
    if (rest !== "") yield rest;
  }

  /**
   * The values that it writes, one behind the other.
   *
   * @param codec Of their type: `compileCodec(type, ...)`.
   * @throws {FormatError} if what it writes ends in the middle of a value.
   */
  async *values<T extends Value = Value>(codec: Codec): AsyncGenerator<T, void, undefined> {
    let rest: Uint8Array<ArrayBuffer> = new Uint8Array(0);
    for await (const piece of this.bytes()) {
      const all = rest.length === 0 ? piece : concat(rest, piece);
      const view = new DataView(all.buffer);
      let at = 0;
      for (; at + codec.size <= all.length; at += codec.size) yield codec.decode(view, at) as T;
      rest = all.slice(at);
    }
    if (rest.length > 0) {
      throw new FormatError(`an iterator's output ends with ${rest.length} bytes of a value of ${codec.size} bytes`);
    }
  }

  /** Ends it. Closing again does nothing. */
  close(): void {
    this.#fd.close();
  }

  /** As {@linkcode BpfIterator.close}. */
  [Symbol.dispose](): void {
    this.close();
  }
}

function concat(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
