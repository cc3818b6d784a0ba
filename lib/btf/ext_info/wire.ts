/**
 * How `.BTF.ext` lies in bytes (Documentation/bpf/btf.rst; `struct bpf_func_info`, `bpf_line_info` and `bpf_core_relo`
 * of linux/bpf.h, Linux 5.2).
 *
 * @module
 */

/** `struct btf_ext_header`: byte offsets. clang before 10 writes it without the CO-RE part. */
export const EXT_HEADER = {
  funcInfoOff: 8,
  funcInfoLen: 12,
  lineInfoOff: 16,
  lineInfoLen: 20,
  size: 24,
  coreReloOff: 24,
  coreReloLen: 28,
  sizeWithCoreRelo: 32,
} as const;

/** `struct btf_ext_info_sec`: byte offsets; records follow. */
export const EXT_SECTION = { nameOff: 0, count: 4, size: 8 } as const;

/** `struct bpf_func_info`. */
export const FUNC_INFO_RECORD = { insnOff: 0, typeId: 4, size: 8 } as const;

/** `struct bpf_line_info`. */
export const LINE_INFO_RECORD = { insnOff: 0, fileNameOff: 4, lineOff: 8, lineCol: 12, size: 16 } as const;

/** `struct bpf_core_relo`. */
export const CORE_RELO_RECORD = { insnOff: 0, typeId: 4, accessStrOff: 8, kind: 12, size: 16 } as const;

/** Largest record that the kernel takes (`MAX_FUNCINFO_REC_SIZE`, `MAX_LINEINFO_REC_SIZE`). */
export const MAX_RECORD_SIZE = 256;

/** `line_col`: the line in the upper 22 bits, the column in the lower 10. */
export const LINE_COL = { columnBits: 10, maxColumn: 0x3ff, maxLine: 0x3fffff } as const;
