/**
 * The running kernel's own BTF: mapped when first asked for, and kept for the life of the process.
 *
 * @module
 */
import { Btf } from "../../lib/btf/mod.ts";
import { UnsupportedError } from "../../lib/errors.ts";
import { mapFile, type MappedFile, SyscallError } from "../sys/mod.ts";

/** Where the kernel shows it (5.4, CONFIG_DEBUG_INFO_BTF). */
export const VMLINUX_BTF = "/sys/kernel/btf/vmlinux";

let host: { btf: Btf; file: MappedFile } | undefined;

/**
 * The running kernel's BTF. Types are decoded when asked for; the file is mapped, not read.
 *
 * @throws {UnsupportedError} if this kernel was built without BTF.
 */
export function hostBtf(): Btf {
  if (host === undefined) {
    const file = mapHostFile();
    host = { file, btf: Btf.parse(file.bytes, { what: "vmlinux" }) };
  }
  return host.btf;
}

function mapHostFile(): MappedFile {
  try {
    return mapFile(VMLINUX_BTF);
  } catch (error) {
    if (!(error instanceof SyscallError) || error.code !== "ENOENT") throw error;
    throw new UnsupportedError(
      "kernel BTF",
      `this kernel shows no BTF of itself (${VMLINUX_BTF}): it needs CONFIG_DEBUG_INFO_BTF=y, or give another kernel's BTF`,
      { cause: error, since: "5.4" },
    );
  }
}
