/**
 * Names in a BPF file system.
 *
 * @module
 */
export { BPF_FS, checkPinPath, isBpfFs } from "./path.ts";
export { movePin, pin, type PinOptions, unpin } from "./pin.ts";
export { type OpenedPin, openPin, type Pin, type PinKind, pins } from "./walk.ts";
