/**
 * `debpf map create`.
 *
 * @module
 */
import { BpfMap } from "../../ffi/map/mod.ts";
import { checkPinPath } from "../../ffi/pin/mod.ts";
import type { MapSpec } from "../../lib/spec/mod.ts";
import { BpfMapType } from "../../lib/uapi/mod.ts";
import type { Words } from "../btf/words.ts";
import { UsageError } from "../command.ts";
import { mapTypeName } from "../kernel_names.ts";
import { takeMap, takeNumber } from "../objects.ts";
import type { Output } from "../output.ts";
import { done } from "./elements.ts";

/** Does it; `words` stand behind `create`. */
export async function createMap(words: Words, output: Output): Promise<number> {
  const path = words.take("FILE");
  const spec: MapSpec = {
    name: "",
    type: BpfMapType.BPF_MAP_TYPE_UNSPEC,
    keySize: 0,
    valueSize: 0,
    maxEntries: 0,
    flags: 0,
    extra: 0n,
    pinning: "none",
    readOnly: false,
    contents: [],
    tags: [],
  };
  while (words.peek() !== undefined) await takeOption(words, spec);
  if (spec.type === BpfMapType.BPF_MAP_TYPE_UNSPEC) throw new UsageError("type TYPE is missing");
  if (spec.name === "") throw new UsageError("name NAME is missing");
  checkPinPath(path);
  using map = BpfMap.create(spec);
  map.pin(path);
  return done(output);
}

async function takeOption(words: Words, spec: MapSpec): Promise<void> {
  const option = words.keyword("type", "key", "value", "entries", "name", "flags", "inner_map");
  switch (option) {
    case "type":
      spec.type = takeType(words);
      break;
    case "key":
      spec.keySize = takeNumber(words, "key");
      break;
    case "value":
      spec.valueSize = takeNumber(words, "value");
      break;
    case "entries":
      spec.maxEntries = takeNumber(words, "entries");
      break;
    case "name":
      spec.name = words.take("NAME");
      break;
    case "flags":
      spec.flags = takeNumber(words, "flags");
      break;
    case "inner_map": {
      using inner = await takeMap(words);
      spec.inner = { ...inner.spec, key: undefined, value: undefined };
      break;
    }
    case undefined:
      throw new UsageError(`unexpected argument "${words.peek()}"`);
    default:
      option satisfies never;
  }
}

function takeType(words: Words): BpfMapType {
  const word = words.take("TYPE");
  const type = Object.values(BpfMapType).find((type) => mapTypeName(type) === word);
  if (type === undefined) throw new UsageError(`type: "${word}" is no type of maps`);
  return type;
}
