/**
 * Memory that the kernel reads must live until the call ends. Here much garbage is made, and collected, between the moment
 * when addresses are taken and the call itself: memory that nothing refers to is reused then, and read as 0xee. CI runs this
 * with `--v8-flags=--stress-compaction` too, which would show memory that moves.
 */
import { assertEquals } from "@std/assert";
import * as sys from "../../../ffi/sys/mod.ts";
import { BpfMapType } from "../../../lib/uapi/mod.ts";
import { needs } from "../../support/mod.ts";
import { inject } from "./inject.ts";
import { EXIT, moveImm } from "./programs.ts";

const BPF = needs({ bpf: true });

/** Makes garbage before each call of bpf(2). */
function withGarbage(): Disposable {
  return inject("bpf", (real) => (cmd, attr, size) => {
    // Large buffers bring a collection about, small ones take the place of what was freed.
    for (let i = 0; i < 40; i++) new Uint8Array(1 << 20);
    for (let i = 0; i < 2000; i++) new Uint8Array(i % 80 + 1).fill(0xee);
    return real(cmd, attr, size);
  });
}

/** An array of 16 values of 64 bytes. */
function array(): sys.Fd {
  return sys.mapCreate({ mapType: BpfMapType.BPF_MAP_TYPE_ARRAY, keySize: 4, valueSize: 64, maxEntries: 16 });
}

Deno.test({
  name: "keys and values that nothing else refers to reach the kernel whole",
  ...BPF,
  fn() {
    using map = array();
    using _ = withGarbage();
    let wrong = 0;
    for (let round = 0; round < 60; round++) {
      const index = round & 15;
      sys.mapUpdateElem(map.value, Uint8Array.of(index, 0, 0, 0), new Uint8Array(64).fill(round));
      const value = new Uint8Array(64);
      sys.mapLookupElem(map.value, Uint8Array.of(index, 0, 0, 0), value);
      if (value.some((byte) => byte !== (round & 0xff))) wrong++;
    }
    assertEquals(wrong, 0);
  },
});

Deno.test({
  name: "MapElements that is dropped after its last call",
  ...BPF,
  fn() {
    using map = array();
    const set = (round: number) => {
      const elements = new sys.MapElements(map, 4, 64);
      elements.key[0] = round & 15;
      elements.value.fill(round);
      elements.update();
    };
    const check = new sys.MapElements(map, 4, 64);
    using _ = withGarbage();
    let wrong = 0;
    for (let round = 0; round < 60; round++) {
      set(round);
      check.key[0] = round & 15;
      check.lookup();
      if (check.value.some((byte) => byte !== (round & 0xff))) wrong++;
    }
    assertEquals(wrong, 0);
  },
});

Deno.test({
  name: "instructions, license and strings of a program reach the kernel whole",
  ...BPF,
  fn() {
    using _ = withGarbage();
    let wrong = 0;
    for (let round = 0; round < 30; round++) {
      using prog = sys.progLoad({
        progType: 1,
        insns: Uint8Array.from([...moveImm(round), ...EXIT]),
        license: ["G", "P", "L"].join(""),
        progName: `p${round}`,
      });
      const { name, gplCompatible } = sys.progInfo(prog.value);
      const { returnValue } = sys.progTestRun(prog.value, { data: new Uint8Array(64) });
      if (name !== `p${round}` || !gplCompatible || returnValue !== round) wrong++;
    }
    assertEquals(wrong, 0);
  },
});

Deno.test({
  name: "many calls in a row, each with memory of its own",
  ...BPF,
  fn() {
    using map = array();
    let wrong = 0;
    for (let round = 0; round < 5000; round++) {
      sys.mapUpdateElem(map.value, Uint8Array.of(round & 15, 0, 0, 0), new Uint8Array(64).fill(round));
      const value = new Uint8Array(64);
      sys.mapLookupElem(map.value, Uint8Array.of(round & 15, 0, 0, 0), value);
      if (value.some((byte) => byte !== (round & 0xff))) wrong++;
    }
    assertEquals(wrong, 0);
  },
});
