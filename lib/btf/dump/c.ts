/**
 * BTF as a C header.
 *
 * @module
 */
import { BtfKind } from "../../uapi/mod.ts";
import type { Btf } from "../btf.ts";
import { BpftoolLayout } from "./bpftool_layout.ts";
import { sortedRoots } from "./c_roots.ts";
import { CWriter } from "./c_writer.ts";
import { ExactLayout } from "./exact_layout.ts";
import { rawKind, rawTypes, typeError } from "./raw_types.ts";
import { TextBuffer, textOf, type TextSink } from "./text_buffer.ts";

/** Options of {@linkcode formatC} and {@linkcode writeC}. */
export interface CDumpOptions {
  /** Only these types, and what they need. */
  roots?: readonly number[];
  /**
   * In the order of ids, and word for word as bpftool 7.1 writes it; also where a compiler lays that out differently than
   * the BTF says.
   */
  unsorted?: boolean;
}

const HEAD = `#ifndef __VMLINUX_H__
#define __VMLINUX_H__

#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute push (__attribute__((preserve_access_index)), apply_to = record)
#endif

`;

const FOOT = `#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute pop
#endif

#endif /* __VMLINUX_H__ */
`;

/**
 * Writes the types of `btf` and of its bases as a C header, as `bpftool btf dump format c` does. Definitions are sorted by kind
 * and name, behind what they need; a C compiler gives them the sizes and offsets that the BTF says: structs are packed and padded
 * where that takes it, odd-sized enums have a mode. Of several types of one name the second is called `NAME___2`.
 *
 * @throws {FormatError} if a type that is written is malformed, contains itself, or is too deep.
 * @throws {UnsupportedError} if C has no words for a type: a kind of the future, members that overlap.
 */
export function writeC(btf: Btf, sink: TextSink, options: CDumpOptions = {}): void {
  const { roots, unsorted = false } = options;
  const types = rawTypes(btf);
  for (const id of roots ?? []) {
    if (!(id >= 0 && id < types.count)) {
      throw typeError(types, 0, `type id ${id} does not exist: ids end at ${types.count - 1}`);
    }
  }
  const out = new TextBuffer(sink);
  const layout = unsorted ? new BpftoolLayout(types) : new ExactLayout(types);
  const writer = new CWriter({ types, layout, out, exact: !unsorted });
  out.ascii(HEAD);
  if (roots !== undefined) {
    for (const id of roots) writer.write(id);
  } else if (unsorted) {
    for (let id = 1; id < types.count; id++) {
      // Half of a kernel's types; they define nothing.
      if (rawKind(types, id) !== BtfKind.Func) writer.write(id);
    }
  } else {
    for (const id of sortedRoots(types)) writer.write(id);
  }
  out.ascii(FOOT);
  out.flush();
}

/** The text that {@linkcode writeC} writes. */
export function formatC(btf: Btf, options: CDumpOptions = {}): string {
  return textOf((sink) => writeC(btf, sink, options));
}
