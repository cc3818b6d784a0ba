/**
 * A relocation in a few words, whatever becomes of it.
 *
 * @module
 */
import type { CoreRelocation } from "../btf/mod.ts";
import { DebpfError } from "../errors.ts";
import { relocationKindName } from "./kinds.ts";
import { describeSubject, localSubject } from "./subject.ts";

/** What `relocation` asks: `field_byte_offset struct task_struct.pid`; for a broken one, what is wrong with it. */
export function describeRelocation(relocation: CoreRelocation): string {
  const kind = relocationKindName(relocation.kind);
  try {
    return `${kind} ${describeSubject(localSubject(relocation))}`;
  } catch (error) {
    if (!(error instanceof DebpfError)) throw error;
    return `${kind}: ${error.message}`;
  }
}
