/**
 * Compares the tables of ffi/sys with the structures that a kernel's BTF describes.
 *
 * @module
 */
import { type Btf, type BtfType, type CompositeType, sizeOf, skipModifiersAndTypedefs } from "../../lib/btf/mod.ts";
import { BtfKind } from "../../lib/uapi/mod.ts";
import * as attr from "../../ffi/sys/attr.ts";
import * as info from "../../ffi/sys/info_layouts.ts";
import { PERF_EVENT_ATTR, PERF_EVENT_BITS } from "../../ffi/sys/perf_event.ts";
import type { FieldKind, Layout } from "../../ffi/sys/wire.ts";

/** A table and where in a kernel's structure it belongs. */
interface Subject {
  readonly layout: Layout;
  /** The structure. */
  readonly root: string;
  /** Named members that lead to the part, or `{ member }`: the anonymous struct that has this member. */
  readonly path: readonly (string | { readonly member: string })[];
}

const of = (root: string) => (layout: Layout, ...path: Subject["path"]): Subject => ({ layout, root, path });
const bpfAttr = of("bpf_attr");
const linkInfo = of("bpf_link_info");

/** Every table of ffi/sys. */
export const SUBJECTS: readonly Subject[] = [
  bpfAttr(attr.MAP_CREATE, { member: "map_type" }),
  bpfAttr(attr.MAP_ELEM, { member: "key" }),
  bpfAttr(attr.MAP_BATCH, "batch"),
  bpfAttr(attr.PROG_LOAD, { member: "prog_type" }),
  bpfAttr(attr.OBJ, { member: "pathname" }),
  bpfAttr(attr.PROG_ATTACH, { member: "attach_bpf_fd" }),
  bpfAttr(attr.TEST, "test"),
  bpfAttr(attr.ID, { member: "next_id" }),
  bpfAttr(attr.INFO, "info"),
  bpfAttr(attr.QUERY, "query"),
  bpfAttr(attr.RAW_TRACEPOINT, "raw_tracepoint"),
  bpfAttr(attr.BTF_LOAD, { member: "btf_size" }),
  bpfAttr(attr.TASK_FD_QUERY, "task_fd_query"),
  bpfAttr(attr.LINK_CREATE, "link_create"),
  bpfAttr(attr.LINK_ITER, "link_create"),
  bpfAttr(attr.LINK_PERF_EVENT, "link_create", "perf_event"),
  bpfAttr(attr.LINK_KPROBE_MULTI, "link_create", "kprobe_multi"),
  bpfAttr(attr.LINK_TRACING, "link_create", "tracing"),
  bpfAttr(attr.LINK_NETFILTER, "link_create", "netfilter"),
  bpfAttr(attr.LINK_RELATIVE, "link_create", "tcx"),
  bpfAttr(attr.LINK_RELATIVE, "link_create", "netkit"),
  bpfAttr(attr.LINK_RELATIVE, "link_create", "cgroup"),
  bpfAttr(attr.LINK_UPROBE_MULTI, "link_create", "uprobe_multi"),
  bpfAttr(attr.LINK_UPDATE, "link_update"),
  bpfAttr(attr.LINK_DETACH, "link_detach"),
  bpfAttr(attr.ENABLE_STATS, "enable_stats"),
  bpfAttr(attr.ITER_CREATE, "iter_create"),
  bpfAttr(attr.PROG_BIND_MAP, "prog_bind_map"),
  bpfAttr(attr.PROG_STREAM_READ, "prog_stream_read"),
  bpfAttr(attr.TOKEN_CREATE, "token_create"),
  bpfAttr(attr.PROG_ASSOC_STRUCT_OPS, "prog_assoc_struct_ops"),
  of("bpf_prog_info")(info.PROG_INFO),
  of("bpf_prog_info")(info.PROG_INFO_ARRAYS),
  of("bpf_map_info")(info.MAP_INFO),
  of("bpf_btf_info")(info.BTF_INFO),
  linkInfo(info.LINK_INFO),
  linkInfo(info.LINK_INFO_RAW_TRACEPOINT, "raw_tracepoint"),
  linkInfo(info.LINK_INFO_TRACING, "tracing"),
  linkInfo(info.LINK_INFO_CGROUP, "cgroup"),
  linkInfo(info.LINK_INFO_ITER, "iter"),
  linkInfo(info.LINK_INFO_ITER_MAP, "iter", "map"),
  linkInfo(info.LINK_INFO_ITER_CGROUP, "iter", "cgroup"),
  linkInfo(info.LINK_INFO_ITER_TASK, "iter", "task"),
  linkInfo(info.LINK_INFO_NETNS, "netns"),
  linkInfo(info.LINK_INFO_XDP, "xdp"),
  linkInfo(info.LINK_INFO_STRUCT_OPS, "struct_ops"),
  linkInfo(info.LINK_INFO_NETFILTER, "netfilter"),
  linkInfo(info.LINK_INFO_KPROBE_MULTI, "kprobe_multi"),
  linkInfo(info.LINK_INFO_UPROBE_MULTI, "uprobe_multi"),
  linkInfo(info.LINK_INFO_PERF_EVENT, "perf_event"),
  linkInfo(info.LINK_INFO_UPROBE, "perf_event", "uprobe"),
  linkInfo(info.LINK_INFO_KPROBE, "perf_event", "kprobe"),
  linkInfo(info.LINK_INFO_TRACEPOINT, "perf_event", "tracepoint"),
  linkInfo(info.LINK_INFO_EVENT, "perf_event", "event"),
  linkInfo(info.LINK_INFO_DEVICE, "tcx"),
  linkInfo(info.LINK_INFO_DEVICE, "netkit"),
  linkInfo(info.LINK_INFO_SOCKMAP, "sockmap"),
  of("perf_event_attr")(PERF_EVENT_ATTR),
];

const WIDTHS: Record<FieldKind, number> = { u16: 2, u32: 4, s32: 4, u64: 8, pointer: 8, name: 16, tag: 8 };

/** Fields of a table that stand for many of the kernel's. */
const OWN_NAMES: ReadonlySet<string> = new Set(["perf_event_attr.bits"]);

interface Field {
  readonly type: BtfType;
  readonly offsetBits: number;
  readonly bitfield: boolean;
}

/** What a comparison found. */
export interface Comparison {
  /** How a table and the kernel differ, in words. */
  readonly differences: string[];
  /** Parts and fields that this kernel does not know yet. */
  readonly unknown: string[];
  /** Number of fields that are where the table says. */
  readonly same: number;
}

/** Compares all tables with the structures in `btf`. */
export function compareLayouts(btf: Btf): Comparison {
  const differences: string[] = [];
  const unknown: string[] = [];
  let same = 0;
  for (const subject of SUBJECTS) {
    const { root, path, layout } = subject;
    const place = [root, ...path.map((step) => typeof step === "string" ? step : `{${step.member}}`)].join(".");
    const known = fieldsOf(btf, subject);
    if (known === undefined) {
      unknown.push(place);
      continue;
    }
    for (const [name, [offset, kind]] of Object.entries(layout.fields)) {
      const kernelName = snakeCase(name);
      if (OWN_NAMES.has(`${root}.${kernelName}`)) continue;
      const field = known.get(kernelName);
      if (field === undefined) {
        if (mayBeNewer(offset, known)) unknown.push(`${place}.${kernelName}`);
        else differences.push(`${place}.${kernelName}: the kernel has something else at ${offset}`);
        continue;
      }
      const size = field.bitfield ? WIDTHS[kind] : sizeOf(field.type);
      if (field.offsetBits === offset * 8 && size === WIDTHS[kind]) same++;
      else {differences.push(
          `${place}.${kernelName}: ${offset} (${WIDTHS[kind]} bytes), not ${field.offsetBits / 8} (${size})`,
        );}
    }
  }
  const bits = perfBits(btf);
  return { differences: [...differences, ...bits.differences], unknown, same: same + bits.same };
}

function perfBits(btf: Btf): { differences: string[]; same: number } {
  const known = flatten(composite(btf, "perf_event_attr"), 0);
  const first = PERF_EVENT_ATTR.fields.bits[0] * 8;
  const wrong = Object.entries(PERF_EVENT_BITS).filter(([name, bit]) =>
    known.get(snakeCase(name))?.offsetBits !== first + bit
  );
  const differences = wrong.map(([name, bit]) => `perf_event_attr.${snakeCase(name)}: bit ${bit}`);
  return { differences, same: Object.keys(PERF_EVENT_BITS).length - wrong.length };
}

/** Structures grow at their end and into holes, and fields get further names: what a kernel does not know is one of these. */
function mayBeNewer(offset: number, known: ReadonlyMap<string, Field>): boolean {
  const overlaps = [...known.values()].some(({ type, offsetBits }) => {
    const start = offsetBits / 8;
    return start < offset && offset < start + (sizeOf(type) ?? 0);
  });
  return !overlaps;
}

function fieldsOf(btf: Btf, subject: Subject): ReadonlyMap<string, Field> | undefined {
  let part = composite(btf, subject.root);
  let base = 0;
  for (const step of subject.path) {
    const next = typeof step === "string" ? flatten(part, base).get(step) : anonymousWith(part, base, step.member);
    const type = next && skipModifiersAndTypedefs(next.type);
    if (next === undefined || type === undefined || !isComposite(type)) return undefined;
    part = type;
    base = next.offsetBits;
  }
  return flatten(part, base);
}

/** The anonymous member that has a member of that name, perhaps in a further anonymous one. */
function anonymousWith(part: CompositeType, base: number, name: string): Field | undefined {
  for (const member of part.members) {
    const type = skipModifiersAndTypedefs(member.type);
    if (member.name !== "" || !isComposite(type)) continue;
    const offsetBits = base + member.offsetBits;
    if (flatten(type, offsetBits).has(name)) return { type, offsetBits, bitfield: false };
  }
  return undefined;
}

/** Members by name, those of anonymous members among them. */
function flatten(part: CompositeType, base: number): Map<string, Field> {
  const fields = new Map<string, Field>();
  for (const member of part.members) {
    const type = skipModifiersAndTypedefs(member.type);
    const offsetBits = base + member.offsetBits;
    if (member.name !== "") fields.set(member.name, { type, offsetBits, bitfield: member.bitfieldBits > 0 });
    else if (isComposite(type)) { for (const [name, field] of flatten(type, offsetBits)) fields.set(name, field); }
  }
  return fields;
}

function composite(btf: Btf, name: string): CompositeType {
  const type = btf.find(name, BtfKind.Struct) ?? btf.find(name, BtfKind.Union);
  if (type === undefined || !isComposite(type)) throw new Error(`this kernel's BTF has no ${name}`);
  return type;
}

function isComposite(type: BtfType): type is CompositeType {
  return type.kind === BtfKind.Struct || type.kind === BtfKind.Union;
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
