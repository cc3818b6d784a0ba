/**
 * Creates maps on a kernel that is made to count them against RLIMIT_MEMLOCK, and prints what happens.
 *
 * @module
 */
import { calls, Errno, Fd, mapCreate, SyscallError } from "../../../ffi/sys/mod.ts";

let limit = "";
let attempts = 0;
let refuse = () => limit === "";
calls.setrlimit = (_resource, limits) => (limit = limits.toHex(), 0);
calls.bpf = () => (attempts++, refuse() ? -Errno.EPERM : 1000);
calls.close = () => 0;

const request = { mapType: 1, keySize: 4, valueSize: 4, maxEntries: 1 } as const;
const fd = mapCreate(request);
console.log(`${fd instanceof Fd ? "created" : "?"} after ${attempts} calls, limit ${limit}`);

attempts = 0;
refuse = () => true;
try {
  mapCreate(request);
} catch (error) {
  console.log(`${error instanceof SyscallError ? error.code : error} after ${attempts} call`);
}
