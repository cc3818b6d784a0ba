/**
 * Elements of maps on the command line: reading, setting, removing, all of them.
 *
 * @module
 */
import type { BpfMap, UpdateMode } from "../../ffi/map/mod.ts";
import * as sys from "../../ffi/sys/mod.ts";
import type { Value } from "../../lib/btf/mod.ts";
import { isMapOfMaps } from "../../lib/uapi/mod.ts";
import type { MapSpec } from "../../lib/spec/mod.ts";
import { UnsupportedError } from "../../lib/errors.ts";
import type { Words } from "../btf/words.ts";
import { EXIT } from "../command.ts";
import { takeMap, takeProgram, takeWord } from "../objects.ts";
import { type Output, toJson } from "../output.ts";
import { hexJson, hexText, takeBytes } from "./data.ts";

/** Bytes of a key or value. */
type Bytes = Uint8Array<ArrayBuffer>;

/** An element: bytes, and values where the map has types. */
interface Element {
  readonly key: Bytes;
  readonly value: Bytes;
  readonly typed: { readonly key: Value; readonly value: Value } | undefined;
}

/** `dump MAP` */
export async function dumpMap(words: Words, output: Output): Promise<number> {
  using map = await takeMap(words);
  words.end();
  const decode = decoder(map);
  if (output.json) {
    const elements = isKeyless(map)
      ? []
      : [...map.raw].map(([key, value]) => elementJson(map.spec, decode(key, value)));
    output.value(elements);
    return EXIT.done;
  }
  let count = 0;
  for (const [key, value] of map.raw) {
    output.line(elementText(map.spec, decode(key, value)));
    count++;
  }
  output.line(`Found ${count} element${count === 1 ? "" : "s"}`);
  return EXIT.done;
}

/** `lookup MAP key DATA`; of queues and stacks `peek` and `pop` */
export async function lookUp(words: Words, how: "lookup" | "peek" | "pop", output: Output): Promise<number> {
  using map = await takeMap(words);
  const { raw } = map;
  const key = how === "lookup" && map.spec.keySize > 0 ? takeKey(words, map) : new Uint8Array(0);
  words.end();
  const value = how === "lookup" ? raw.get(key) : how === "peek" ? raw.peek() : raw.pop();
  if (value === undefined) {
    if (output.json) output.value(null);
    else output.line(how === "lookup" ? `key: ${hexText(key)}\n\nNot found` : "Error: empty map");
    return EXIT.done;
  }
  const element = decoder(map)(key, value);
  if (output.json) output.value(elementJson(map.spec, element));
  else output.line(how === "lookup" ? elementText(map.spec, element) : `value: ${hexText(value)}`);
  return EXIT.done;
}

/** `getnext MAP [key DATA]` */
export async function getNext(words: Words, output: Output): Promise<number> {
  using map = await takeMap(words);
  const key = words.peek() === undefined ? null : takeKey(words, map);
  words.end();
  const next = new Uint8Array(map.spec.keySize);
  if (!sys.mapGetNextKey(map.fd, key, next)) throw new Error("can't get next key: there is none");
  if (output.json) output.value({ key: key === null ? null : hexJson(key), next_key: hexJson(next) });
  else output.line(`${key === null ? "key: None" : `key:\n${hexText(key)}`}\nnext key:\n${hexText(next)}`);
  return EXIT.done;
}

/** `update MAP [key DATA] [value VALUE] [any|exist|noexist]`; of queues and stacks `push MAP value VALUE` */
export async function update(words: Words, output: Output): Promise<number> {
  using map = await takeMap(words);
  const keyless = isKeyless(map);
  const key = keyless ? new Uint8Array(0) : takeKey(words, map);
  takeWord(words, "value");
  using held = new DisposableStack();
  const value = await takeValue(words, map, held);
  const mode = words.keyword<UpdateMode>("any", "exist", "noexist") ?? "any";
  words.end();
  if (keyless) map.raw.push(value, mode);
  else map.raw.set(key, value, mode);
  return done(output);
}

/** `delete MAP key DATA` */
export async function remove(words: Words, output: Output): Promise<number> {
  using map = await takeMap(words);
  const key = takeKey(words, map);
  words.end();
  if (!map.raw.delete(key)) throw new Error(`map "${map.name}": there is no element of the key ${hexText(key)}`);
  return done(output);
}

/** What bpftool prints of a command that only does something. */
export function done(output: Output): number {
  if (output.json) output.value(null);
  return EXIT.done;
}

function isKeyless(map: BpfMap): boolean {
  return map.spec.keySize === 0;
}

function takeKey(words: Words, map: BpfMap): Bytes {
  takeWord(words, "key");
  return takeBytes(words, map.spec.keySize, "key");
}

/** Bytes; of maps of maps and of programs the file descriptor of a map or a program, which `held` closes. */
async function takeValue(words: Words, map: BpfMap, held: DisposableStack): Promise<Bytes> {
  const { spec } = map;
  const size = map.raw.valueBytes;
  const word = words.peek();
  if (spec.valueSize === 4 && word !== undefined && /^(id|name|pinned|tag)$/.test(word)) {
    const object = held.use(isMapOfMaps(spec.type) ? await takeMap(words) : await takeProgram(words));
    return new Uint8Array(Uint32Array.of(object.fd).buffer);
  }
  if (size === spec.valueSize) return takeBytes(words, size, "value");
  // As bpftool: what is given is set for every CPU.
  const one = takeBytes(words, spec.valueSize, "value");
  const stride = Math.ceil(spec.valueSize / 8) * 8;
  const all = new Uint8Array(size);
  for (let at = 0; at < size; at += stride) all.set(one, at);
  return all;
}

/** Decodes elements; without types there are only bytes. */
function decoder(map: BpfMap): (key: Bytes, value: Bytes) => Element {
  const codecs = typedCodecs(map);
  return (key, value) => ({
    key,
    value,
    typed: codecs === undefined ? undefined : {
      key: codecs.key.decode(new DataView(key.buffer), 0),
      value: codecs.value.decode(new DataView(value.buffer), 0),
    },
  });
}

function typedCodecs(map: BpfMap) {
  if (map.spec.key === undefined || map.spec.value === undefined || isMapOfMaps(map.spec.type)) return undefined;
  try {
    return map.codecs;
  } catch (error) {
    if (error instanceof UnsupportedError) return undefined;
    throw error;
  }
}

function elementJson(spec: MapSpec, { key, value, typed }: Element): object {
  const values = perCpuValues(spec, value);
  if (values === undefined) {
    return {
      key: hexJson(key),
      value: hexJson(value),
      ...(isMapOfMaps(spec.type) ? { inner_map_id: new DataView(value.buffer).getUint32(0, true) } : {}),
      ...(typed === undefined ? {} : { formatted: typed }),
    };
  }
  const formatted = typed === undefined ? undefined : {
    key: typed.key,
    values: (typed.value as Value[]).map((value, cpu) => ({ cpu, value })),
  };
  return {
    key: hexJson(key),
    values: values.map((bytes, cpu) => ({ cpu, value: hexJson(bytes) })),
    ...(formatted === undefined ? {} : { formatted }),
  };
}

function elementText(spec: MapSpec, { key, value, typed }: Element): string {
  if (typed !== undefined) return `${toJson(typed.key)}: ${toJson(typed.value)}`;
  const values = perCpuValues(spec, value);
  if (values === undefined) return `key: ${hexText(key)}  value: ${hexText(value)}`;
  return [`key: ${hexText(key)}`, ...values.map((one, cpu) => `value (CPU ${cpu}): ${hexText(one)}`)].join("\n");
}

/** The value of each CPU; `undefined` of a map that has one for all. */
function perCpuValues(spec: MapSpec, value: Bytes): Bytes[] | undefined {
  const stride = Math.ceil(spec.valueSize / 8) * 8;
  if (value.length === spec.valueSize || stride === 0) return undefined;
  return Array.from({ length: value.length / stride }, (_, cpu) => {
    return value.slice(cpu * stride, cpu * stride + spec.valueSize);
  });
}
