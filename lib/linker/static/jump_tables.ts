/**
 * Jump tables of clang 22: section `.jumptables` has for each `switch` the offsets of its cases from the start of the
 * section of the code, in bytes, 64 bits each, without relocations. So they have to move with the code that uses them.
 *
 * @module
 */
import type { ByteOrder } from "../../bytes.ts";
import { type ElfSymbol, type Relocation, sectionPlace } from "../../elf/mod.ts";
import { LinkError } from "../../errors.ts";
import type { Piece } from "./output_sections.ts";

const SECTION = ".jumptables";
const ENTRY = 8;

/** The jump tables of one object. */
export class JumpTables {
  readonly #little: boolean;
  /** The code that uses each table. */
  readonly #users = new Map<ElfSymbol, Piece>();

  /** None has moved yet. `order`: of the object. */
  constructor(order: ByteOrder) {
    this.#little = order === "little";
  }

  /**
   * Moves the table that a relocation refers to, if it refers to one.
   *
   * @param code What the relocation is in.
   * @param target What it refers to.
   * @throws {LinkError} if the code of two sections uses one table.
   */
  move({ symbol }: Relocation, code: Piece, target: Piece): void {
    if (target.section.name !== SECTION) return;
    const user = this.#users.get(symbol);
    if (user !== undefined) {
      if (user === code) return;
      throw new LinkError(
        `${code.input.what}: jump table "${symbol.name}" is used by ${sectionPlace(code.section)} and by ` +
          sectionPlace(user.section),
      );
    }
    this.#users.set(symbol, code);
    if (code.offset === 0) return;
    const start = target.offset + symbol.value;
    target.output.patches.push((bytes) => {
      for (let at = start; at + ENTRY <= start + symbol.size; at += ENTRY) {
        bytes.setBigUint64(at, bytes.getBigUint64(at, this.#little) + BigInt(code.offset), this.#little);
      }
    });
  }
}
