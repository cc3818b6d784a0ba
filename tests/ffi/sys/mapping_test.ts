import { assert, assertEquals, assertThrows } from "@std/assert";
import * as sys from "../../../ffi/sys/mod.ts";
import { BpfMapFlag, BpfMapType } from "../../../lib/uapi/mod.ts";
import { needs } from "../../support/mod.ts";
import { inject } from "./inject.ts";

const BPF = needs({ bpf: true });

/** An array of 512 u64 whose memory can be mapped. */
function mmapable(): sys.Fd {
  return sys.mapCreate({
    mapType: BpfMapType.BPF_MAP_TYPE_ARRAY,
    keySize: 4,
    valueSize: 8,
    maxEntries: 512,
    mapFlags: BpfMapFlag.BPF_F_MMAPABLE,
  });
}

Deno.test({
  name: "mapMemory() shares an array's memory with the kernel, both ways",
  ...BPF,
  fn() {
    using map = mmapable();
    const elements = new sys.MapElements(map, 4, 8);
    using memory = sys.mapMemory({ fd: map.value, length: 4096, writable: true });
    const words = new BigUint64Array(memory.buffer);
    words[3] = 33n;
    elements.key[0] = 3;
    assert(elements.lookup());
    assertEquals(elements.value[0], 33);
    elements.key[0] = 4;
    elements.value[0] = 44;
    elements.update();
    assertEquals(words[4], 44n);
  },
});

Deno.test({
  name: "Mapping.close() detaches all views and unmaps once",
  ...BPF,
  fn() {
    using map = mmapable();
    const memory = sys.mapMemory({ fd: map.value, length: 4096 });
    const views = [memory.bytes, memory.bytes.subarray(8), new DataView(memory.buffer)];
    let unmapped = 0;
    using _ = inject("munmap", (real) => (address, length) => (unmapped++, real(address, length)));
    memory.close();
    memory.close();
    memory[Symbol.dispose]();
    assertEquals(unmapped, 1);
    assertEquals(views.slice(0, 2).map((view) => view.byteLength), [0, 0]);
    assertThrows(() => views[2]!.byteLength, TypeError);
    assertThrows(() => memory.buffer, TypeError, "no longer mapped");
  },
});

Deno.test({
  name: "mapMemory() of a frozen map: writable is refused, readable is not",
  ...BPF,
  fn() {
    using map = mmapable();
    sys.mapFreeze(map.value);
    const request = { fd: map.value, length: 4096 };
    const error = assertThrows(() => sys.mapMemory({ ...request, writable: true }), sys.SyscallError);
    assertEquals([error.call, error.code], ["mmap()", "EPERM"]);
    using memory = sys.mapMemory(request);
    assertEquals(memory.bytes.length, 4096);
  },
});

Deno.test({
  name: "a mapping outlives the file descriptor",
  ...BPF,
  fn() {
    const map = mmapable();
    using memory = sys.mapMemory({ fd: map.value, length: 4096, writable: true });
    map.close();
    memory.bytes[7] = 9;
    assertEquals(memory.bytes[7], 9);
  },
});
