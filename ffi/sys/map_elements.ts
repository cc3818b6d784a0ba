/**
 * The hot path to a map's elements: nothing is allocated and no address is taken per call.
 *
 * @module
 */
import { HOST_BYTE_ORDER } from "../../lib/bytes.ts";
import { BpfCmd } from "../../lib/uapi/mod.ts";
import { MAP_ELEM } from "./attr.ts";
import { calls } from "./calls.ts";
import { Errno } from "./errno.ts";
import { bpfError } from "./fail.ts";
import type { Fd } from "./fd.ts";
import { WireBuffer } from "./wire.ts";

/** Index of a field in the buffer seen as 32-bit words. */
const MAP_FD = MAP_ELEM.fields.mapFd[0] / 4;
const FLAGS = MAP_ELEM.fields.flags[0] / 4;
const LITTLE = HOST_BYTE_ORDER === "little";
/** Which of its two words is the lower half of a 64-bit value. */
const LOW = LITTLE ? 0 : 1;

/** Holds what the kernel works on: optimised code could let it go with the last use of the object, before the call ends. */
const IN_USE: [MapElements | undefined] = [undefined];

/**
 * One key and one value in memory of their own, and the command that refers to them, made once. Each call works on
 * {@linkcode MapElements.key} and {@linkcode MapElements.value}.
 *
 * A look-up costs the system call and about a tenth more, where taking addresses each time costs six times that.
 */
export class MapElements {
  /** The key: to be written before a call, and overwritten by {@linkcode MapElements.next}. */
  readonly key: Uint8Array<ArrayBuffer>;
  /** The value: read by updates, written by look-ups. */
  readonly value: Uint8Array<ArrayBuffer>;
  readonly #fd: Fd;
  readonly #attr: WireBuffer;
  readonly #words: Uint32Array<ArrayBuffer>;
  /** For the commands that take no value, or another one. */
  readonly #other: WireBuffer;
  readonly #keyAddress: bigint;
  readonly #place: string | undefined;

  /**
   * Allocates memory for a key and a value.
   *
   * @param fd The map; stays the caller's.
   * @param keySize Size of a key in bytes; 0 for maps without keys.
   * @param valueSize Size in bytes of what a look-up writes: for per-CPU maps the value size rounded up to 8, times the
   * number of possible CPUs.
   * @param place How errors call the map: `map "events"`.
   */
  constructor(fd: Fd, keySize: number, valueSize: number, place?: string) {
    this.#fd = fd;
    this.#place = place;
    this.key = new Uint8Array(keySize);
    this.value = new Uint8Array(valueSize);
    this.#attr = new WireBuffer(MAP_ELEM.size);
    this.#attr.fill(MAP_ELEM, { key: this.key, value: this.value });
    this.#words = new Uint32Array(this.#attr.bytes.buffer);
    this.#keyAddress = this.#attr.get(MAP_ELEM, "key");
    this.#other = new WireBuffer(MAP_ELEM.size);
  }

  /**
   * Copies the value of {@linkcode MapElements.key} to {@linkcode MapElements.value}.
   *
   * @param flags `BPF_F_LOCK`, `BPF_F_CPU` with the CPU's number times 2^32, ...
   * @returns `false` if there is no such key.
   * @throws {SyscallError} if the kernel refuses it.
   */
  lookup(flags = 0): boolean {
    return this.#found(BpfCmd.BPF_MAP_LOOKUP_ELEM, flags);
  }

  /**
   * As {@linkcode MapElements.lookup}, and removes the element.
   *
   * @throws {SyscallError} if the kernel refuses it.
   */
  lookupAndDelete(flags = 0): boolean {
    return this.#found(BpfCmd.BPF_MAP_LOOKUP_AND_DELETE_ELEM, flags);
  }

  /**
   * Sets the element.
   *
   * @param flags `BPF_ANY`, `BPF_NOEXIST`, `BPF_EXIST`, `BPF_F_LOCK`.
   * @throws {SyscallError} if the kernel refuses it.
   */
  update(flags = 0): void {
    const result = this.#call(BpfCmd.BPF_MAP_UPDATE_ELEM, flags);
    if (result < 0) throw this.#error(BpfCmd.BPF_MAP_UPDATE_ELEM, result);
  }

  /**
   * Removes the element of {@linkcode MapElements.key}.
   *
   * @returns `false` if there was none.
   * @throws {SyscallError} if the kernel refuses it.
   */
  delete(): boolean {
    // The kernel wants fields that a command does not use to be zero, so the value's address cannot stay.
    return this.#answer(BpfCmd.BPF_MAP_DELETE_ELEM, this.#callOther(BpfCmd.BPF_MAP_DELETE_ELEM, this.#keyAddress, 0n));
  }

  /**
   * Replaces {@linkcode MapElements.key} by the key after it.
   *
   * @param first Begin: the first key, whatever `key` holds.
   * @returns `false` if there are no more; `key` is as it was.
   * @throws {SyscallError} if the kernel refuses it.
   */
  next(first: boolean): boolean {
    const from = first ? 0n : this.#keyAddress;
    return this.#answer(
      BpfCmd.BPF_MAP_GET_NEXT_KEY,
      // The kernel reads the key before it writes the next one, so both may be the same memory.
      this.#callOther(BpfCmd.BPF_MAP_GET_NEXT_KEY, from, this.#keyAddress),
    );
  }

  #callOther(cmd: number, key: bigint, value: bigint): number {
    IN_USE[0] = this;
    const other = this.#other;
    other.view.setUint32(MAP_ELEM.fields.mapFd[0], this.#fd.value, LITTLE);
    other.view.setBigUint64(MAP_ELEM.fields.key[0], key, LITTLE);
    other.view.setBigUint64(MAP_ELEM.fields.value[0], value, LITTLE);
    return calls.bpf(cmd, other.pointer, MAP_ELEM.size);
  }

  #call(cmd: number, flags: number): number {
    IN_USE[0] = this;
    const words = this.#words;
    words[MAP_FD] = this.#fd.value;
    words[FLAGS + LOW] = flags;
    words[FLAGS + 1 - LOW] = flags / 0x1_0000_0000;
    return calls.bpf(cmd, this.#attr.pointer, MAP_ELEM.size);
  }

  #found(cmd: BpfCmd, flags: number): boolean {
    return this.#answer(cmd, this.#call(cmd, flags));
  }

  #answer(cmd: BpfCmd, result: number): boolean {
    if (result >= 0) return true;
    if (result === -Errno.ENOENT) return false;
    throw this.#error(cmd, result);
  }

  #error(cmd: BpfCmd, result: number): Error {
    const error = bpfError(cmd, result);
    return this.#place === undefined ? error : error.at(this.#place);
  }
}
