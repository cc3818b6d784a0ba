import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import * as sys from "../../../ffi/sys/mod.ts";
import { BpfMapFlag, BpfMapType, BpfProgType, BpfUpdateFlag } from "../../../lib/uapi/mod.ts";
import { needs, openFds } from "../../support/mod.ts";
import { EXIT, moveImm } from "./programs.ts";

const BPF = needs({ bpf: true });
const { SyscallError } = sys;

/** A hash map from u32 to u64. */
function hash(maxEntries = 8, mapFlags = 0): sys.Fd {
  const mapType = BpfMapType.BPF_MAP_TYPE_HASH;
  return sys.mapCreate({ mapType, keySize: 4, valueSize: 8, maxEntries, mapFlags, mapName: "sys_test.hash_map" });
}

const u32 = (...words: number[]) => new Uint8Array(Uint32Array.from(words).buffer);
const u64 = (...words: bigint[]) => new Uint8Array(BigUint64Array.from(words).buffer);

Deno.test({
  name: "mapCreate() makes a map with the given sizes, flags and name, and its Fd closes it",
  ...BPF,
  fn() {
    const before = openFds().size;
    {
      using map = hash(8, BpfMapFlag.BPF_F_NO_PREALLOC);
      const { type, keySize, valueSize, maxEntries, mapFlags, name, btfId } = sys.mapInfo(map.value);
      assertEquals([type, keySize, valueSize, maxEntries, mapFlags, name, btfId], [
        BpfMapType.BPF_MAP_TYPE_HASH,
        4,
        8,
        8,
        BpfMapFlag.BPF_F_NO_PREALLOC,
        "sys_test.hash_m",
        0,
      ]);
    }
    assertEquals(openFds().size, before);
  },
});

Deno.test({
  name: "mapUpdateElem(), mapLookupElem(), mapDeleteElem(), mapLookupAndDeleteElem() work on one element",
  ...BPF,
  fn() {
    using map = hash();
    const value = new Uint8Array(8);
    assertFalse(sys.mapLookupElem(map.value, u32(1), value));
    sys.mapUpdateElem(map.value, u32(1), u64(5n), BpfUpdateFlag.BPF_NOEXIST);
    assert(sys.mapLookupElem(map.value, u32(1), value));
    assertEquals(value, u64(5n));
    const refused = assertThrows(() => {
      sys.mapUpdateElem(map.value, u32(1), u64(6n), BpfUpdateFlag.BPF_NOEXIST);
    }, SyscallError);
    assertEquals(refused.code, "EEXIST");
    assertEquals(
      assertThrows(() => sys.mapUpdateElem(map.value, u32(2), value, BpfUpdateFlag.BPF_EXIST), SyscallError).code,
      "ENOENT",
    );
    assert(sys.mapDeleteElem(map.value, u32(1)));
    assertFalse(sys.mapDeleteElem(map.value, u32(1)));
  },
});

Deno.test({
  name: "mapLookupAndDeleteElem() pops from a queue, which has no keys",
  ...BPF,
  fn() {
    using queue = sys.mapCreate({ mapType: BpfMapType.BPF_MAP_TYPE_QUEUE, valueSize: 8, maxEntries: 4 });
    sys.mapUpdateElem(queue.value, null, u64(1n));
    sys.mapUpdateElem(queue.value, null, u64(2n));
    const value = new Uint8Array(8);
    assert(sys.mapLookupAndDeleteElem(queue.value, null, value));
    assertEquals(value, u64(1n));
    assert(sys.mapLookupAndDeleteElem(queue.value, null, value));
    assertFalse(sys.mapLookupAndDeleteElem(queue.value, null, value));
  },
});

Deno.test({
  name: "mapGetNextKey() goes through all keys, in place",
  ...BPF,
  fn() {
    using map = hash();
    const key = new Uint8Array(4);
    assertFalse(sys.mapGetNextKey(map.value, null, key));
    for (const word of [3, 5, 7]) sys.mapUpdateElem(map.value, u32(word), u64(0n));
    const keys: number[] = [];
    for (let more = sys.mapGetNextKey(map.value, null, key); more; more = sys.mapGetNextKey(map.value, key, key)) {
      keys.push(new Uint32Array(key.buffer)[0]!);
    }
    assertEquals(keys.sort(), [3, 5, 7]);
  },
});

Deno.test({
  name: "mapFreeze() leaves a map that user space can only read",
  ...BPF,
  fn() {
    using map = sys.mapCreate({ mapType: BpfMapType.BPF_MAP_TYPE_ARRAY, keySize: 4, valueSize: 8, maxEntries: 1 });
    sys.mapUpdateElem(map.value, u32(0), u64(9n));
    sys.mapFreeze(map.value);
    const error = assertThrows(() => sys.mapUpdateElem(map.value, u32(0), u64(1n)), SyscallError);
    assertEquals([error.code, error.hint], ["EPERM", "the map is frozen or was opened read-only"]);
    const value = new Uint8Array(8);
    assert(sys.mapLookupElem(map.value, u32(0), value));
    assertEquals(value, u64(9n));
    assertThrows(() => sys.mapFreeze(map.value), SyscallError, "the map is frozen already");
  },
});

Deno.test({
  name: "batches set, read, take and remove many elements",
  ...BPF,
  fn() {
    using map = hash(100);
    const keys = Uint32Array.from({ length: 100 }, (_, index) => index);
    const values = BigUint64Array.from(keys, (key) => BigInt(key) * 3n);
    assertEquals(sys.mapUpdateBatch(map.value, bytesOf(keys), bytesOf(values), 100), 100);
    assertEquals(readAll(map, sys.mapLookupBatch), new Map([...keys].map((key) => [key, BigInt(key) * 3n])));
    assertEquals(sys.mapDeleteBatch(map.value, bytesOf(keys.subarray(0, 40)), 40), 40);
    assertEquals(readAll(map, sys.mapLookupAndDeleteBatch).size, 60);
    assertEquals(readAll(map, sys.mapLookupBatch).size, 0);
    assertEquals(assertThrows(() => sys.mapDeleteBatch(map.value, bytesOf(keys), 1), SyscallError).code, "ENOENT");
  },
});

function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

function readAll(map: sys.Fd, read: typeof sys.mapLookupBatch): Map<number, bigint> {
  const count = 32;
  const keys = new Uint32Array(count);
  const values = new BigUint64Array(count);
  const cursor = new Uint8Array(4);
  const all = new Map<number, bigint>();
  for (let inBatch: Uint8Array | null = null;; inBatch = cursor) {
    const batch = { inBatch, outBatch: cursor, keys: bytesOf(keys), values: bytesOf(values), count };
    const result = read(map.value, batch);
    for (let index = 0; index < result.count; index++) all.set(keys[index]!, values[index]!);
    if (result.done) return all;
  }
}

Deno.test({
  name: "mapCreate() of a map in maps takes a template",
  ...BPF,
  fn() {
    using inner = hash();
    const mapType = BpfMapType.BPF_MAP_TYPE_ARRAY_OF_MAPS;
    using outer = sys.mapCreate({ mapType, keySize: 4, valueSize: 4, maxEntries: 2, innerMapFd: inner.value });
    sys.mapUpdateElem(outer.value, u32(0), u32(inner.value));
    const id = new Uint8Array(4);
    assert(sys.mapLookupElem(outer.value, u32(0), id));
    assertEquals(id, u32(sys.mapInfo(inner.value).id));
  },
});

Deno.test({
  name: "mapCreate() of nonsense says EINVAL and opens nothing",
  ...BPF,
  fn() {
    const before = openFds().size;
    const request = { mapType: BpfMapType.BPF_MAP_TYPE_ARRAY, keySize: 3, valueSize: 8, maxEntries: 1, mapName: "odd" };
    const error = assertThrows(() => sys.mapCreate(request), SyscallError);
    assert(error.message.startsWith('bpf(BPF_MAP_CREATE, "odd"): EINVAL (invalid argument): '), error.message);
    assertEquals(openFds().size, before);
  },
});

Deno.test({
  name: "MapElements looks up, sets, removes and walks with one key and one value",
  ...BPF,
  fn() {
    using map = hash(16);
    const elements = new sys.MapElements(map, 4, 8);
    const key = new Uint32Array(elements.key.buffer);
    const value = new BigUint64Array(elements.value.buffer);
    assertFalse(elements.next(true));
    for (const word of [1, 2, 3]) {
      key[0] = word;
      value[0] = BigInt(word) << 40n;
      elements.update(BpfUpdateFlag.BPF_NOEXIST);
    }
    assertEquals(assertThrows(() => elements.update(BpfUpdateFlag.BPF_NOEXIST), SyscallError).code, "EEXIST");
    const seen = new Map<number, bigint>();
    for (let more = elements.next(true); more; more = elements.next(false)) {
      assert(elements.lookup());
      seen.set(key[0]!, value[0]!);
    }
    assertEquals(
      seen,
      new Map([[1, 1n << 40n], [2, 2n << 40n], [3, 3n << 40n]].map(([k, v]) => [Number(k), BigInt(v!)])),
    );
    key[0] = 2;
    assert(elements.delete());
    assertFalse(elements.delete());
    assertFalse(elements.lookup());
  },
});

Deno.test({
  name: "MapElements.lookupAndDelete() takes an element out",
  ...needs({ bpf: true, features: ["takeFromHash"] }),
  fn() {
    using map = hash();
    const elements = new sys.MapElements(map, 4, 8);
    const value = new BigUint64Array(elements.value.buffer);
    value[0] = 3n << 40n;
    elements.update(0);
    value[0] = 0n;
    assert(elements.lookupAndDelete());
    assertEquals(value[0], 3n << 40n);
    assertFalse(elements.lookup());
    assertFalse(elements.lookupAndDelete());
  },
});

Deno.test({
  name: "MapElements hands 64-bit flags over whole",
  ...BPF,
  fn() {
    using map = hash();
    const elements = new sys.MapElements(map, 4, 8);
    // No map knows this flag, in the upper half of the word.
    assertEquals(assertThrows(() => elements.update(0x8000_0000_0000), SyscallError).code, "EINVAL");
    elements.update(0);
  },
});

Deno.test({
  name: "MapElements of a closed map throws EBADF, whoever has the number now",
  ...BPF,
  fn() {
    const map = hash();
    const elements = new sys.MapElements(map, 4, 8);
    map.close();
    using other = hash();
    assertFalse(other.closed);
    for (
      const attempt of [
        () => elements.lookup(),
        () => elements.update(),
        () => elements.delete(),
        () => elements.next(true),
      ]
    ) {
      assertEquals(assertThrows(attempt, SyscallError).code, "EBADF");
    }
  },
});

Deno.test({
  name: "mapCreate() makes a map for one program only, by the hash of its instructions",
  ...needs({ bpf: true, features: ["exclusiveMaps"] }),
  async fn() {
    // r1 = map; r0 = value; exit. The hash is of the instructions without the map's fd.
    const code = (fd: number, value: number) =>
      Uint8Array.of(0x18, 0x11, 0, 0, ...moveImm(fd).slice(4), 0, 0, 0, 0, 0, 0, 0, 0, ...moveImm(value), ...EXIT);
    const exclProgHash = new Uint8Array(await crypto.subtle.digest("SHA-256", code(0, 7)));
    const array = { mapType: BpfMapType.BPF_MAP_TYPE_ARRAY, keySize: 4, valueSize: 4, maxEntries: 1 };
    using map = sys.mapCreate({ ...array, exclProgHash });
    const load = (value: number) =>
      sys.progLoad({
        progType: BpfProgType.BPF_PROG_TYPE_SOCKET_FILTER,
        insns: code(map.value, value),
        license: "GPL",
      });
    load(7).close();
    assertEquals(assertThrows(() => load(8), sys.SyscallError).code, "EACCES");
  },
});
