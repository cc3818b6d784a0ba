/**
 * Objects that are odd, or that libbpf refuses: we make the same of them, and where both refuse them ours says why. Compiled by
 * the test, since none of them can be of use to anybody.
 */
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { clangPath, inRepository, needs, run } from "../support/mod.ts";
import { compareRelocation } from "./compare_relocation.ts";

/** A source, and a part of the error; none of an object that both take. */
interface Odd {
  readonly name: string;
  readonly source: string;
  readonly error?: string;
}

const HASH = "__uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 3); __type(key, u32); __type(value, u32);";
const INNER =
  "struct inner { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 4); __type(key, u32); __type(value, u64); }";
const USE = 'SEC("xdp") s32 use(void *ctx) { u32 k = 0; return bpf_map_lookup_elem(&m, &k) != NULL; }';

const MAPS: readonly Odd[] = [
  {
    name: "a map member that is unknown",
    source: `struct { ${HASH} __uint(frob, 3); } m SEC(".maps"); ${USE}`,
    error: 'map "m": member "frob" is unknown',
  },
  {
    name: "map members that contradict each other",
    source: `struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(key_size, 8); __type(key, u32); } m SEC(".maps"); ${USE}`,
    error: 'map "m": member "key" says that the key has 4 bytes, another member says 8',
  },
  {
    name: "a map without a type",
    source: `struct { __uint(max_entries, 5); } m SEC(".maps"); ${USE}`,
    error: 'map "m" has no type',
  },
  {
    name: "values of a map that holds none",
    source: `${INNER}; struct { ${HASH} __array(values, struct inner); } m SEC(".maps"); ${USE}`,
    error: 'map "m": member "values" belongs to maps of maps and program arrays only, not to BPF_MAP_TYPE_HASH',
  },
  {
    name: "maps nested two levels deep",
    source: `${INNER}; struct two { __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS); __uint(max_entries, 4); __type(key, u32);
      __array(values, struct inner); }; struct { __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS); __uint(max_entries, 4);
      __type(key, u32); __array(values, struct two); } m SEC(".maps"); ${USE}`,
    error: 'map "m.inner": member "values" is not allowed',
  },
  {
    name: "declared contents of a hash of maps with long keys",
    source: `${INNER} one SEC(".maps"); struct { __uint(type, BPF_MAP_TYPE_HASH_OF_MAPS); __uint(max_entries, 4);
      __type(key, u64); __array(values, struct inner); } m SEC(".maps") = { .values = { &one } }; ${USE}`,
    error: 'map "m": has declared values, so its key must have 4 bytes, not 8',
  },
  {
    name: "a static map",
    source: `static struct { ${HASH} } m SEC(".maps"); ${USE}`,
    error: 'map "m" is static or hidden, which maps cannot be',
  },
  {
    name: "a global function in a program array",
    source:
      `NOINLINE s32 sub(void *ctx) { return 1; } struct { __uint(type, BPF_MAP_TYPE_PROG_ARRAY); __uint(max_entries, 5);
      __uint(key_size, 4); __array(values, s32(void *)); } m SEC(".maps") = { .values = { [1] = (void *)&sub } };
      ${USE}`,
    error: 'map "m": values[1] refers to "sub", which is not a program',
  },
  {
    name: "a static function in a program array",
    source: `static NOINLINE s32 sub(void *ctx) { return 1; } struct { __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
      __uint(max_entries, 5); __uint(key_size, 4); __array(values, s32(void *)); } m SEC(".maps") =
      { .values = { [1] = (void *)&sub } }; ${USE}`,
    error: 'map "m": values[1] refers to ".text", which is not a map or program',
  },
  {
    name: "map types from the future, typedefs, sizes said twice",
    source:
      `struct { __uint(type, 9999); __uint(max_entries, 3); __uint(key_size, 4); __uint(value_size, 4); } m SEC(".maps");
      typedef struct { ${HASH} } map_t; map_t named SEC(".maps"); struct { __uint(type, BPF_MAP_TYPE_ARRAY);
      __uint(max_entries, 1); __uint(key_size, 4); __type(key, u32); __uint(value_size, 8); __type(value, u64); } both
      SEC(".maps"); struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 5000); } ring SEC(".maps");
      struct { __uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY); } perf SEC(".maps"); ${USE}`,
  },
];

const OPS =
  'SEC("struct_ops/ssthresh") u32 ssthresh(u64 *ctx) { return 2; } SEC("struct_ops/undo") u32 undo(u64 *ctx) { return 2; }';

/** struct tcp_congestion_ops with these members besides `ssthresh` and `name`, and their values. */
function congestion(members: string, values = "", program = "ssthresh"): string {
  return `${OPS} u32 v; struct tcp_congestion_ops { u32 (*ssthresh)(void *); ${members} char name[16]; };
    SEC(".struct_ops") struct tcp_congestion_ops m = { .ssthresh = (void *)${program}, ${values} .name = "x" };`;
}

const STRUCT_OPS: readonly Odd[] = [
  {
    name: "a member that the kernel lacks, and that is set",
    source: congestion("u32 extra;", ".extra = 3,"),
    error: 'member "extra" is set, but struct tcp_congestion_ops of vmlinux does not have it',
  },
  {
    name: "a function that the kernel lacks",
    source: congestion("u32 (*extra)(void *);", ".extra = (void *)undo,"),
    error: 'member "extra" is set',
  },
  { name: "a member of another size", source: congestion("u64 flags;"), error: 'member "flags" has 8 bytes' },
  {
    name: "a member of another kind",
    source: congestion("struct { u32 x; } flags;"),
    error: 'member "flags" is a struct',
  },
  { name: "a bitfield", source: congestion("u32 flags : 3;"), error: 'member "flags" is a bitfield' },
  {
    name: "a pointer to data",
    source: congestion("void *owner;", ".owner = &v,"),
    error: 'member "owner" is initialized with "v", but is no pointer to a function',
  },
  {
    name: "a pointer that is a number",
    source: congestion("void *owner;", ".owner = (void *)8,"),
    error: 'member "owner" is a pointer: give the name of a program',
  },
  {
    name: "a program for two members",
    source: congestion("u32 (*undo_cwnd)(void *);", ".undo_cwnd = (void *)ssthresh,"),
    error: 'stands for member "ssthresh" of struct tcp_congestion_ops already',
  },
  {
    name: "a program of another type",
    source: `SEC("xdp") s32 x(void *ctx) { return 2; } ${congestion("", "", "x")}`,
    error: 'refers to "x", which is a program of section "xdp"',
  },
  {
    name: "a function that is no program",
    source: `NOINLINE u32 x(u64 *ctx) { return 2; } ${congestion("", "", "x")}`,
    error: 'refers to "x", which is not a program',
  },
  {
    name: "a struct that is no struct_ops",
    source: `${OPS} struct task_struct { u32 (*ssthresh)(void *); }; SEC(".struct_ops") struct task_struct m =
      { .ssthresh = (void *)ssthresh };`,
    error: "takes no programs for struct task_struct",
  },
  {
    name: "a struct without a name",
    source: `${OPS} SEC(".struct_ops") struct { u32 (*ssthresh)(void *); } m = { .ssthresh = (void *)ssthresh };`,
    error: 'struct_ops "m" is no variable of a struct with a name',
  },
  {
    name: "a program that reads a struct_ops variable",
    source: `${congestion("")} SEC("xdp") s32 reader(void *ctx) { return m.name[0]; }`,
    error: "holds struct_ops, which programs cannot reach",
  },
  {
    name: "maps that share programs, some not created, of a struct that does not exist",
    source:
      `${OPS} struct tcp_congestion_ops { u32 (*ssthresh)(void *); char name[16]; }; struct tcp_congestion_ops___b {
      char name[16]; u32 (*undo_cwnd)(void *); u32 (*ssthresh)(void *); };
      SEC(".struct_ops") struct tcp_congestion_ops m = { .ssthresh = (void *)ssthresh, .name = "x" };
      SEC(".struct_ops.link") const volatile struct tcp_congestion_ops___b n = { .ssthresh = (void *)ssthresh, .name = "y" };
      SEC("?.struct_ops.link") struct no_such_ops { u32 (*x)(void); } o = { .x = (void *)undo };`,
    error: 'program "undo"',
  },
];

const ARENA = "{ __uint(type, 33); __uint(map_flags, BPF_F_MMAPABLE); __uint(max_entries, 2); }";
const IN_ARENA = "__attribute__((address_space(1)))";
const COUNT = 'SEC("syscall") s32 count(void *ctx) { z[1]++; return 1; }';

const ARENAS: readonly Odd[] = [
  { name: "zeros in an arena", source: `struct ${ARENA} m SEC(".maps"); u8 ${IN_ARENA} z[8192]; ${COUNT}` },
  {
    name: "an arena that is too small",
    source: `struct ${ARENA} m SEC(".maps"); u8 ${IN_ARENA} z[8193] = { 1 }; ${COUNT}`,
    error: '8193 bytes do not fit map "m" of 2 pages',
  },
  { name: "no arena", source: `u8 ${IN_ARENA} z[2] = { 1 }; ${COUNT}`, error: 'no map in SEC(".maps") is one' },
  {
    name: "two arenas",
    source: `struct ${ARENA} m SEC(".maps"), n SEC(".maps"); u8 ${IN_ARENA} z[2] = { 1 }; ${COUNT}`,
    error: 'maps "m" and "n" are both arenas',
  },
  {
    name: "pointers in an arena",
    source: `struct ${ARENA} m SEC(".maps"); u8 ${IN_ARENA} z[2]; u8 ${IN_ARENA} *${IN_ARENA} p = z; ${COUNT}`,
  },
];

const CODE: readonly Odd[] = [
  {
    name: "no license, programs with gaps in one section",
    source: 'SEC("xdp") s32 a(void *ctx) { return 1; } SEC("xdp") ALIGNED(32) s32 b(void *ctx) { return 2; }',
  },
];

const NEEDS = needs({ bpf: true, btf: true, clang: "19", peer: "oracle" });

for (const { name, source, error } of [...MAPS, ...STRUCT_OPS, ...ARENAS, ...CODE]) {
  Deno.test({
    name: `odd objects are the same for libbpf and us: ${name}`,
    ...NEEDS,
    async fn() {
      const object = await compile(source);
      try {
        const why = await compareRelocation(object);
        if (error === undefined) assertEquals(why, "");
        else assert(why.includes(error), why);
      } finally {
        await Deno.remove(object);
      }
    },
  });
}

async function compile(source: string): Promise<string> {
  const object = await Deno.makeTempFile({ suffix: ".bpf.o" });
  const include = inRepository(join("testdata", "include"));
  const options = ["--target=bpfel", "-mcpu=v3", "-DCPU=3", "-O2", "-g", "-w", `-I${include}`];
  const text = `#include "debpf_test.h"\n${source}\n`;
  const { code, stderr } = await run(clangPath("19")!, [...options, "-x", "c", "-c", "-", "-o", object], {
    stdin: text,
  });
  if (code !== 0) throw new Error(stderr);
  return object;
}
