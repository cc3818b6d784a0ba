/**
 * A struct_ops map whose programs are loaded. Facts: kernel/bpf/bpf_struct_ops.c (Linux 6.18).
 *
 * - Without `BPF_F_LINK`, updating the map's only element registers the struct with its subsystem, deleting it unregisters;
 *   nobody but the map's element keeps it registered. A map can be so registered once.
 * - With it (6.4), the update only fills in the value; a link registers it, and can be pointed at another such map.
 *
 * @module
 */
import { HOST_BYTE_ORDER } from "../../lib/bytes.ts";
import { UnsupportedError } from "../../lib/errors.ts";
import type { StructOpsImage } from "../../lib/linker/mod.ts";
import { BpfAttachType, BpfMapFlag } from "../../lib/uapi/mod.ts";
import { Link } from "../attach/mod.ts";
import type { BpfMap } from "../map/mod.ts";
import * as sys from "../sys/mod.ts";

/** The key of a struct_ops map's only element. */
const KEY = new Uint8Array(4);

/** What the kernel's answers mean here. */
const HINTS: ReadonlyMap<string, string> = new Map([
  ["EEXIST", "one of that name is registered: give it another name, or unregister the other"],
  ["EBUSY", 'it is or was registered, which is possible once: load it again, or use SEC(".struct_ops.link")'],
]);

/** A kernel struct whose functions are programs. */
export class StructOps {
  /** Its map. */
  readonly map: BpfMap;
  /** Name of the kernel's struct: `tcp_congestion_ops`. */
  readonly type: string;
  /** `undefined` of a map that was there before, which has its value. */
  readonly #value: Uint8Array | undefined;

  private constructor(map: BpfMap, type: string, value: Uint8Array | undefined) {
    this.map = map;
    this.type = type;
    this.#value = value;
  }

  /**
   * Puts the programs into the value. With `BPF_F_LINK` the map is filled, so that any link can be pointed at it.
   *
   * @param map The map, created for the image.
   * @param image Its value in the kernel's layout.
   * @param fdOf File descriptor of a loaded program by its name.
   * @throws {sys.SyscallError} if the kernel refuses the value.
   */
  static fill(map: BpfMap, image: StructOpsImage, fdOf: (program: string) => number): StructOps {
    const value = image.value.slice();
    const view = new DataView(value.buffer);
    for (const { offset, program } of image.programs) {
      view.setBigUint64(offset, BigInt(fdOf(program)), HOST_BYTE_ORDER === "little");
    }
    const made = new StructOps(map, image.type.name, value);
    if (made.linked) made.#update(value);
    return made;
  }

  /** Of a map that was there before, with its value. */
  static reuse(map: BpfMap, image: StructOpsImage): StructOps {
    return new StructOps(map, image.type.name, undefined);
  }

  /** Is it registered by a link, so that it can be updated. */
  get linked(): boolean {
    return (this.map.spec.flags & BpfMapFlag.BPF_F_LINK) !== 0;
  }

  /**
   * Registers it. The link belongs to the caller; closing it unregisters; what uses it goes on until it ends. `link.update(map)`
   * puts another map in its place, if it is registered by a link.
   *
   * @throws {sys.SyscallError} if the kernel refuses it: code `EEXIST` if the subsystem has one of that name.
   * @throws {UnsupportedError} if it is the map of somebody else, and registered by an update.
   */
  attach(): Link {
    const about = { kind: "struct_ops", target: this.type, program: this.map.name } as const;
    if (this.linked) {
      const fd = this.#at(() => sys.linkCreate({ mapFd: this.map.fd, attachType: BpfAttachType.BPF_STRUCT_OPS }));
      return new Link({ ...about, fds: [fd], links: [fd] });
    }
    using cleanup = new DisposableStack();
    const fd = cleanup.use(sys.duplicateFd(this.map.fd));
    this.register();
    cleanup.move();
    return new Link({ ...about, fds: [fd], undo: () => void unregisterStructOps(fd.value) });
  }

  /**
   * Registers it without a link: it stays when this process ends, until {@linkcode unregisterStructOps}.
   *
   * @throws {sys.SyscallError} as {@linkcode StructOps.attach}.
   * @throws {UnsupportedError} if it is registered by a link, or is the map of somebody else.
   */
  register(): void {
    if (!this.linked && this.#value !== undefined) return this.#update(this.#value);
    const why = this.linked
      ? 'it is in SEC(".struct_ops.link"), which only a link registers: attach it, and pin the link'
      : "the map was there before, and is registered by whoever fills it";
    throw new UnsupportedError("registering struct_ops by an update", `${this.#place}: ${why}`);
  }

  get #place(): string {
    return `struct_ops "${this.map.name}" (${this.type})`;
  }

  #update(value: Uint8Array): void {
    this.#at(() => sys.mapUpdateElem(this.map.fd, KEY, value));
  }

  #at<T>(call: () => T): T {
    try {
      return call();
    } catch (error) {
      if (!(error instanceof sys.SyscallError)) throw error;
      const hint = HINTS.get(error.code);
      if (hint === undefined) throw error.at(this.#place);
      throw new sys.SyscallError(error.call, error.errno, { hint, place: this.#place, cause: error });
    }
  }
}

/**
 * Unregisters the struct of a map that an update registered; what uses it goes on until it ends.
 *
 * @param mapFd The map.
 * @returns `false` if it is not registered.
 * @throws {sys.SyscallError} if the kernel refuses it: code `EOPNOTSUPP` or `ENOTSUPP` of one that a link registers.
 */
export function unregisterStructOps(mapFd: number): boolean {
  try {
    return sys.mapDeleteElem(mapFd, KEY);
  } catch (error) {
    // It was unregistered, and something uses it still.
    if (error instanceof sys.SyscallError && error.code === "EINPROGRESS") return false;
    throw error;
  }
}
