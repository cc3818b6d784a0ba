/**
 * What the externs of an object are in the running kernel, in words.
 *
 * @module
 */
import { compileCodec, type Value } from "../lib/btf/mod.ts";
import { isOfKernel, type ResolvedExterns, resolveExterns } from "../lib/linker/mod.ts";
import type { CollectionSpec, ExternSpec } from "../lib/spec/mod.ts";
import { BtfKind } from "../lib/uapi/mod.ts";
import { toJson } from "./output.ts";

/**
 * What each extern is, by name: the value of an option, the address of a symbol, where a type or function is found. Empty if
 * the kernel cannot be asked, which is nothing that the object needs to be looked at.
 */
export async function resolvedExterns(spec: CollectionSpec): Promise<Map<string, string>> {
  const words = new Map<string, string>();
  if (![...spec.externs.values()].some(isOfKernel)) return words;
  const { ffiAvailable } = await import("../ffi/sys/mod.ts");
  if (!ffiAvailable()) return words;
  const { hostFacts } = await import("../ffi/host/mod.ts");
  const resolved = resolveExterns(spec, { kernel: hostFacts() });
  for (const extern of spec.externs.values()) {
    const text = isOfKernel(extern) ? describe(extern, resolved, spec) : undefined;
    if (text !== undefined) words.set(extern.name, text);
  }
  return words;
}

function describe(extern: ExternSpec, { results, data }: ResolvedExterns, spec: CollectionSpec): string | undefined {
  const result = results.get(extern);
  if (result === undefined) return undefined;
  if (result instanceof Error) return `error: ${result.message}`;
  switch (result.kind) {
    case "kconfig": {
      const bytes = data.get(result.map);
      return bytes === undefined ? undefined : valueText(optionValue(extern, bytes, result.offset, spec));
    }
    case "address":
      return `0x${result.address.toString(16)}`;
    case "variable":
    case "kfunc":
      return `${result.module ?? "vmlinux"} [${result.id}]`;
    case "missing":
      return "missing";
    case "unknown":
      return undefined;
  }
}

function optionValue({ type }: ExternSpec, bytes: Uint8Array, offset: number, { order }: CollectionSpec): Value {
  if (type?.kind !== BtfKind.Var) throw new Error("an option of the configuration is no variable");
  return compileCodec(type.target, { order }).decode(new DataView(bytes.buffer), offset);
}

function valueText(value: Value): string {
  return typeof value === "bigint" ? String(value) : toJson(value);
}
