/**
 * The jump tables of a program as maps of instructions (`BPF_MAP_TYPE_INSN_ARRAY`, 6.19): the kernel reads them when it
 * verifies the program, and then holds them with it.
 *
 * @module
 */
import { HOST_BYTE_ORDER } from "../../lib/bytes.ts";
import { UnsupportedError } from "../../lib/errors.ts";
import { jumpTableMap, type LinkedJumpTable } from "../../lib/linker/mod.ts";
import type { JumpTable } from "../../lib/spec/mod.ts";
import * as sys from "../sys/mod.ts";

const LITTLE = HOST_BYTE_ORDER === "little";

/**
 * Creates the maps, filled and frozen.
 *
 * @param place How errors call the program.
 * @param owned Gets what has to be open until the program is loaded.
 * @throws {UnsupportedError} if this kernel has no such maps.
 */
export function makeJumpTables(
  tables: readonly LinkedJumpTable[],
  place: string,
  owned: DisposableStack,
): Map<JumpTable, sys.Fd> {
  const made = new Map<JumpTable, sys.Fd>();
  for (const { table, slots } of tables) {
    const fd = owned.use(create(slots.length, place));
    const [key, value] = [new Uint8Array(4), new Uint8Array(16)];
    slots.forEach((slot, index) => {
      new DataView(key.buffer).setUint32(0, index, LITTLE);
      // struct bpf_insn_array_value: orig_off, xlated_off, jitted_off, padding.
      new DataView(value.buffer).setUint32(0, slot, LITTLE);
      sys.mapUpdateElem(fd.value, key, value);
    });
    sys.mapFreeze(fd.value);
    made.set(table, fd);
  }
  return made;
}

function create(length: number, place: string): sys.Fd {
  try {
    const { type, name, keySize, valueSize, maxEntries } = jumpTableMap(length);
    return sys.mapCreate({ mapType: type, mapName: name, keySize, valueSize, maxEntries });
  } catch (error) {
    if (!(error instanceof sys.SyscallError) || error.code !== "EINVAL") throw error;
    throw new UnsupportedError(
      "jump tables",
      `${place}: it has a jump table, which this kernel does not take (gotox): compile with -mcpu=v3, or for one program ` +
        "with -fno-jump-tables",
      { since: "6.19", cause: error },
    );
  }
}
