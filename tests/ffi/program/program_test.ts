import { assert, assertEquals, assertThrows } from "@std/assert";
import { BpfProgram, Collection, hostBtf, type ProgramImage, sys, VerifierError } from "../../../mod.ts";
import { assemble } from "../../../lib/asm/text/mod.ts";
import type { StructType } from "../../../lib/btf/mod.ts";
import { UnsupportedError } from "../../../lib/errors.ts";
import { BpfCmd, BpfProgType, BtfKind } from "../../../lib/uapi/mod.ts";
import { SK_BUFF, SK_LOOKUP, XDP_MD } from "../../../ffi/program/context.ts";
import { needs, openFds } from "../../support/mod.ts";
import { failBpf, inject } from "../sys/inject.ts";
import { args, objectSpec } from "../../kernel/support.ts";

const BPF = needs({ bpf: true });

function image(text: string, options: Partial<ProgramImage> = {}): ProgramImage {
  return {
    name: "made_by_test",
    type: BpfProgType.BPF_PROG_TYPE_SCHED_CLS,
    expectedAttachType: 0,
    flags: 0,
    license: "GPL",
    kernelVersion: 0,
    insns: assemble(text),
    funcInfo: new Uint8Array(0),
    lineInfo: new Uint8Array(0),
    attachBtfId: 0,
    ...options,
  };
}

const RETURN_0 = "r0 = 0\nexit";

Deno.test({
  name: "contexts have their fields where the kernel's structs have them",
  ...needs({ btf: true, ffi: true }),
  fn() {
    for (const [name, table] of Object.entries({ __sk_buff: SK_BUFF, xdp_md: XDP_MD, bpf_sk_lookup: SK_LOOKUP })) {
      const { members } = hostBtf().find(name, BtfKind.Struct) as StructType;
      const offsets = new Map(members.map((member) => [member.name, member.offsetBits / 8]));
      for (const [field, [offset]] of Object.entries(table)) {
        // `cookie` lies in an anonymous union, at the begin.
        if (field !== "cookie") assertEquals([field, offsets.get(field)], [field, offset]);
      }
    }
  },
});

Deno.test({
  name: "run() takes and gives struct __sk_buff as an object",
  ...BPF,
  fn() {
    using program = BpfProgram.load(image(`
      r2 = *(u32 *)(r1 +8)
      r2 += 1
      *(u32 *)(r1 +8) = r2
      r0 = *(u32 *)(r1 +48)
      exit`));
    const { returnValue, context } = program.run({ data: new Uint8Array(64), ctx: { mark: 41, cb: [7, 0, 0, 0, 0] } });
    assert(context !== undefined && "mark" in context);
    assertEquals([returnValue, context.mark, context.cb], [7, 42, [7, 0, 0, 0, 0]]);
    assertThrows(() => program.run({ data: new Uint8Array(64), ctx: { marc: 1 } }), TypeError, 'has no field "marc"');
    const tooLarge = { mark: 2 ** 32 };
    assertThrows(() => program.run({ data: new Uint8Array(64), ctx: tooLarge }), RangeError, "__sk_buff.mark");
    assertThrows(() => program.run({ data: new Uint8Array(64), ctx: { cb: [1] } }), TypeError, "not an array of 5");
  },
});

Deno.test({
  name: "run() takes struct xdp_md; the packet's end is its data's unless said",
  ...BPF,
  fn() {
    const type = BpfProgType.BPF_PROG_TYPE_XDP;
    using program = BpfProgram.load(image(
      `
      r0 = *(u32 *)(r1 +12)
      exit`,
      { type },
    ));
    const { returnValue, context, data } = program.run({ data: new Uint8Array(64), ctx: { ingress_ifindex: 1 } });
    assert(context !== undefined && "data_end" in context);
    assertEquals([returnValue, context.data_end, data.length], [1, 64, 64]);
  },
});

Deno.test({
  name: "run() takes struct bpf_sk_lookup and gives the cookie of the socket that was found",
  ...BPF,
  fn() {
    const options = { type: BpfProgType.BPF_PROG_TYPE_SK_LOOKUP, expectedAttachType: 36 } as const;
    using program = BpfProgram.load(image("r0 = *(u32 *)(r1 +60)\nr0 &= 1\nexit", options));
    const AF_INET = 2;
    const { returnValue, context } = program.run({ ctx: { family: AF_INET, protocol: 6, local_port: 443 } });
    assert(context !== undefined && "cookie" in context);
    assertEquals([returnValue, context.cookie, context.local_port], [1, 0n, 443]);
  },
});

Deno.test({
  name: "run() of a raw tracepoint takes its arguments, on a CPU of choice",
  ...BPF,
  fn() {
    const type = BpfProgType.BPF_PROG_TYPE_RAW_TRACEPOINT;
    using program = BpfProgram.load(image("r0 = *(u64 *)(r1 +8)\nexit", { type }));
    assertEquals(program.run({ ctx: [1, 77n] }).returnValue, 77);
    using cpu = BpfProgram.load(image("call get_smp_processor_id\nexit", { type }));
    for (const number of sys.onlineCpus()) assertEquals(cpu.run({ ctx: [], cpu: number }).returnValue, number);
    assertThrows(() => program.run({ ctx: { mark: 1 } }), TypeError, "give an array of numbers");
    assertThrows(() => program.run({ ctx: new Array(13).fill(0) }), RangeError, "at most 12");
  },
});

Deno.test({
  name: "run() of a syscall program takes the struct that its function takes, and gives it back",
  ...needs({ bpf: true, btf: true }),
  fn() {
    const spec = objectSpec("clang19", "truth_callbacks");
    using collection = Collection.load(spec);
    const program = collection.program("loop");
    const bytes = program.run({ ctx: args(10, 0, 0) });
    const { context } = program.run({ ctx: { n: 10n, sum: 0n, calls: 0n } });
    assert(context !== undefined);
    assertEquals(Object.values(context).slice(1, 3), [...new BigUint64Array(bytes.ctx.slice().buffer)].slice(1, 3));
  },
});

Deno.test({
  name: "run() of programs whose context is not known wants bytes",
  ...BPF,
  fn() {
    const type = BpfProgType.BPF_PROG_TYPE_SYSCALL;
    using program = BpfProgram.load(image(RETURN_0, { type, flags: 1 << 4 }));
    assertThrows(() => program.run({ ctx: { a: 1 } }), UnsupportedError, "give its bytes");
    assertEquals(program.run({ ctx: new Uint8Array(8) }).ctx, new Uint8Array(8));
  },
});

Deno.test({
  name: "run() repeats and measures",
  ...BPF,
  fn() {
    using program = BpfProgram.load(image(RETURN_0));
    using _ = sys.enableStats(0);
    program.run({ data: new Uint8Array(64), repeat: 1000 });
    assert(program.info().verifiedInsns > 0);
  },
});

Deno.test({
  name: "load() with a log level keeps the verifier's log of a program that it takes",
  ...BPF,
  fn() {
    using quiet = BpfProgram.load(image(RETURN_0));
    using program = BpfProgram.load(image(RETURN_0), undefined, { logLevel: 2 });
    using statistics = BpfProgram.load(image(RETURN_0), undefined, { logLevel: 4 });
    assertEquals(quiet.log, "");
    assert(program.log.includes("r0 = 0"), program.log);
    assert(/^verification time|^processed 2 insns/m.test(statistics.log), statistics.log);
  },
});

Deno.test({
  name: "load() tries EAGAIN a few times, with a log that grows as the kernel says, and then gives up",
  ...BPF,
  fn() {
    const before = openFds().size;
    let calls = 0;
    {
      using _ = inject("bpf", (real) => (cmd, attr, size) => {
        if (cmd !== BpfCmd.BPF_PROG_LOAD || ++calls > 3) return real(cmd, attr, size);
        return -11;
      });
      BpfProgram.load(image(RETURN_0)).close();
      assertEquals(calls, 4);
    }
    {
      using _ = failBpf(BpfCmd.BPF_PROG_LOAD, 11);
      const error = assertThrows(() => BpfProgram.load(image(RETURN_0)), sys.SyscallError);
      assertEquals([error.code, error.message.startsWith('program "made_by_test": ')], ["EAGAIN", true]);
    }
    assertEquals(openFds().size, before);
  },
});

Deno.test({
  name: "load() reads a log that is larger than its first buffer whole",
  ...BPF,
  fn() {
    // Every instruction is told of, and in the end r3 was never set.
    const text = `${"r0 = 0\n".repeat(30_000)}r0 = r3\nexit`;
    const error = assertThrows(() => BpfProgram.load(image(text), undefined, { logLevel: 2 }), VerifierError);
    assert(error.log.length > 1 << 20);
    assert(error.message.includes("R3 !read_ok"), error.message);
  },
});

Deno.test({
  name: "load() refers to maps by index in fdArray",
  ...BPF,
  fn() {
    using map = sys.mapCreate({ mapType: 2, keySize: 4, valueSize: 8, maxEntries: 1 });
    sys.mapUpdateElem(map.value, new Uint8Array(4), Uint8Array.of(33, 0, 0, 0, 0, 0, 0, 0));
    using program = BpfProgram.load(image(
      `
      *(u32 *)(r10 -4) = 0
      r1 = map[idx:1]
      r2 = r10
      r2 += -4
      call map_lookup_elem
      if r0 == 0 goto out
      r0 = *(u64 *)(r0 +0)
      out: exit`,
      { fdArray: [map.value, map.value] },
    ));
    assertEquals(program.run({ data: new Uint8Array(64) }).returnValue, 33);
  },
});

Deno.test({
  name: "fromId() opens a program, whose image is not known",
  ...BPF,
  fn() {
    using program = BpfProgram.load(image(RETURN_0));
    using same = BpfProgram.fromId(program.id);
    assertEquals([same.name, same.type, same.id], [program.name, program.type, program.id]);
    assertEquals(same.run({ data: new Uint8Array(64), ctx: { mark: 1 } }).returnValue, 0);
    assertThrows(() => same.image, UnsupportedError, "it was opened, not loaded here");
    const before = openFds().size;
    using map = sys.mapCreate({ mapType: 2, keySize: 4, valueSize: 8, maxEntries: 1 });
    assertThrows(() => BpfProgram.fromFd(map), TypeError, "is a map, not a program");
    assertEquals([map.closed, openFds().size], [true, before]);
  },
});
