/**
 * Where instructions of x86-64 begin: only their lengths, in order not to put a probe into the middle of one.
 *
 * Source: Intel SDM, volume 2, chapter 2 and appendix A.
 *
 * @module
 */

/** Bits of an opcode's entry: it has a ModRM byte; the size of its immediate. */
const MODRM = 0x10;
const IMM8 = 1;
const IMM16 = 2;
/** 32 bits; 16 with the operand-size prefix. */
const IMMZ = 3;
/** 64 bits with REX.W, else as IMMZ: `mov` to a register. */
const IMMV = 4;
/** An address: 64 bits, 32 with the address-size prefix. */
const MOFFS = 5;
/** 16 bits and 8: `enter`. */
const ENTER = 6;
/** 32 bits whatever the prefixes: jumps and calls. */
const REL32 = 7;
const NONE = 0xff;

/** Longest instruction that there is. */
const MAX_LENGTH = 15;

/** One-byte opcodes. */
const ONE = table((opcode) => {
  const low = opcode & 7;
  // Eight arithmetic operations of eight opcodes each; the last two are gone in 64-bit mode, or prefixes.
  if (opcode < 0x40) return low < 4 ? MODRM : low === 4 ? IMM8 : low === 5 ? IMMZ : NONE;
  if (opcode >= 0x50 && opcode < 0x60) return 0;
  if (opcode >= 0x70 && opcode < 0x80) return IMM8;
  if (opcode >= 0x84 && opcode < 0x90) return MODRM;
  if (opcode >= 0x90 && opcode < 0xa0) return opcode === 0x9a ? NONE : 0;
  if (opcode >= 0xa0 && opcode < 0xa4) return MOFFS;
  if (opcode >= 0xa4 && opcode < 0xb0) return opcode === 0xa8 ? IMM8 : opcode === 0xa9 ? IMMZ : 0;
  if (opcode >= 0xb0 && opcode < 0xb8) return IMM8;
  if (opcode >= 0xb8 && opcode < 0xc0) return IMMV;
  if (opcode >= 0xd8 && opcode < 0xe0) return MODRM;
  return NONE;
}, {
  0x63: MODRM,
  0x68: IMMZ,
  0x69: MODRM | IMMZ,
  0x6a: IMM8,
  0x6b: MODRM | IMM8,
  ...each([0x6c, 0x6d, 0x6e, 0x6f], 0),
  0x80: MODRM | IMM8,
  0x81: MODRM | IMMZ,
  0x83: MODRM | IMM8,
  0xc0: MODRM | IMM8,
  0xc1: MODRM | IMM8,
  0xc2: IMM16,
  0xc3: 0,
  0xc6: MODRM | IMM8,
  0xc7: MODRM | IMMZ,
  0xc8: ENTER,
  0xc9: 0,
  0xca: IMM16,
  0xcb: 0,
  0xcc: 0,
  0xcd: IMM8,
  0xcf: 0,
  ...each([0xd0, 0xd1, 0xd2, 0xd3], MODRM),
  0xd7: 0,
  ...each([0xe0, 0xe1, 0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7], IMM8),
  0xe8: REL32,
  0xe9: REL32,
  0xeb: IMM8,
  ...each([0xec, 0xed, 0xee, 0xef, 0xf1, 0xf4, 0xf5, 0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd], 0),
  // test has an immediate, the others of its group have none: told by ModRM.
  0xf6: MODRM,
  0xf7: MODRM,
  0xfe: MODRM,
  0xff: MODRM,
});

/** Opcodes after 0F. Most have ModRM and no immediate. */
const TWO = table((opcode) => opcode >= 0x80 && opcode < 0x90 ? REL32 : opcode >= 0xc8 && opcode < 0xd0 ? 0 : MODRM, {
  ...each([0x05, 0x06, 0x07, 0x08, 0x09, 0x0b, 0x0e, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x37, 0x77], 0),
  ...each([0xa0, 0xa1, 0xa2, 0xa8, 0xa9, 0xaa], 0),
  ...each([0x04, 0x0a, 0x0c, 0x0f, 0x24, 0x25, 0x26, 0x27, 0x36, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f], NONE),
  ...each([0x70, 0x71, 0x72, 0x73, 0xa4, 0xac, 0xba, 0xc2, 0xc4, 0xc5, 0xc6], MODRM | IMM8),
});

function table(usual: (opcode: number) => number, special: Readonly<Record<number, number>>): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, opcode) => special[opcode] ?? usual(opcode));
}

function each(opcodes: readonly number[], entry: number): Record<number, number> {
  return Object.fromEntries(opcodes.map((opcode) => [opcode, entry]));
}

/**
 * The length in bytes of the instruction of x86-64 at `start`; `undefined` if it is none that is known, or is cut off.
 *
 * @param code The code.
 * @param start Where in it the instruction begins.
 */
export function x86InstructionLength(code: Uint8Array, start: number): number | undefined {
  const end = new Cursor(code, start).instruction();
  return end === undefined || end > code.length || end - start > MAX_LENGTH ? undefined : end - start;
}

class Cursor {
  readonly #code: Uint8Array;
  #at: number;
  #wide = false;
  #operand16 = false;
  #address32 = false;

  constructor(code: Uint8Array, at: number) {
    this.#code = code;
    this.#at = at;
  }

  #next(): number {
    return this.#code[this.#at++] ?? 0;
  }

  #peek(): number {
    return this.#code[this.#at] ?? 0;
  }

  /** Where the instruction ends. */
  instruction(): number | undefined {
    this.#prefixes();
    const byte = this.#next();
    switch (byte) {
      case 0xc5: // VEX of two bytes: 0F
        this.#next();
        return this.#operands(TWO[this.#next()]!, 0x0f);
      case 0xc4: { // VEX of three bytes
        const map = this.#next() & 0x1f;
        this.#wide = (this.#next() & 0x80) !== 0;
        return this.#vector(map);
      }
      case 0x62: { // EVEX
        const map = this.#next() & 7;
        this.#at += 2;
        return this.#vector(map);
      }
      case 0x8f: // pop, or XOP of AMD, whose maps begin at 8
        return (this.#peek() & 0x38) === 0 ? this.#operands(MODRM, byte) : this.#xop();
      case 0x0f: {
        const second = this.#next();
        if (second === 0x38) return this.#next(), this.#operands(MODRM, 0);
        if (second === 0x3a) return this.#next(), this.#operands(MODRM | IMM8, 0);
        return this.#operands(TWO[second]!, 0);
      }
      default:
        return this.#operands(ONE[byte]!, byte);
    }
  }

  #prefixes(): void {
    for (;; this.#at++) {
      const byte = this.#peek();
      if (byte === 0x66) this.#operand16 = true;
      else if (byte === 0x67) this.#address32 = true;
      else if (![0xf0, 0xf2, 0xf3, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65].includes(byte)) break;
    }
    // REX is the last of them.
    if ((this.#peek() & 0xf0) === 0x40) this.#wide = (this.#next() & 8) !== 0;
  }

  /** Opcodes of AVX: maps 1 to 3 are those after 0F, 0F 38 and 0F 3A, 5 and 6 those of FP16. */
  #vector(map: number): number | undefined {
    const opcode = this.#next();
    if (map === 1) return this.#operands(TWO[opcode]!, 0x0f);
    if (map === 2 || map === 5 || map === 6) return this.#operands(MODRM, 0);
    return map === 3 ? this.#operands(MODRM | IMM8, 0) : undefined;
  }

  #xop(): number | undefined {
    const map = this.#next() & 0x1f;
    this.#at += 2;
    this.#modrm();
    return map === 8 ? this.#at + 1 : map === 9 ? this.#at : map === 10 ? this.#at + 4 : undefined;
  }

  #operands(entry: number, opcode: number): number | undefined {
    if (entry === NONE) return undefined;
    let immediate = entry & ~MODRM;
    if ((entry & MODRM) !== 0) {
      const modrm = this.#modrm();
      const test = (modrm & 0x38) < 0x10;
      if (opcode === 0xf6 && test) immediate = IMM8;
      if (opcode === 0xf7 && test) immediate = IMMZ;
    }
    return this.#at + this.#immediateSize(immediate);
  }

  /** Passes ModRM, SIB and displacement. */
  #modrm(): number {
    const modrm = this.#next();
    const [mode, base] = [modrm >> 6, modrm & 7];
    if (mode === 3) return modrm;
    const sibBase = base === 4 ? this.#next() & 7 : base;
    if (mode === 1) this.#at += 1;
    else if (mode === 2 || sibBase === 5) this.#at += 4;
    return modrm;
  }

  #immediateSize(kind: number): number {
    const z = this.#operand16 && !this.#wide ? 2 : 4;
    switch (kind) {
      case IMM8:
        return 1;
      case IMM16:
        return 2;
      case IMMZ:
        return z;
      case IMMV:
        return this.#wide ? 8 : z;
      case MOFFS:
        return this.#address32 ? 4 : 8;
      case ENTER:
        return 3;
      case REL32:
        return 4;
      default:
        return 0;
    }
  }
}
