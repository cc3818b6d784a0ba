/**
 * Many kernel functions with one program and one link (`SEC("fentry.multi/GLOB")`, `fexit.multi`, `fsession.multi`; 7.2).
 *
 * Source: linux/bpf.h (`link_create.tracing_multi`); which functions take trampolines: kernel/bpf/btf.c
 * (`btf_distill_func_proto`).
 *
 * @module
 */
import { type Btf, type FuncType, sizeOf, skipModifiersAndTypedefs } from "../../lib/btf/mod.ts";
import { type BpfAttachType, BtfKind } from "../../lib/uapi/mod.ts";
import { hostBtf, moduleBtf } from "../btf/mod.ts";
import type { BpfProgram } from "../program/mod.ts";
import * as sys from "../sys/mod.ts";
import { explainFunction } from "./explain_function.ts";
import { globMatcher } from "./glob.ts";
import { traceableFunctions } from "./kernel_functions.ts";
import { Link } from "./link.ts";

/** `MAX_BPF_FUNC_ARGS`, and how large an argument may be. */
const MAX_ARGS = 12;
const MAX_ARG_BYTES = 16;

/** Which functions {@linkcode attachTracingMulti} attaches to: `pattern` or `functions` is given. */
export interface AttachTracingMultiOptions {
  /** Functions whose names match: `vfs_*`, `nf_tables:nft_*` of a program that was loaded for that module. */
  readonly pattern?: string | undefined;
  /** Functions by name, all of which the kernel has to have. */
  readonly functions?: readonly string[] | undefined;
  /** What `bpf_get_attach_cookie()` gives the program, for each function. */
  readonly cookieOf?: ((name: string) => bigint) | undefined;
}

/**
 * Attaches a program that was loaded for many functions: `attachTracingMulti(program, { pattern: "vfs_*" })`.
 *
 * @throws {KernelFunctionError} if one of `functions` is missing.
 * @throws {Error} if nothing matches `pattern`.
 * @throws {SyscallError} if the kernel refuses it.
 */
export function attachTracingMulti(program: BpfProgram, options: AttachTracingMultiOptions): Link {
  const place = `program "${program.name}"`;
  const { pattern, functions, cookieOf } = options;
  if ((pattern === undefined) === (functions === undefined)) {
    throw new TypeError(`${place}: give a pattern or functions`);
  }
  const found = pattern !== undefined ? matching(place, pattern) : named(place, functions!);
  const { image } = program;
  let fd: sys.Fd;
  try {
    fd = sys.linkCreate({
      progFd: program.fd,
      attachType: image.expectedAttachType as BpfAttachType,
      tracingMulti: {
        ids: Uint32Array.from(found, ({ id }) => id),
        cookies: cookieOf === undefined ? undefined : BigUint64Array.from(found, ({ name }) => cookieOf(name)),
      },
    });
  } catch (error) {
    throw error instanceof sys.SyscallError ? error.at(place) : error;
  }
  const target = pattern ?? functions!.join(", ");
  return new Link({ kind: "trace_multi", target, program: program.name, fds: [fd], links: [fd] });
}

interface Found {
  readonly id: number;
  readonly name: string;
}

/** Ids in the order that they have in BTF. */
function matching(place: string, pattern: string): Found[] {
  const [, module, glob = ""] = /^(?:([\w-]+):)?(.*)$/.exec(pattern) ?? [];
  const btf = module === undefined || module === "vmlinux" ? hostBtf() : moduleBtf(module.replaceAll("-", "_"));
  const matches = globMatcher(glob);
  const traceable = traceableFunctions(matches, /^[^*?]*/.exec(glob)![0]);
  const names = traceable === undefined ? undefined : new Set(traceable.map(({ name }) => name));
  const found: Found[] = [];
  for (let id = btf.ownStartId; id < btf.typeCount; id++) {
    if (btf.kindOf(id) !== BtfKind.Func) continue;
    const name = btf.nameOf(id);
    if (matches(name) && (names?.has(name) ?? true) && isTraceable(btf, btf.type(id) as FuncType)) {
      found.push({ id, name });
    }
  }
  if (found.length === 0) throw new Error(`${place}: no function that can be traced matches "${pattern}"`);
  return found;
}

function named(place: string, functions: readonly string[]): Found[] {
  const btf = hostBtf();
  const found = functions.map((name) => {
    const [id] = btf.findIds(name, BtfKind.Func);
    if (id !== undefined) return { id, name };
    throw explainFunction(place, { module: undefined, name, offset: 0 }, "ftrace") ??
      new Error(`${place}: the kernel's BTF does not know function "${name}"`);
  });
  return found.sort((a, b) => a.id - b.id);
}

/** Trampolines take functions of few and small arguments, and of results that fit a register. */
function isTraceable(btf: Btf, { target: proto }: FuncType): boolean {
  if (proto.kind !== BtfKind.FuncProto || proto.params.length > MAX_ARGS) return false;
  const returns = skipModifiersAndTypedefs(proto.returns);
  if (returns.kind === BtfKind.Struct || returns.kind === BtfKind.Union) return false;
  return proto.params.every(({ type }) => {
    const size = sizeOf(type, btf.pointerSize) ?? 0;
    return size > 0 && size <= MAX_ARG_BYTES;
  });
}
