/** `__arg_ctx` for kernels without the tag: types of functions and the BTF that is loaded. */
import { assert, assertEquals } from "@std/assert";
import { Btf, type BtfType, FUNC_INFO, type FuncType } from "../../../lib/btf/mod.ts";
import { formatDeclaration } from "../../../lib/btf/questions/mod.ts";
import { relocateCollection, type RelocatedProgram } from "../../../lib/linker/mod.ts";
import { FUNC_TAGS, readCollectionSpec } from "../../../lib/spec/mod.ts";
import { BpfProgType, BtfKind } from "../../../lib/uapi/mod.ts";
import { inRepository } from "../../support/mod.ts";
import { withContextArguments } from "../../../lib/linker/context_arguments.ts";
import { func, proto, ptr, S32, struct, typedef, U32, U64, VOID } from "../core/types.ts";
import { declTag } from "../spec/btf_object.ts";
import { EXIT, mov, program } from "./builders.ts";

const MISSING = new Set(["arg_ctx_tag"] as const);

/** The type of the argument that is tagged in a program of type `type`, as an old kernel gets it. */
function argument(type: BpfProgType, tagged: BtfType, linkage: FuncType["linkage"] = "global"): string {
  const taker = { ...func("taker", proto(S32, tagged, U32)), linkage };
  const insn = mov(0).with(FUNC_INFO, taker).with(FUNC_TAGS, [declTag("arg:ctx", taker, 0)]);
  const [first] = withContextArguments(program([], { type }), [insn, EXIT], MISSING);
  const changed = first!.get(FUNC_INFO)!;
  assertEquals(first!.get(FUNC_TAGS)!.map(({ target }) => target === changed), [true]);
  return formatDeclaration(changed);
}

Deno.test("withContextArguments() gives a tagged argument the type of the program's context", () => {
  const { BPF_PROG_TYPE_XDP, BPF_PROG_TYPE_KPROBE, BPF_PROG_TYPE_RAW_TRACEPOINT, BPF_PROG_TYPE_PERF_EVENT } =
    BpfProgType;
  const regs = ptr(struct("pt_regs", 8, []));
  const cases: [BpfProgType, BtfType, string][] = [
    [BPF_PROG_TYPE_XDP, ptr(VOID), "int taker(struct xdp_md *, unsigned int)"],
    [BPF_PROG_TYPE_XDP, typedef("ctx_t", ptr(typedef("nothing", VOID))), "int taker(struct xdp_md *, unsigned int)"],
    [BPF_PROG_TYPE_KPROBE, regs, "int taker(struct bpf_user_pt_regs_t *, unsigned int)"],
    [BPF_PROG_TYPE_PERF_EVENT, regs, "int taker(struct bpf_perf_event_data *, unsigned int)"],
    [BPF_PROG_TYPE_RAW_TRACEPOINT, ptr(U64), "int taker(struct bpf_raw_tracepoint_args *, unsigned int)"],
  ];
  for (const [type, given, expected] of cases) assertEquals(argument(type, given), expected);
});

Deno.test("withContextArguments() leaves what is right, what it cannot know, and static functions", () => {
  const { BPF_PROG_TYPE_XDP, BPF_PROG_TYPE_KPROBE, BPF_PROG_TYPE_RAW_TRACEPOINT, BPF_PROG_TYPE_TRACING } = BpfProgType;
  const regs = ptr(typedef("bpf_user_pt_regs_t", struct("pt_regs", 8, [])));
  const cases: [BpfProgType, BtfType, string][] = [
    [BPF_PROG_TYPE_XDP, ptr(struct("xdp_md", 4, [])), "int taker(struct xdp_md *, unsigned int)"],
    [BPF_PROG_TYPE_XDP, ptr(struct("other", 4, [])), "int taker(struct other *, unsigned int)"],
    [BPF_PROG_TYPE_XDP, U64, "int taker(unsigned long, unsigned int)"],
    [BPF_PROG_TYPE_KPROBE, regs, "int taker(bpf_user_pt_regs_t *, unsigned int)"],
    [BPF_PROG_TYPE_RAW_TRACEPOINT, ptr(U32), "int taker(unsigned int *, unsigned int)"],
    [BPF_PROG_TYPE_TRACING, ptr(VOID), "int taker(void *, unsigned int)"],
  ];
  for (const [type, given, expected] of cases) assertEquals(argument(type, given), expected);
  assertEquals(argument(BPF_PROG_TYPE_XDP, ptr(VOID), "static"), "int taker(void *, unsigned int)");
});

for (const compiler of ["clang14", "clang19"]) {
  Deno.test(`relocateCollection(): ${compiler}/arg_ctx: BTF has the functions that kernels without the tag take`, () => {
    const path = inRepository(`testdata/${compiler}/arg_ctx.bpf.o`);
    const spec = readCollectionSpec(Deno.readFileSync(path));
    const read = (missing?: typeof MISSING) => {
      const { programs, btf } = relocateCollection(spec, { targets: [], missing });
      const packet = programs.get("packet") as RelocatedProgram;
      return { names: functions(packet), btf: Btf.parse(btf!), insns: packet.insns.length };
    };
    const [plain, old] = [read(), read(MISSING)];
    assert(plain.names.includes("u32 tagged(void *ctx, u32 more)"), plain.names.join("; "));
    assertEquals(
      old.names.filter((name) => /tagged|second|named/.test(name)).sort(),
      [
        "u32 named(struct xdp_md *ctx)",
        "u32 second(u32 more, struct xdp_md *ctx)",
        "u32 tagged(struct xdp_md *ctx, u32 more)",
      ],
    );
    assertEquals(old.insns, plain.insns);
    // The tags are on the functions that are loaded, each of which is there once.
    const tags = [...old.btf.types()].filter((type) => type.kind === BtfKind.DeclTag);
    assertEquals(tags.map(({ target }) => formatDeclaration(target)).sort(), [
      "u32 arguments(struct bpf_raw_tracepoint_args *ctx, u32 factor)",
      "u32 second(u32 more, struct xdp_md *ctx)",
      "u32 tagged(struct xdp_md *ctx, u32 more)",
    ]);
    assertEquals(old.btf.findIds("tagged", BtfKind.Func).length, 1);
  });
}

function functions({ insns }: RelocatedProgram): string[] {
  return insns.map((insn) => insn.get(FUNC_INFO)).filter((type) => type !== undefined).map((type) =>
    formatDeclaration(type)
  );
}
