/**
 * What refers to something by name or number: calls, and 64-bit loads of maps, functions and kernel variables.
 *
 * @module
 */
import { helperId } from "../../uapi/mod.ts";
import { decode } from "../decode.ts";
import { Instruction } from "../instruction.ts";
import { MAP } from "../keys.ts";
import { BPF_PSEUDO, OPCODE } from "../opcode.ts";
import { bits64, distance, imm32, int32 } from "./numbers.ts";
import type { Statement } from "./parse_instruction.ts";
import type { Register } from "./registers.ts";
import type { Line } from "./tokens.ts";

const CALL = (src: number, imm: number, offset = 0): Statement => ({
  insn: Instruction.of({ opcode: OPCODE.CALL, src, imm, offset }),
});

/** The number of the helper that programs call by `name`, with `bpf_` or without. */
export function helperNamed(name: string): number | undefined {
  return helperId(name.startsWith("bpf_") ? name.slice("bpf_".length) : name);
}

/**
 * Takes what a call calls: `pc+1`, `#12`, `bpf_tail_call#12`, `kernel-function#12345` (of a module `... fd_array[1]`), or a
 * name: whether it is a helper's or a label's is seen when all labels are known.
 */
export function parseCall(line: Line): Statement {
  const isSign = (text: string | undefined) => text === "+" || text === "-";
  if (isSign(line.next.text) || (line.next.text === "pc" && isSign(line.afterNext?.text))) {
    line.accept("pc");
    const call = CALL(BPF_PSEUDO.CALL, distance(line, 32));
    // bpftool names the function behind its distance.
    if (line.accept("#")) line.name("the name of a function");
    return call;
  }
  if (line.accept("#")) return CALL(0, imm32(line));
  const name = line.name("what to call");
  if (!line.accept("#")) return { ...CALL(BPF_PSEUDO.CALL, -1), reference: name };
  const id = imm32(line);
  const helper = helperNamed(name.text);
  if (name.text === "unknown") return CALL(0, id);
  if (helper === undefined || name.text === "kernel-function") {
    return CALL(BPF_PSEUDO.KFUNC_CALL, id, parseFdArrayIndex(line));
  }
  if (helper !== id) throw line.error(`${name.text} is helper ${helper}, not ${id}`, name);
  return CALL(0, id);
}

/** Takes `fd_array[1]`: where a module's BTF is; 0 without it. */
function parseFdArrayIndex(line: Line): number {
  if (!line.accept("fd_array")) return 0;
  line.expect("[");
  const { next } = line;
  const index = int32(line, "index");
  if (index << 16 >> 16 !== index) {
    throw line.error(`index ${index} does not fit the offset field: -32768 to 32767`, next);
  }
  line.expect("]");
  return index;
}

/**
 * Takes the right side of a 64-bit load: `0x1234`, `map[events]`, `map[fd:3]`, `map[events fd:3]`, `map[idx:0]`, each of
 * them also as `map[...][0]+8` for a place in the value; `subprog[name]`, `subprog[+3]`, `btf_id[7]`, `btf_id[7 fd:3]`.
 */
export function parseLoad64(line: Line, dst: Register): Statement {
  const load = (fields: { src?: number; imm: number; immHigh?: number }) =>
    Instruction.of({ opcode: OPCODE.LD_IMM64, dst: dst.number, ...fields });
  if (line.next.kind !== "name") {
    const bits = bits64(line);
    line.accept("ll");
    return { insn: load({ imm: Number(BigInt.asIntN(32, bits)), immHigh: Number(BigInt.asIntN(32, bits >> 32n)) }) };
  }
  const kind = line.name("a kind of load");
  line.expect("[");
  switch (kind.text) {
    case "map":
      return parseMapLoad(line, load);
    case "subprog": {
      if (line.next.text === "+" || line.next.text === "-") {
        const imm = distance(line, 32);
        line.expect("]");
        return { insn: load({ src: BPF_PSEUDO.FUNC, imm }) };
      }
      const reference = line.name("the name of a function");
      line.expect("]");
      return { insn: load({ src: BPF_PSEUDO.FUNC, imm: 0 }), reference };
    }
    case "btf_id": {
      const imm = int32(line, "BTF id");
      const immHigh = line.accept("fd") ? (line.expect(":"), int32(line, "fd")) : 0;
      line.expect("]");
      return { insn: load({ src: BPF_PSEUDO.BTF_ID, imm, immHigh }) };
    }
  }
  throw line.error(`expected map, subprog or btf_id, not "${kind.text}"`, kind);
}

function parseMapLoad(
  line: Line,
  load: (fields: { src: number; imm: number; immHigh: number }) => Instruction,
): Statement {
  let name: string | undefined;
  let imm = 0;
  let byIndex = false;
  if (line.afterNext?.text !== ":") name = line.name("the name of a map").text;
  if (line.next.text !== "]") {
    const how = line.name("fd or idx");
    if (how.text === "id") throw line.error("programs do not load maps by id: write map[NAME] or map[fd:N]", how);
    if (how.text !== "fd" && how.text !== "idx") throw line.error(`expected fd or idx, not "${how.text}"`, how);
    byIndex = how.text === "idx";
    line.expect(":");
    imm = int32(line, how.text);
  }
  line.expect("]");
  let src: number = byIndex ? BPF_PSEUDO.MAP_IDX : BPF_PSEUDO.MAP_FD;
  let immHigh = 0;
  if (line.accept("[")) {
    line.expect("0", "]");
    src = byIndex ? BPF_PSEUDO.MAP_IDX_VALUE : BPF_PSEUDO.MAP_VALUE;
    if (line.next.text !== "+" && line.next.text !== "-") throw line.expected("an offset with its sign");
    immHigh = int32(line, "offset");
  }
  return { insn: load({ src, imm, immHigh }).with(MAP, name) };
}

/** Takes the bytes of an instruction as numbers, as they are in little-endian memory: one, or two of a 64-bit load. */
export function parseRawSlots(line: Line): Statement {
  const { next } = line;
  const slots = [bits64(line)];
  if (line.accept(",")) slots.push(bits64(line));
  const bytes = new Uint8Array(slots.length * 8);
  const view = new DataView(bytes.buffer);
  slots.forEach((slot, i) => view.setBigUint64(i * 8, slot, true));
  const long = bytes[0] === OPCODE.LD_IMM64;
  if (long !== (slots.length === 2)) {
    throw line.error(long ? "a 64-bit load takes two slots" : "only a 64-bit load takes two slots", next);
  }
  if (long && (slots[1]! & 0xffff_ffffn) !== 0n) {
    throw line.error("the second slot of a 64-bit load has more than an immediate", next);
  }
  return { insn: decode(bytes, "little", { lenient: true })[0]!, kernel: true };
}
