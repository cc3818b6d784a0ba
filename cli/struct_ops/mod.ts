/**
 * `debpf struct_ops`: kernel structs of functions that programs implement. Words and JSON are bpftool's.
 *
 * @module
 */
import { Link } from "../../ffi/attach/mod.ts";
import { listLinks, listMaps, type MapDescription } from "../../ffi/info/mod.ts";
import { unregisterStructOps } from "../../ffi/struct_ops/mod.ts";
import { mapGetFdById } from "../../ffi/sys/mod.ts";
import { BpfMapFlag, BpfMapType } from "../../lib/uapi/mod.ts";
import { readArgs } from "../args.ts";
import { Words } from "../btf/words.ts";
import { type Command, type Context, EXIT, UsageError } from "../command.ts";
import { done } from "../map/elements.ts";
import type { Output } from "../output.ts";
import { dumpJson, structName } from "./dump.ts";
import { register } from "./register.ts";

const KEYWORDS = ["show", "list", "dump", "register", "unregister"] as const;

/** The command. */
export const command: Command = {
  usage: `usage: debpf struct_ops { show | list } [STRUCT_OPS_MAP]
       debpf struct_ops dump       [STRUCT_OPS_MAP]
       debpf struct_ops register   OBJ [LINK_DIR]
       debpf struct_ops unregister STRUCT_OPS_MAP

  STRUCT_OPS_MAP:  id ID, or name NAME

  register loads an object and registers all its struct_ops. What is in SEC(".struct_ops.link") is registered by a link, which
  is pinned in LINK_DIR; without LINK_DIR it goes when the command ends.`,
  run(args, context) {
    const { positional } = readArgs(args, { positional: ["[WORD]..."] });
    return runStructOps(new Words(positional), context);
  },
};

async function runStructOps(words: Words, { output }: Context): Promise<number> {
  const word = words.peek();
  const keyword = word === undefined ? "show" : words.keyword(...KEYWORDS);
  switch (keyword) {
    case "show":
    case "list": {
      const maps = chosen(words);
      const lines = maps.map((map) => ({ id: map.id, name: map.name, kernel_struct_ops: structName(map) }));
      if (output.json) output.value(lines);
      else for (const { id, name, kernel_struct_ops } of lines) output.line(`${id}: ${name}  ${kernel_struct_ops}`);
      return EXIT.done;
    }
    case "dump": {
      const values = chosen(words).flatMap(dumpJson);
      if (output.json) output.value(values);
      else for (const value of values) output.line(JSON.stringify(value, exact, 4));
      return EXIT.done;
    }
    case "register":
      return await register(words, output);
    case "unregister": {
      if (words.peek() === undefined) throw new UsageError("STRUCT_OPS_MAP is missing");
      for (const map of chosen(words)) unregister(map, output);
      return done(output);
    }
    case undefined:
      throw new UsageError(`debpf struct_ops has no "${word}"; it has ${KEYWORDS.join(", ")}`);
    default:
      return keyword satisfies never;
  }
}

/** 64-bit numbers are digits. */
function exact(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? Number.isSafeInteger(Number(value)) ? Number(value) : String(value) : value;
}

/** The maps that the user names, or all of struct_ops. */
function chosen(words: Words): MapDescription[] {
  const by = words.keyword("id", "name");
  if (by === undefined) {
    words.end();
    return [...listMaps()].filter(isStructOps);
  }
  if (by === "id") {
    const id = words.id("ID");
    words.end();
    const map = [...listMaps()].find((other) => other.id === id);
    if (map === undefined) throw new Error(`there is no map with the id ${id}`);
    if (!isStructOps(map)) throw new Error(`${map.name} id ${id} is not a struct_ops map`);
    return [map];
  }
  const name = words.take("NAME");
  words.end();
  const maps = [...listMaps()].filter((map) => isStructOps(map) && map.name === name);
  if (maps.length === 0) throw new Error(`no struct_ops found for ${name}`);
  return maps;
}

function isStructOps({ type }: MapDescription): boolean {
  return type === BpfMapType.BPF_MAP_TYPE_STRUCT_OPS;
}

/** What an update registered; or the links of what those register, where the kernel can detach them. */
function unregister(map: MapDescription, output: Output): void {
  const what = `${structName(map)} ${map.name} id ${map.id}`;
  if ((map.mapFlags & BpfMapFlag.BPF_F_LINK) === 0) {
    using fd = mapGetFdById(map.id);
    if (!unregisterStructOps(fd.value)) throw new Error(`${what} is not registered`);
  } else {
    const links = [...listLinks()].filter((link) => link.kind === "struct_ops" && link.mapId === map.id);
    if (links.length === 0) throw new Error(`${what} is not registered: no link is on it`);
    for (const { id } of links) {
      using link = Link.open(id);
      link.detach();
    }
  }
  if (!output.json) output.line(`Unregistered ${what}`);
}
