/**
 * The kernel, as typed functions: one per command of bpf(2), perf events, mapped memory, waiting, files.
 *
 * Nothing is opened on import. Functions take file descriptors as numbers and give new ones as {@linkcode Fd}; what
 * goes wrong is a {@linkcode SyscallError}. Facts: linux/bpf.h and linux/perf_event.h (Linux 7.2).
 *
 * @module
 */
export { btfLoad, type BtfLoadRequest } from "./btf.ts";
export { calls, type SystemCalls } from "./calls.ts";
export * from "./epoll.ts";
export { Errno, errnoName, errnoText } from "./errno.ts";
export { SyscallError, type SyscallErrorOptions, VerifierError, type VerifierErrorOptions } from "./errors.ts";
export { duplicateFd, Fd } from "./fd.ts";
export {
  type DirEntry,
  exists,
  fileSystemType,
  isReadable,
  isWritable,
  mapFile,
  MappedFile,
  mkdir,
  open,
  OpenFlag,
  read,
  readDir,
  readFile,
  readLink,
  readTextFile,
  rename,
  rmdir,
  unlink,
  writeFile,
} from "./files.ts";
export * from "./host.ts";
export { btfBytes, type BtfInfo, btfInfo, type MapInfo, mapInfo } from "./info.ts";
export { ffiAvailable } from "./libc.ts";
export * from "./link.ts";
export {
  type IterTarget,
  type LinkDetails,
  type LinkInfo,
  linkInfo,
  type LinkInfoBase,
  type PerfEventDetails,
} from "./link_info.ts";
export * from "./map.ts";
export { MapElements } from "./map_elements.ts";
export { mapMemory, type MapMemoryOptions, Mapping } from "./mapping.ts";
export * from "./netlink_device.ts";
export * from "./netlink_route.ts";
export * from "./netlink_tc.ts";
export * from "./object.ts";
export {
  type PerfEventAttr,
  perfEventDisable,
  perfEventEnable,
  perfEventId,
  perfEventOpen,
  perfEventPause,
  perfEventQueryBpf,
  perfEventSetBpf,
  type PerfEventTarget,
} from "./perf_event.ts";
export * from "./prog.ts";
export { progStreamRead } from "./prog_stream.ts";
export { type ProgArray, type ProgArrays, progArrays, type ProgInfo, progInfo } from "./prog_info.ts";
export {
  AddressFamily,
  attachReuseport,
  attachSocketFilter,
  detachReuseport,
  detachSocketFilter,
  packetSocket,
  setSocketOption,
  socket,
  SocketType,
} from "./socket.ts";
export { progTestRun, type TestRunOptions, type TestRunResult } from "./test_run.ts";
