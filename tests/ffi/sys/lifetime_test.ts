/**
 * Memory that the kernel reads must live until the call ends. Run these also with `--v8-flags=--stress-compaction`: then a
 * buffer that is dropped too early is gone at once.
 */
import { assertEquals } from "@std/assert";
import * as sys from "../../../ffi/sys/mod.ts";
import { BpfMapType } from "../../../lib/uapi/mod.ts";
import { needs } from "../../support/mod.ts";
import { EXIT, moveImm } from "./programs.ts";

const BPF = needs({ bpf: true });
const ROUNDS = 3000;

Deno.test({
  name: "keys and values that nothing else refers to reach the kernel whole",
  ...BPF,
  fn() {
    using map = sys.mapCreate({ mapType: BpfMapType.BPF_MAP_TYPE_ARRAY, keySize: 4, valueSize: 64, maxEntries: 16 });
    let wrong = 0;
    for (let round = 0; round < ROUNDS; round++) {
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
    using map = sys.mapCreate({ mapType: BpfMapType.BPF_MAP_TYPE_ARRAY, keySize: 4, valueSize: 64, maxEntries: 16 });
    const set = (round: number) => {
      const elements = new sys.MapElements(map, 4, 64);
      elements.key[0] = round & 15;
      elements.value.fill(round);
      elements.update();
    };
    const check = new sys.MapElements(map, 4, 64);
    let wrong = 0;
    for (let round = 0; round < ROUNDS; round++) {
      set(round);
      check.key[0] = round & 15;
      check.lookup();
      if (check.value.some((byte) => byte !== (round & 0xff))) wrong++;
    }
    assertEquals(wrong, 0);
  },
});

Deno.test({
  name: "instructions, license and name of a program reach the kernel whole",
  ...BPF,
  fn() {
    let wrong = 0;
    for (let round = 0; round < ROUNDS / 10; round++) {
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
