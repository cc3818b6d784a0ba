/**
 * BTF type by type, as `bpftool btf dump` shows it: text or JSON.
 *
 * @module
 */
import { BtfIntEncoding, BtfKind } from "../../uapi/mod.ts";
import type { Btf } from "../btf.ts";
import { BTF_TYPE, infoFlag, infoKind, infoVlen, LAST_KIND } from "../wire.ts";
import { enumValue } from "./enum_value.ts";
import { type RawTypes, rawTypes, typeError } from "./raw_types.ts";
import { jsonRecords, KEY, plainRecords, type RecordWriter } from "./record_writer.ts";
import { TextBuffer, textOf, type TextSink } from "./text_buffer.ts";

/** Options of {@linkcode formatRaw} and {@linkcode writeRaw}. */
export interface RawDumpOptions {
  /** Only these types. */
  roots?: readonly number[];
  /** JSON, of the shape of bpftool's: on one line, or indented. */
  json?: "line" | "pretty";
}

const { words: TRAILER, sizeOrType: TARGET, info: INFO } = BTF_TYPE;

const KIND_WORDS: readonly string[] = [
  "UNKNOWN",
  "INT",
  "PTR",
  "ARRAY",
  "STRUCT",
  "UNION",
  "ENUM",
  "FWD",
  "TYPEDEF",
  "VOLATILE",
  "CONST",
  "RESTRICT",
  "FUNC",
  "FUNC_PROTO",
  "VAR",
  "DATASEC",
  "FLOAT",
  "DECL_TAG",
  "TYPE_TAG",
  "ENUM64",
];

const ENCODINGS: Readonly<Record<number, string>> = {
  0: "(none)",
  [BtfIntEncoding.BTF_INT_SIGNED]: "SIGNED",
  [BtfIntEncoding.BTF_INT_CHAR]: "CHAR",
  [BtfIntEncoding.BTF_INT_BOOL]: "BOOL",
};

const LINKAGES: readonly string[] = ["static", "global", "extern"];

/**
 * Writes types in the order of their ids: own ones, unless roots are given. References and names that do not exist are
 * shown as they are.
 *
 * @throws {FormatError} if a type's record is malformed, or a root does not exist.
 */
export function writeRaw(btf: Btf, sink: TextSink, options: RawDumpOptions = {}): void {
  const types = rawTypes(btf);
  const out = new TextBuffer(sink);
  const { json, roots } = options;
  const writer = json === undefined ? plainRecords(out, types.strings) : jsonRecords(out, types.strings, json);
  writer.start();
  if (roots !== undefined) {
    for (const id of roots) writeType(types, id, writer);
  } else {
    for (let id = types.ownStartId; id < types.count; id++) writeType(types, id, writer);
  }
  writer.finish();
  out.flush();
}

/** The text that {@linkcode writeRaw} writes. */
export function formatRaw(btf: Btf, options: RawDumpOptions = {}): string {
  return textOf((sink) => writeRaw(btf, sink, options));
}

function writeType(types: RawTypes, id: number, writer: RecordWriter): void {
  const { words } = types;
  if (id === 0) {
    writer.begin(0, "UNKNOWN", 0);
    writer.end();
    return;
  }
  if (!(id > 0 && id < types.count)) throw typeError(types, id, `does not exist: ids end at ${types.count - 1}`);
  const at = types.offsets[id - 1]!;
  const info = words[at + INFO]!;
  const kind = infoKind(info);
  const target = words[at + TARGET]!;
  writer.begin(id, kindWord(kind), words[at]!);
  switch (kind) {
    case BtfKind.Int: {
      const encoding = words[at + TRAILER]!;
      writer.number(KEY.size, target);
      writer.number(KEY.bitsOffset, encoding >>> 16 & 0xff);
      writer.number(KEY.nrBits, encoding & 0xff);
      writer.word(KEY.encoding, ENCODINGS[encoding >>> 24 & 0xf] ?? "UNKN");
      break;
    }
    case BtfKind.Ptr:
    case BtfKind.Const:
    case BtfKind.Volatile:
    case BtfKind.Restrict:
    case BtfKind.Typedef:
    case BtfKind.TypeTag:
      writer.number(KEY.typeId, target);
      break;
    case BtfKind.Array:
      writer.number(KEY.typeId, words[at + TRAILER]!);
      writer.number(KEY.indexTypeId, words[at + TRAILER + 1]!);
      writer.number(KEY.nrElems, words[at + TRAILER + 2]!);
      break;
    case BtfKind.Struct:
    case BtfKind.Union:
      writeMembers(words, at, writer);
      break;
    case BtfKind.Enum:
    case BtfKind.Enum64:
      writeEnum(words, at, writer);
      break;
    case BtfKind.Fwd:
      writer.word(KEY.fwdKind, infoFlag(info) ? "union" : "struct");
      break;
    case BtfKind.Func:
      writer.number(KEY.typeId, target);
      writer.word(KEY.linkage, LINKAGES[infoVlen(info)] ?? "(unknown)");
      break;
    case BtfKind.FuncProto:
      writeParams(words, at, writer);
      break;
    case BtfKind.Var:
      writer.number(KEY.typeId, target);
      writer.word(KEY.varLinkage, LINKAGES[words[at + TRAILER]!] ?? "(unknown)");
      break;
    case BtfKind.Datasec:
      writeVariables(types, at, writer);
      break;
    case BtfKind.Float:
      writer.number(KEY.size, target);
      break;
    case BtfKind.DeclTag:
      writer.number(KEY.typeId, target);
      writer.number(KEY.componentIdx, words[at + TRAILER]! | 0);
      break;
  }
  writer.end();
}

function kindWord(kind: number): string {
  return KIND_WORDS[kind <= LAST_KIND ? kind : BtfKind.Unknown]!;
}

function writeMembers(words: Uint32Array, at: number, writer: RecordWriter): void {
  const info = words[at + INFO]!;
  const count = infoVlen(info);
  const flag = infoFlag(info);
  writer.number(KEY.size, words[at + TARGET]!);
  writer.number(KEY.vlen, count);
  writer.list(KEY.members);
  const end = at + TRAILER + count * 3;
  for (let record = at + TRAILER; record < end; record += 3) {
    const offset = words[record + 2]!;
    writer.item();
    writer.name(words[record]!);
    writer.number(KEY.typeId, words[record + 1]!);
    writer.number(KEY.bitsOffset, flag ? offset & 0xffffff : offset);
    if (flag && offset >>> 24 !== 0) writer.number(KEY.bitfieldSize, offset >>> 24);
    writer.endItem();
  }
  writer.endList();
}

function writeEnum(words: Uint32Array, at: number, writer: RecordWriter): void {
  const info = words[at + INFO]!;
  const count = infoVlen(info);
  const signed = infoFlag(info);
  const wide = infoKind(info) === BtfKind.Enum64;
  writer.word(KEY.encoding, signed ? "SIGNED" : "UNSIGNED");
  writer.number(KEY.size, words[at + TARGET]!);
  writer.number(KEY.vlen, count);
  writer.list(KEY.values);
  const step = wide ? 3 : 2;
  const end = at + TRAILER + count * step;
  for (let record = at + TRAILER; record < end; record += step) {
    writer.item();
    writer.name(words[record]!);
    const low = words[record + 1]!;
    if (wide) writer.wide(KEY.val, enumValue(low, words[record + 2]!, signed), signed ? "LL" : "ULL");
    else if (signed) writer.number(KEY.val, low | 0);
    else writer.unsigned(KEY.val, low);
    writer.endItem();
  }
  writer.endList();
}

function writeParams(words: Uint32Array, at: number, writer: RecordWriter): void {
  const count = infoVlen(words[at + INFO]!);
  writer.number(KEY.retTypeId, words[at + TARGET]!);
  writer.number(KEY.vlen, count);
  writer.list(KEY.params);
  const end = at + TRAILER + count * 2;
  for (let record = at + TRAILER; record < end; record += 2) {
    writer.item();
    writer.name(words[record]!);
    writer.number(KEY.typeId, words[record + 1]!);
    writer.endItem();
  }
  writer.endList();
}

function writeVariables(types: RawTypes, at: number, writer: RecordWriter): void {
  const { words, offsets, count: typeCount } = types;
  const count = infoVlen(words[at + INFO]!);
  writer.number(KEY.size, words[at + TARGET]!);
  writer.number(KEY.vlen, count);
  writer.list(KEY.vars);
  const end = at + TRAILER + count * 3;
  for (let record = at + TRAILER; record < end; record += 3) {
    const type = words[record]!;
    writer.item();
    writer.number(KEY.itemTypeId, type);
    writer.number(KEY.offset, words[record + 1]!);
    writer.number(KEY.size, words[record + 2]!);
    if (type === 0) writer.note("UNKNOWN", 0);
    else if (type < typeCount) {
      const variable = offsets[type - 1]!;
      writer.note(kindWord(infoKind(words[variable + INFO]!)), words[variable]!);
    }
    writer.endItem();
  }
  writer.endList();
}
