/**
 * The code of loaded programs: instructions as the verifier rewrote them, and machine code.
 *
 * @module
 */
import {
  decode,
  type Instruction,
  isFunctionCall,
  isFunctionPointer,
  isMapLoad,
  LABEL,
  Label,
  MAP,
  REFERENCE,
  SOURCE,
  type SourceLine,
} from "../../lib/asm/mod.ts";
import {
  FUNC_INFO,
  type FuncInfo,
  type LineInfo,
  parseKernelFuncInfos,
  parseKernelLineInfos,
} from "../../lib/btf/mod.ts";
import { HOST_BYTE_ORDER } from "../../lib/bytes.ts";
import { loadedBtf } from "../btf/mod.ts";
import * as sys from "../sys/mod.ts";
import { CallNames } from "./call_names.ts";
import type { KernelSymbols } from "./kernel_symbols.ts";

/**
 * The instructions of a program as the verifier rewrote them, with what the kernel knows about them: `LABEL` and `FUNC_INFO`
 * where a function begins, `SOURCE`, `MAP` (names) on loads of maps, `REFERENCE` on calls: of the program's functions, of helpers and of
 * kernel functions, whose immediates are addresses by now.
 *
 * @param fd The program.
 * @param symbols The kernel's symbols; read when they are needed.
 * @returns No instructions where the kernel does not show them to this user.
 * @throws {sys.SyscallError} if the kernel refuses it.
 */
export function translatedInstructions(fd: number, symbols?: KernelSymbols): Instruction[] {
  const arrays = sys.progArrays(fd, ["xlatedProgInsns", "funcInfo", "lineInfo"]);
  if (arrays.xlatedProgInsns === undefined) return [];
  const info = sys.progInfo(fd);
  const insns = decode(arrays.xlatedProgInsns, HOST_BYTE_ORDER, { lenient: true, what: `program ${info.id}` });
  const { funcs, lines } = infosOf(info, arrays);
  const calls = new CallNames(insns, symbols);
  const functions = new Functions(insns, funcs, info);
  const maps = new MapNames();
  const lineAt = new Map(lines.map((line) => [line.insnIndex, line]));
  const funcAt = new Map(funcs.map(({ insnIndex, func }) => [insnIndex, func]));
  let slot = 0;
  return insns.map((insn) => {
    const reference = functions.referenceOf(insn, slot) ?? calls.of(insn);
    const metadata = insn.metadata
      .with(LABEL, functions.labels.get(slot))
      .with(FUNC_INFO, funcAt.get(slot))
      .with(SOURCE, lineAt.get(slot))
      .with(REFERENCE, reference)
      .with(MAP, isMapLoad(insn) ? maps.of(insn.imm) : undefined);
    slot += insn.slots;
    return insn.withMetadata(metadata);
  });
}

/** A function's machine code. */
export interface JitedFunction {
  /** Its name, where the program has BTF; empty otherwise. */
  readonly name: string;
  /** Where it is; 0 where the kernel does not show it. */
  readonly address: bigint;
  /** Its machine code. */
  readonly code: Uint8Array<ArrayBuffer>;
  /** Lines of source, by offset in `code` in bytes, ascending. */
  readonly lines: readonly JitedLine[];
}

/** The source line that machine code comes from. */
export interface JitedLine extends SourceLine {
  /** Offset in bytes of the code that it starts at. */
  readonly offset: number;
}

/**
 * The machine code of a program, function by function.
 *
 * @param fd The program.
 * @returns No functions if it was not compiled, or is not shown to this user.
 * @throws {sys.SyscallError} if the kernel refuses it.
 */
export function jitedFunctions(fd: number): JitedFunction[] {
  const info = sys.progInfo(fd);
  const arrays = sys.progArrays(fd, [
    "jitedProgInsns",
    "jitedKsyms",
    "jitedFuncLens",
    "jitedLineInfo",
    "funcInfo",
    "lineInfo",
  ]);
  const { jitedProgInsns, jitedKsyms, jitedFuncLens, jitedLineInfo } = arrays;
  if (jitedProgInsns === undefined) return [];
  const { funcs, lines } = infosOf(info, arrays);
  const lengths = jitedFuncLens === undefined ? [jitedProgInsns.length] : new Uint32Array(jitedFuncLens.buffer);
  const addresses = new BigUint64Array(jitedKsyms?.buffer ?? []);
  const lineAddresses = new BigUint64Array(jitedLineInfo?.buffer ?? []);
  let at = 0;
  return Array.from(lengths, (length, index) => {
    const address = addresses[index] ?? 0n;
    const code = jitedProgInsns.slice(at, at + length);
    at += length;
    const own: JitedLine[] = [];
    lineAddresses.forEach((lineAddress, lineIndex) => {
      const line = lines[lineIndex];
      if (line === undefined || lineAddress < address || lineAddress >= address + BigInt(length)) return;
      const { file, line: number, column, text } = line;
      own.push({ file, line: number, column, text, offset: Number(lineAddress - address) });
    });
    own.sort((a, b) => a.offset - b.offset);
    return { name: funcs[index]?.func.name ?? (lengths.length === 1 ? info.name : ""), address, code, lines: own };
  });
}

/** Func and line infos of a program; none where it has no BTF. */
function infosOf(info: sys.ProgInfo, arrays: sys.ProgArrays): { funcs: FuncInfo[]; lines: LineInfo[] } {
  const { funcInfo, lineInfo } = arrays;
  if (info.btfId === 0 || (funcInfo === undefined && lineInfo === undefined)) return { funcs: [], lines: [] };
  const btf = loadedBtf(info.btfId);
  return {
    funcs: funcInfo === undefined ? [] : parseKernelFuncInfos(funcInfo, btf, { recordSize: info.funcInfoRecSize }),
    lines: lineInfo === undefined ? [] : parseKernelLineInfos(lineInfo, btf, { recordSize: info.lineInfoRecSize }),
  };
}

/** Where a program's functions begin, and which of them an instruction refers to. */
class Functions {
  readonly labels = new Map<number, Label>();
  readonly #starts: readonly number[];
  readonly #jited: boolean;

  constructor(insns: readonly Instruction[], funcs: readonly FuncInfo[], info: sys.ProgInfo) {
    this.#jited = info.nrJitedKsyms > 1;
    const names = new Map(funcs.map(({ insnIndex, func }) => [insnIndex, func.name]));
    const starts = new Set([0, ...names.keys()]);
    let slot = 0;
    for (const insn of insns) {
      const target = relativeTarget(insn, slot);
      if (target !== undefined && names.size === 0) starts.add(target);
      slot += insn.slots;
    }
    this.#starts = [...starts].sort((a, b) => a - b);
    for (const start of this.#starts) {
      this.labels.set(start, new Label(names.get(start) ?? (start === 0 ? info.name : `subprogram_${start}`)));
    }
  }

  referenceOf(insn: Instruction, slot: number): Label | undefined {
    const target = relativeTarget(insn, slot);
    if (target === undefined) return undefined;
    // Of a compiled program a call's immediate is the number of the function; the distance was cut to 16 bits.
    const start = isFunctionCall(insn) && this.#jited ? this.#starts[insn.imm] : target;
    return this.labels.get(start ?? target);
  }
}

/** The slot that a call of a function, or a pointer to one, refers to (kernel/bpf/verifier.c, `jit_subprogs`). */
function relativeTarget(insn: Instruction, slot: number): number | undefined {
  if (isFunctionCall(insn)) return slot + insn.offset + 1;
  return isFunctionPointer(insn) ? slot + insn.imm + 1 : undefined;
}

/** Names of maps by id; a map that is not shown is called by its id. */
class MapNames {
  readonly #names = new Map<number, string>();

  of(id: number): string {
    let name = this.#names.get(id);
    if (name === undefined) this.#names.set(id, name = nameOf(id));
    return name;
  }
}

function nameOf(id: number): string {
  try {
    using fd = sys.mapGetFdById(id);
    return sys.mapInfo(fd.value).name || `id:${id}`;
  } catch (error) {
    if (error instanceof sys.SyscallError) return `id:${id}`;
    throw error;
  }
}
