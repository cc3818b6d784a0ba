/**
 * `debpf map show`.
 *
 * @module
 */
import { describeMap, listMaps, type MapDescription } from "../../ffi/info/mod.ts";
import { BpfMapType } from "../../lib/uapi/mod.ts";
import type { Words } from "../btf/words.ts";
import { EXIT } from "../command.ts";
import { holdersJson, type HoldersOf, holdersOf, printHolders } from "../holders.ts";
import { mapTypeName, programTypeName } from "../kernel_names.ts";
import { readMapName, takeMap } from "../objects.ts";
import type { Output } from "../output.ts";

/** Does it; `words` stand behind `show`. */
export async function showMaps(words: Words, withPins: boolean, output: Output): Promise<number> {
  const { maps, single } = await chosen(words);
  const holders = holdersOf("map", withPins);
  if (output.json) {
    const values = maps.map((map) => toJson(map, holders));
    output.value(single ? values[0] : values);
  } else {
    for (const map of maps) print(map, holders, output);
  }
  return EXIT.done;
}

async function chosen(words: Words): Promise<{ maps: MapDescription[]; single: boolean }> {
  if (words.peek() === undefined) return { maps: [...listMaps()], single: false };
  if (words.peek() === "name") {
    const { value } = readMapName(words);
    words.end();
    const maps = [...listMaps()].filter(({ name }) => name === value);
    if (maps.length === 0) throw new Error(`there is no map with the name "${value}"`);
    return { maps, single: maps.length === 1 };
  }
  using map = await takeMap(words);
  words.end();
  return { maps: [describeMap(map.fd)], single: true };
}

function toJson(map: MapDescription, holders: HoldersOf): object {
  return {
    id: map.id,
    type: mapTypeName(map.type),
    ...(map.name === "" ? {} : { name: map.name }),
    flags: map.mapFlags,
    ...(map.ifindex === 0 ? {} : { ifindex: map.ifindex, ns_dev: map.netnsDev, ns_inode: map.netnsIno }),
    bytes_key: map.keySize,
    bytes_value: map.valueSize,
    max_entries: map.maxEntries,
    bytes_memlock: map.memlock,
    ...ownerJson(map),
    frozen: Number(map.frozen),
    ...(map.btfId === 0 ? {} : { btf_id: map.btfId }),
    ...holdersJson(map.id, holders),
  };
}

function ownerJson({ type, ownerProgType, ownerJited }: MapDescription): object {
  if (type !== BpfMapType.BPF_MAP_TYPE_PROG_ARRAY || ownerProgType === 0) return {};
  return { owner_prog_type: programTypeName(ownerProgType), owner_jited: ownerJited };
}

function print(map: MapDescription, holders: HoldersOf, output: Output): void {
  const name = map.name === "" ? "" : `name ${map.name}  `;
  output.line(`${map.id}: ${mapTypeName(map.type)}  ${name}flags 0x${map.mapFlags.toString(16)}`);
  const owner = ownerJson(map) as { owner_prog_type?: string; owner_jited?: boolean };
  const sizes = `key ${map.keySize}B  value ${map.valueSize}B  max_entries ${map.maxEntries}  memlock ${map.memlock}B`;
  output.line(`\t${sizes}${map.frozen ? "  frozen" : ""}`);
  if (owner.owner_prog_type !== undefined) {
    output.line(`\towner_prog_type ${owner.owner_prog_type}  ${owner.owner_jited ? "jited" : "not jited"}`);
  }
  if (map.btfId !== 0) output.line(`\tbtf_id ${map.btfId}`);
  printHolders(map.id, holders, output);
}
