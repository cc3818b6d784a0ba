/**
 * Which file may import which: `cli -> ffi -> lib`, inside lib `bytes, errors, uapi <- elf, asm <- btf <- core <- spec
 * <- linker`, and every room through its door.
 *
 * @module
 */

/** Rooms of lib, from the ground up: a room imports rooms of lower floors, those of the ground floor also each other. */
const FLOORS: readonly (readonly string[])[] = [
  ["lib/bytes", "lib/errors", "lib/uapi"],
  ["lib/elf", "lib/asm"],
  ["lib/btf", "lib/usdt"],
  ["lib/core"],
  ["lib/spec"],
  ["lib/linker"],
];

/** Packages and modules from outside that a part of the repository may import; lib and mod.ts none. */
const EXTERNAL: Readonly<Record<string, readonly string[]>> = {
  ffi: ["node:zlib"],
  cli: ["std/cli", "std/path", "deno.json"],
};

/** The part of the repository that a file is of: `lib`, `ffi`, `cli` or `mod`. */
function partOf(path: string): string {
  return path.replace(/\.ts$/, "").split("/")[0] ?? "";
}

/** The room that a file is in: a folder of lib or ffi, a single file there, all of cli. */
function roomOf(path: string): string {
  const part = partOf(path);
  if (part !== "lib" && part !== "ffi") return part;
  return path.replace(/\.ts$/, "").split("/").slice(0, 2).join("/");
}

/** Whether a file is how others enter its room: a room may have a door for each of its folders, so that what few need is
 * loaded by those few. */
function isDoor(path: string): boolean {
  return path.endsWith("/mod.ts") || path === `${roomOf(path)}.ts`;
}

function floorOf(room: string): number {
  return FLOORS.findIndex((rooms) => rooms.includes(room));
}

/**
 * What is wrong with one file importing another; undefined where nothing is.
 *
 * @param from A file of lib/, ffi/, cli/, mod.ts or cli.ts.
 * @param to A path in the repository, or a specifier like `node:zlib`.
 */
export function wrongArrow(from: string, to: string): string | undefined {
  const part = partOf(from);
  const arrow = `${from} -> ${to}`;
  const external = EXTERNAL[part] ?? [];
  if (!/^(lib|ffi|cli)\/|^(mod|cli)\.ts$/.test(to)) {
    return external.some((name) => to === name || to.startsWith(`${name}/`)) ? undefined : `${arrow}: not from outside`;
  }
  const allowed: Readonly<Record<string, readonly string[]>> = {
    lib: ["lib"],
    ffi: ["lib", "ffi"],
    cli: ["lib", "ffi", "cli"],
    mod: ["lib", "ffi"],
  };
  if (!allowed[part]?.includes(partOf(to)) || to === "cli.ts") return `${arrow}: ${part} may not import that`;
  const [fromRoom, toRoom] = [roomOf(from), roomOf(to)];
  if (fromRoom === toRoom) return undefined;
  if (!isDoor(to)) return `${arrow}: past the door of ${toRoom}`;
  if (part !== "lib") return undefined;
  const [fromFloor, toFloor] = [floorOf(fromRoom), floorOf(toRoom)];
  if (fromFloor < 0 || toFloor < 0) return `${arrow}: a room that has no place yet`;
  return toFloor < fromFloor || (toFloor === 0 && fromFloor === 0) ? undefined : `${arrow}: upwards`;
}
