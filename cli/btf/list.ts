/**
 * `debpf btf list`.
 *
 * @module
 */
import type { BtfInfo } from "../../ffi/sys/mod.ts";
import { EXIT } from "../command.ts";
import type { Output } from "../output.ts";
import { all } from "./objects.ts";
import { kernelBtf, kernelCalls, type Sys } from "./kernel.ts";
import type { Words } from "./words.ts";

/** Who uses a BTF. */
interface Users {
  readonly progIds: number[];
  readonly mapIds: number[];
}

/** Does it; `words` stand behind `list`. */
export async function listBtf(words: Words, output: Output): Promise<number> {
  const wanted = words.keyword("id") === undefined ? undefined : words.id("ID");
  words.end();
  const sys = await kernelCalls();
  const infos = wanted === undefined ? (await kernelBtf()).loadedBtfInfos() : [infoOf(sys, wanted)];
  const users = findUsers(sys);
  const none: Users = { progIds: [], mapIds: [] };
  if (output.json) {
    const values = infos.map((btf) => toJson(btf, users.get(btf.id) ?? none));
    output.value(wanted === undefined ? values : values[0]);
  } else {
    for (const btf of infos) output.line(toLine(btf, users.get(btf.id) ?? none));
  }
  return EXIT.done;
}

function infoOf(sys: Sys, id: number): BtfInfo {
  using fd = sys.btfGetFdById(id);
  return sys.btfInfo(fd.value);
}

/** By the id of a BTF. */
function findUsers(sys: Sys): Map<number, Users> {
  const users = new Map<number, Users>();
  const usersOf = (btfId: number): Users => {
    const known = users.get(btfId) ?? { progIds: [], mapIds: [] };
    users.set(btfId, known);
    return known;
  };
  const progs = all(sys.progGetNextId, (id) => {
    using fd = sys.progGetFdById(id);
    return sys.progInfo(fd.value);
  });
  for (const { id, btfId } of progs) usersOf(btfId).progIds.push(id);
  const maps = all(sys.mapGetNextId, (id) => {
    using fd = sys.mapGetFdById(id);
    return sys.mapInfo(fd.value);
  });
  for (const { id, btfId } of maps) usersOf(btfId).mapIds.push(id);
  users.delete(0);
  return users;
}

function toJson({ id, btfSize, name, kernelBtf }: BtfInfo, { progIds, mapIds }: Users): Record<string, unknown> {
  return {
    id,
    size: btfSize,
    prog_ids: progIds,
    map_ids: mapIds,
    kernel: kernelBtf,
    ...(name === "" ? {} : { name }),
  };
}

function toLine({ id, btfSize, name, kernelBtf }: BtfInfo, { progIds, mapIds }: Users): string {
  const shown = kernelBtf ? `[${name}]` : name === "" ? "<anon>" : name;
  const progs = progIds.length === 0 ? "" : `  prog_ids ${progIds.join(",")}`;
  const maps = mapIds.length === 0 ? "" : `  map_ids ${mapIds.join(",")}`;
  return `${id}: name ${shown}  size ${btfSize}B${progs}${maps}`;
}
