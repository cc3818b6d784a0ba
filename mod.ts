/**
 * eBPF for Deno: read objects, relocate and link them, load programs and maps, attach, and stream typed events; with
 * `--allow-ffi` and nothing else installed. Importing this module opens nothing.
 *
 * ```ts ignore
 * import { Collection, openCollectionSpec } from "jsr:@debpf/debpf";
 *
 * const spec = openCollectionSpec("execsnoop.bpf.o");
 * using collection = Collection.load(spec);
 * collection.attach();
 * for await (const event of collection.events("events")) console.log(event.pid, event.comm);
 * ```
 *
 * @module
 */
export * from "./lib/errors.ts";
export * from "./lib/uapi/mod.ts";
export * from "./lib/uapi/versions/mod.ts";
export * from "./lib/asm/mod.ts";
export * as asm from "./lib/asm/build/mod.ts";
export * from "./lib/asm/flow/mod.ts";
export * from "./lib/asm/text/mod.ts";
export * from "./lib/btf/mod.ts";
export * from "./lib/btf/dedup/mod.ts";
export * from "./lib/btf/dump/mod.ts";
export * from "./lib/btf/questions/mod.ts";
export * from "./lib/core/mod.ts";
export * from "./lib/elf/mod.ts";
export * from "./lib/linker/mod.ts";
export * from "./lib/linker/join/mod.ts";
export * from "./lib/linker/static/mod.ts";
export * from "./lib/spec/mod.ts";
export * from "./lib/spec/needs/mod.ts";
export * from "./ffi/attach/mod.ts";
export * from "./ffi/btf/mod.ts";
export * from "./ffi/collection/mod.ts";
export * from "./ffi/events/mod.ts";
export * from "./ffi/host/mod.ts";
export * from "./ffi/info/mod.ts";
export * from "./ffi/map/mod.ts";
export * from "./ffi/pin/mod.ts";
export * from "./ffi/program/mod.ts";
export * from "./ffi/struct_ops/mod.ts";
export { SyscallError, VerifierError } from "./ffi/sys/mod.ts";
/** Every bpf(2) command and the other system calls of the library, as typed functions. */
export * as sys from "./ffi/sys/mod.ts";
