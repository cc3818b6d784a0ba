/**
 * The 13 kinds of CO-RE relocation (`enum bpf_core_relo_kind`, linux/bpf.h 5.17) and the three families they fall into:
 * about a field, about a type, about a value of an enum.
 *
 * @module
 */
import { BpfCoreReloKind, enumName } from "../uapi/mod.ts";

/** What a relocation is about. */
export type RelocationFamily = "field" | "type" | "enumerator";

/** What `kind` is called in messages, `field_byte_offset`; a number that no kernel knows is named as such. */
export function relocationKindName(kind: BpfCoreReloKind): string {
  const name = enumName(BpfCoreReloKind, kind);
  return name === undefined ? `unknown kind ${kind}` : name.slice("BPF_CORE_".length).toLowerCase();
}

/** The family of `kind`, or `undefined` for a number that is not a kind. */
export function relocationFamily(kind: BpfCoreReloKind): RelocationFamily | undefined {
  switch (kind) {
    case BpfCoreReloKind.BPF_CORE_FIELD_BYTE_OFFSET:
    case BpfCoreReloKind.BPF_CORE_FIELD_BYTE_SIZE:
    case BpfCoreReloKind.BPF_CORE_FIELD_EXISTS:
    case BpfCoreReloKind.BPF_CORE_FIELD_SIGNED:
    case BpfCoreReloKind.BPF_CORE_FIELD_LSHIFT_U64:
    case BpfCoreReloKind.BPF_CORE_FIELD_RSHIFT_U64:
      return "field";
    case BpfCoreReloKind.BPF_CORE_TYPE_ID_LOCAL:
    case BpfCoreReloKind.BPF_CORE_TYPE_ID_TARGET:
    case BpfCoreReloKind.BPF_CORE_TYPE_EXISTS:
    case BpfCoreReloKind.BPF_CORE_TYPE_SIZE:
    case BpfCoreReloKind.BPF_CORE_TYPE_MATCHES:
      return "type";
    case BpfCoreReloKind.BPF_CORE_ENUMVAL_EXISTS:
    case BpfCoreReloKind.BPF_CORE_ENUMVAL_VALUE:
      return "enumerator";
    default:
      return undefined;
  }
}
