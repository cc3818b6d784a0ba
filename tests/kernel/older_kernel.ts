/**
 * This machine's kernel, playing an older one: it refuses what that did not know, with that one's errors.
 *
 * @module
 */
import { Errno } from "../../ffi/sys/mod.ts";
import { MAP_CREATE, PROG_LOAD } from "../../ffi/sys/attr.ts";
import { BpfCmd, BpfMapFlag } from "../../lib/uapi/mod.ts";
import { inject } from "../ffi/sys/inject.ts";

/** What the kernel that is played does not know. */
export interface Lacks {
  /** Helpers, by number. */
  readonly helpers?: readonly number[];
  /** Arrays that user space maps (5.5). */
  readonly arrayMmap?: true;
  /** Loads of addresses in values of maps (5.2). */
  readonly globalData?: true;
  /** `BPF_BTF_LOAD` (4.18), and all that refers to BTF. */
  readonly btf?: true;
  /** Names of maps and programs (4.15). */
  readonly names?: true;
  /** `expected_attach_type` (4.17). */
  readonly expectedAttachType?: true;
}

const INSN_BYTES = 8;
const [LD_IMM64, CALL, MAP_VALUE] = [0x18, 0x85, 2];

/** Plays an older kernel until the result is disposed of. */
export function playKernel(lacks: Lacks): Disposable {
  return inject("bpf", (real) => (cmd, attr, size) => {
    const errno = refusal(lacks, cmd, new Deno.UnsafePointerView(attr));
    return errno === 0 ? real(cmd, attr, size) : -errno;
  });
}

/** Fields that a kernel does not know have to be 0, and to it too large a request otherwise. */
function refusal(lacks: Lacks, cmd: number, attr: Deno.UnsafePointerView): number {
  const isSet = ([offset]: readonly [number, string]) => attr.getUint32(offset) !== 0;
  switch (cmd) {
    case BpfCmd.BPF_BTF_LOAD:
      return lacks.btf ? Errno.EINVAL : 0;
    case BpfCmd.BPF_MAP_CREATE: {
      const { mapName, btfFd, mapFlags } = MAP_CREATE.fields;
      if (lacks.names && isSet(mapName) || lacks.btf && isSet(btfFd)) return Errno.E2BIG;
      return lacks.arrayMmap && (attr.getUint32(mapFlags[0]) & BpfMapFlag.BPF_F_MMAPABLE) !== 0 ? Errno.EINVAL : 0;
    }
    case BpfCmd.BPF_PROG_LOAD: {
      const { progName, progBtfFd, expectedAttachType } = PROG_LOAD.fields;
      const unknown = lacks.names && isSet(progName) || lacks.btf && isSet(progBtfFd) ||
        lacks.expectedAttachType && isSet(expectedAttachType);
      if (unknown) return Errno.E2BIG;
      return isRefused(lacks, attr) ? Errno.EINVAL : 0;
    }
    default:
      return 0;
  }
}

function isRefused({ helpers = [], globalData }: Lacks, attr: Deno.UnsafePointerView): boolean {
  const { insnCnt, insns } = PROG_LOAD.fields;
  const pointer = Deno.UnsafePointer.create(attr.getBigUint64(insns[0]));
  if (pointer === null) return false;
  const view = new Deno.UnsafePointerView(pointer);
  for (let at = 0; at < attr.getUint32(insnCnt[0]) * INSN_BYTES; at += INSN_BYTES) {
    const [opcode, src] = [view.getUint8(at), view.getUint8(at + 1) >> 4];
    if (opcode === CALL && src === 0 && helpers.includes(view.getInt32(at + 4))) return true;
    if (globalData && opcode === LD_IMM64 && src === MAP_VALUE) return true;
  }
  return false;
}
