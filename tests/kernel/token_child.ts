/**
 * Run as root of a new user namespace: mounts a BPF file system there, which the test outside gives rights to, and says as
 * JSON what can be done with and without a token.
 *
 * @module
 */
import { BpfMap, Collection, openCollectionSpec } from "../../mod.ts";
import * as sys from "../../ffi/sys/mod.ts";
import { BpfMapType } from "../../lib/uapi/mod.ts";
import { fsmount, fsopen } from "./mount_calls.ts";

const attempt = (make: () => Disposable): string => {
  try {
    make()[Symbol.dispose]();
    return "done";
  } catch (error) {
    return error instanceof sys.SyscallError ? error.code : String(error);
  }
};

const context = fsopen("bpf");
console.log(JSON.stringify({ pid: Deno.pid, context }));
// The file system is made outside, by one who may give rights; then a byte comes.
await Deno.stdin.read(new Uint8Array(1));
using root = sys.open(`/proc/self/fd/${fsmount(context)}`);
using token = sys.tokenCreate(root.value);
const object = openCollectionSpec(Deno.args[0] ?? "");
const map = (rights: { token?: number }) =>
  BpfMap.create(
    { ...object.maps.values().next().value!, type: BpfMapType.BPF_MAP_TYPE_HASH, keySize: 4, valueSize: 4 },
    rights,
  );
const rights = { token: token.value };
console.log(JSON.stringify({
  without: [attempt(() => map({})), attempt(() => Collection.load(object))],
  with: [attempt(() => map(rights)), attempt(() => Collection.load(object, rights))],
}));
