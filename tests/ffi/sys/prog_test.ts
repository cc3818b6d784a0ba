import { assert, assertEquals, assertGreater, assertStringIncludes, assertThrows } from "@std/assert";
import * as sys from "../../../ffi/sys/mod.ts";
import { FormatError } from "../../../lib/errors.ts";
import { BpfMapType, BpfProgType } from "../../../lib/uapi/mod.ts";
import { needs, openFds } from "../../support/mod.ts";
import { EXIT, loadReturning, moveImm, returning } from "./programs.ts";

const BPF = needs({ bpf: true });
const { SyscallError } = sys;

const text = (log: Uint8Array) => new TextDecoder().decode(log.subarray(0, log.indexOf(0)));

Deno.test({
  name: "progLoad() loads a program, progTestRun() gives what it returns",
  ...BPF,
  fn() {
    using prog = loadReturning(-2, BpfProgType.BPF_PROG_TYPE_SCHED_CLS);
    const data = Uint8Array.from({ length: 64 }, (_, index) => index);
    const result = sys.progTestRun(prog.value, { data, repeat: 3 });
    assertEquals([result.returnValue, result.ctx.length], [0xffff_fffe, 0]);
    assertEquals(result.data, data);
  },
});

Deno.test({
  name: "progLoad() gives the verifier's log, and says how much there would have been",
  ...BPF,
  fn() {
    // r0 = 0 a few times, each with a line in the log; r0 = r9; exit
    const moves = Array.from({ length: 20 }, () => moveImm(0)).flat();
    const insns = Uint8Array.from([...moves, 0xbf, 0x90, 0, 0, 0, 0, 0, 0, ...EXIT]);
    const load = (log: Uint8Array) =>
      sys.progLoad({
        progType: BpfProgType.BPF_PROG_TYPE_SOCKET_FILTER,
        insns,
        license: "GPL",
        progName: "unread",
        log,
      });
    const before = openFds().size;
    const log = new Uint8Array(4096);
    const error = assertThrows(() => load(log), SyscallError);
    assertStringIncludes(error.message, 'bpf(BPF_PROG_LOAD, "unread"): EACCES');
    assertStringIncludes(text(log), "R9 !read_ok");
    // Kernels before 6.4 refuse a log of fewer bytes.
    const small = new Uint8Array(128);
    const cut = assertThrows(() => load(small), SyscallError);
    assertEquals(cut.code, "ENOSPC");
    // Kernels before 6.4 do not say.
    if (cut.logTrueSize !== undefined) assertEquals(cut.logTrueSize, text(log).length + 1);
    assertEquals(openFds().size, before);
  },
});

Deno.test("progLoad() refuses half an instruction and half a record", () => {
  const request = { progType: 1, license: "GPL" } as const;
  assertThrows(() => sys.progLoad({ ...request, insns: new Uint8Array(12) }), FormatError, "12 bytes");
  const lineInfo = new Uint8Array(20);
  assertThrows(() => sys.progLoad({ ...request, insns: returning(0), lineInfo }), FormatError, "lineInfo");
});

Deno.test({
  name: "progLoad() hands over name, license and flags",
  ...BPF,
  fn() {
    using gpl = loadReturning(1);
    const info = sys.progInfo(gpl.value);
    assertEquals([info.name, info.gplCompatible, info.type], [
      "returning",
      true,
      BpfProgType.BPF_PROG_TYPE_SOCKET_FILTER,
    ]);
    using other = sys.progLoad({ progType: BpfProgType.BPF_PROG_TYPE_XDP, insns: returning(2), license: "other" });
    assertEquals([sys.progInfo(other.value).gplCompatible, sys.progInfo(other.value).name], [false, ""]);
  },
});

Deno.test({
  name: "progInfo() and progArrays() give sizes and contents",
  ...BPF,
  fn() {
    using map = sys.mapCreate({ mapType: BpfMapType.BPF_MAP_TYPE_ARRAY, keySize: 4, valueSize: 4, maxEntries: 1 });
    const mapFd = moveImm(map.value).slice(4);
    // r1 = map (BPF_PSEUDO_MAP_FD); r0 = 0; exit
    const insns = Uint8Array.from([0x18, 0x11, 0, 0, ...mapFd, 0, 0, 0, 0, 0, 0, 0, 0, ...moveImm(0), ...EXIT]);
    using prog = sys.progLoad({ progType: BpfProgType.BPF_PROG_TYPE_SOCKET_FILTER, insns, license: "GPL" });
    const info = sys.progInfo(prog.value);
    assertEquals([info.nrMapIds, info.xlatedProgLen, info.tag.length], [1, insns.length, 8]);
    assertGreater(info.id, 0);
    assertGreater(info.loadTime, 0n);
    const { mapIds, xlatedProgInsns, funcInfo } = sys.progArrays(prog.value, ["mapIds", "xlatedProgInsns", "funcInfo"]);
    assertEquals(mapIds && new Uint32Array(mapIds.buffer), Uint32Array.of(sys.mapInfo(map.value).id));
    assertEquals(xlatedProgInsns?.subarray(-8), Uint8Array.from(EXIT));
    assertEquals(funcInfo, undefined);
  },
});

Deno.test({
  name: "progTestRun() gives back the context of a packet program",
  ...BPF,
  fn() {
    using packet = loadReturning(7, BpfProgType.BPF_PROG_TYPE_SCHED_CLS);
    // struct __sk_buff with mark (offset 8) set.
    const skb = new Uint8Array(192);
    skb[8] = 42;
    const result = sys.progTestRun(packet.value, { data: new Uint8Array(64), ctx: skb });
    assertEquals([result.returnValue, result.ctx[8]], [7, 42]);
  },
});

Deno.test({
  name: "progTestRun() gives back the context of a syscall program",
  ...needs({ bpf: true, features: ["syscallPrograms"] }),
  fn() {
    // *(u32 *)(r1 + 0) = 5; r0 = 0; exit
    const insns = Uint8Array.from([0x62, 1, 0, 0, 5, 0, 0, 0, ...moveImm(0), ...EXIT]);
    const progFlags = 0x10;
    using syscall = sys.progLoad({ progType: BpfProgType.BPF_PROG_TYPE_SYSCALL, insns, license: "GPL", progFlags });
    const ctx = new Uint8Array(8);
    assertEquals(sys.progTestRun(syscall.value, { ctx }).ctx, Uint8Array.of(5, 0, 0, 0, 0, 0, 0, 0));
    assertEquals(ctx, new Uint8Array(8));
  },
});

Deno.test({
  name: "progTestRun() of a raw tracepoint program takes arguments and gives no context back",
  ...BPF,
  fn() {
    // r0 = *(u64 *)(r1 + 0); exit
    const insns = Uint8Array.from([0x79, 0x10, 0, 0, 0, 0, 0, 0, ...EXIT]);
    using prog = sys.progLoad({ progType: BpfProgType.BPF_PROG_TYPE_RAW_TRACEPOINT, insns, license: "GPL" });
    const result = sys.progTestRun(prog.value, { ctx: new Uint8Array(BigUint64Array.of(77n).buffer) });
    assertEquals([result.returnValue, result.ctx.length], [77, 0]);
  },
});

Deno.test({
  name: "progTestRun() with too little room says ENOSPC",
  ...BPF,
  fn() {
    using prog = loadReturning(0);
    const options = { data: new Uint8Array(64), dataSizeOut: 10 };
    assertEquals(assertThrows(() => sys.progTestRun(prog.value, options), SyscallError).code, "ENOSPC");
  },
});

Deno.test({
  name: "progBindMap() makes a map one of the program's",
  ...BPF,
  fn() {
    using map = sys.mapCreate({ mapType: BpfMapType.BPF_MAP_TYPE_ARRAY, keySize: 4, valueSize: 4, maxEntries: 1 });
    using prog = loadReturning(0);
    assertEquals(sys.progInfo(prog.value).nrMapIds, 0);
    sys.progBindMap(prog.value, map.value);
    assertEquals(sys.progInfo(prog.value).nrMapIds, 1);
  },
});

Deno.test({
  name: "ids lead to the object and end with undefined",
  ...BPF,
  fn() {
    using prog = loadReturning(3);
    const { id } = sys.progInfo(prog.value);
    assertEquals(sys.progGetNextId(id - 1), id);
    using again = sys.progGetFdById(id);
    assertEquals(sys.progInfo(again.value).id, id);
    assertEquals(sys.progGetNextId(0x7fff_fff0), undefined);
    const error = assertThrows(() => sys.progGetFdById(0x7fff_fff0), SyscallError);
    assert(error.message.startsWith("bpf(BPF_PROG_GET_FD_BY_ID, id 2147483632): ENOENT"), error.message);
  },
});

Deno.test({
  name: "enableStats() counts runs while it is open",
  ...BPF,
  fn() {
    using prog = loadReturning(0);
    {
      using _stats = sys.enableStats(0);
      sys.progTestRun(prog.value, { data: new Uint8Array(64), repeat: 10 });
    }
    // Test runs count from 5.x on for some types only; the call itself is what matters.
    assert(sys.progInfo(prog.value).runCnt >= 0n);
  },
});

Deno.test({
  name: "objPin() and objGet() keep an object under a name",
  ...needs({ bpf: true, bpffs: true }),
  fn() {
    const path = `/sys/fs/bpf/debpf-test-${Deno.pid}`;
    using map = sys.mapCreate({ mapType: BpfMapType.BPF_MAP_TYPE_ARRAY, keySize: 4, valueSize: 4, maxEntries: 1 });
    sys.objPin(map.value, path);
    try {
      using again = sys.objGet(path);
      assertEquals(sys.mapInfo(again.value).id, sys.mapInfo(map.value).id);
      assertEquals(assertThrows(() => sys.objPin(map.value, path), SyscallError).code, "EEXIST");
    } finally {
      sys.unlink(path);
    }
    assertEquals(assertThrows(() => sys.objGet(path), SyscallError).hint, "nothing is pinned there");
  },
});

Deno.test({
  name: "btfLoad() loads BTF, btfInfo() and btfBytes() give it back",
  ...BPF,
  fn() {
    const btf = tinyBtf();
    using fd = sys.btfLoad({ btf });
    const info = sys.btfInfo(fd.value);
    assertEquals([info.btfSize, info.name, info.kernelBtf], [btf.length, "", false]);
    assertEquals(sys.btfBytes(fd.value), btf);
    using again = sys.btfGetFdById(info.id);
    assertEquals(sys.btfInfo(again.value).id, info.id);
    const log = new Uint8Array(4096);
    assertThrows(() => sys.btfLoad({ btf: btf.subarray(0, 20), log }), SyscallError, "BPF_BTF_LOAD");
    assertGreater(text(log).length, 0);
  },
});

/** BTF with one type, `int`. */
function tinyBtf(): Uint8Array<ArrayBuffer> {
  const types = Uint32Array.of(1, 1 << 24, 4, 1 << 24 | 32);
  const strings = new TextEncoder().encode("\0int\0");
  const bytes = new Uint8Array(24 + types.byteLength + strings.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x0001_eb9f, true);
  [24, 0, types.byteLength, types.byteLength, strings.length].forEach((word, index) =>
    view.setUint32(4 + index * 4, word, true)
  );
  bytes.set(new Uint8Array(types.buffer), 24);
  bytes.set(strings, 24 + types.byteLength);
  return bytes;
}
