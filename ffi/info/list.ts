/**
 * All programs, maps, links and BTF objects that the kernel holds.
 *
 * @module
 */
import * as sys from "../sys/mod.ts";
import { fdInfo, numberOf } from "./fd_info.ts";

/** What the kernel says of a program. */
export interface ProgramDescription extends sys.ProgInfo {
  /** Ids of the maps that it uses. */
  readonly mapIds: readonly number[];
  /** Memory that it takes, in bytes. */
  readonly memlock: number;
  /** When it was loaded. */
  readonly loadedAt: Date;
}

/** What the kernel says of a map. */
export interface MapDescription extends sys.MapInfo {
  /** Memory that it takes, in bytes (before 5.11 what was charged to its user). */
  readonly memlock: number;
  /** Can user space only read it. */
  readonly frozen: boolean;
  /** Type of the programs that a program array holds: `BPF_PROG_TYPE_*`; 0 where none was put in yet. */
  readonly ownerProgType: number;
  /** Are those programs compiled. */
  readonly ownerJited: boolean;
}

/**
 * What the kernel says of a program.
 *
 * @throws {TypeError} if `fd` is no program.
 * @throws {sys.SyscallError} if the kernel refuses it.
 */
export function describeProgram(fd: number): ProgramDescription {
  sys.checkObjectKind(fd, "program");
  const info = sys.progInfo(fd);
  const { mapIds } = info.nrMapIds === 0 ? { mapIds: undefined } : sys.progArrays(fd, ["mapIds"]);
  return {
    ...info,
    mapIds: mapIds === undefined ? [] : [...new Uint32Array(mapIds.buffer)],
    memlock: numberOf(fdInfo(fd), "memlock"),
    loadedAt: sinceBoot(info.loadTime),
  };
}

/**
 * What the kernel says of a map.
 *
 * @throws {TypeError} if `fd` is no map.
 * @throws {sys.SyscallError} if the kernel refuses it.
 */
export function describeMap(fd: number): MapDescription {
  sys.checkObjectKind(fd, "map");
  const info = fdInfo(fd);
  return {
    ...sys.mapInfo(fd),
    memlock: numberOf(info, "memlock"),
    frozen: numberOf(info, "frozen") !== 0,
    ownerProgType: numberOf(info, "owner_prog_type"),
    ownerJited: numberOf(info, "owner_jited") !== 0,
  };
}

/**
 * All programs, in the order of their ids. One that goes meanwhile is left out.
 *
 * @throws {sys.SyscallError} if the kernel refuses it: it wants CAP_SYS_ADMIN.
 */
export function listPrograms(): IteratorObject<ProgramDescription, undefined> {
  return each(sys.progGetNextId, sys.progGetFdById, describeProgram);
}

/** All maps, as {@linkcode listPrograms}. */
export function listMaps(): IteratorObject<MapDescription, undefined> {
  return each(sys.mapGetNextId, sys.mapGetFdById, describeMap);
}

/** All links, as {@linkcode listPrograms}. */
export function listLinks(): IteratorObject<sys.LinkInfo, undefined> {
  return each(sys.linkGetNextId, sys.linkGetFdById, sys.linkInfo);
}

/** All loaded BTF: the kernel's, its modules', and that of programs and maps; as {@linkcode listPrograms}. */
export function listBtfs(): IteratorObject<sys.BtfInfo, undefined> {
  return each(sys.btfGetNextId, sys.btfGetFdById, sys.btfInfo);
}

function* each<T>(
  nextId: (id: number) => number | undefined,
  open: (id: number) => sys.Fd,
  describe: (fd: number) => T,
): Generator<T, undefined> {
  for (let id = nextId(0); id !== undefined; id = nextId(id)) {
    let fd: sys.Fd;
    try {
      fd = open(id);
    } catch (error) {
      if (error instanceof sys.SyscallError && error.code === "ENOENT") continue;
      throw error;
    }
    using _ = fd;
    const description = describe(fd.value);
    fd.close();
    yield description;
  }
}

/** A moment that the kernel counts in ns since boot. */
function sinceBoot(ns: bigint): Date {
  const boot = sys.clockGettime(sys.Clock.CLOCK_REALTIME) - sys.clockGettime(sys.Clock.CLOCK_BOOTTIME);
  return new Date(Number((boot + ns) / 1_000_000n));
}
