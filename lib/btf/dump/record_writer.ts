/**
 * Records of named fields, as bpftool prints them: `[1] INT 'int' size=4`, or a JSON object each.
 *
 * @module
 */
import type { TextBuffer } from "./text_buffer.ts";

/** How a field is called. */
export interface Key {
  /** In front of its value in text. */
  readonly plain: string;
  /** In front of its value in JSON. */
  readonly json: string;
}

function key(name: string, plain = ` ${name}=`): Key {
  return { plain, json: `"${name}":` };
}

/** The fields. */
export const KEY = {
  size: key("size"),
  bitsOffset: key("bits_offset"),
  nrBits: key("nr_bits"),
  encoding: key("encoding"),
  typeId: key("type_id"),
  indexTypeId: key("index_type_id"),
  nrElems: key("nr_elems"),
  vlen: key("vlen"),
  members: key("members"),
  bitfieldSize: key("bitfield_size"),
  values: key("values"),
  val: key("val"),
  fwdKind: key("fwd_kind"),
  linkage: key("linkage"),
  retTypeId: key("ret_type_id"),
  params: key("params"),
  vars: key("vars"),
  offset: key("offset"),
  componentIdx: key("component_idx"),
  /** The first field of an item. */
  itemTypeId: key("type_id", "type_id="),
  /** That of a variable. */
  varLinkage: key("linkage", ", linkage="),
} as const satisfies Record<string, Key>;

/** Writes records; a name is an offset of the string section. */
export interface RecordWriter {
  /** To be called first. */
  start(): void;
  /** To be called last. */
  finish(): void;
  /** Begins a record. */
  begin(id: number, kind: string, name: number): void;
  /** Ends it. */
  end(): void;
  /** A field. */
  number(key: Key, value: number): void;
  /** The value of an unsigned enum, in 32 bits. */
  unsigned(key: Key, value: number): void;
  /** A field of 64 bits; the suffix is that of C. */
  wide(key: Key, value: bigint, suffix: string): void;
  /** A field whose value is a word. */
  word(key: Key, value: string): void;
  /** Begins the list of items. */
  list(key: Key): void;
  /** Ends it. */
  endList(): void;
  /** Begins an item. */
  item(): void;
  /** Ends it. */
  endItem(): void;
  /** The name of an item. */
  name(name: number): void;
  /** What an item refers to, for people only. */
  note(kind: string, name: number): void;
}

/** Writes lines. */
export function plainRecords(out: TextBuffer, strings: Uint8Array): RecordWriter {
  return new PlainRecords(out, strings);
}

/** Writes `{"types":[...]}`. */
export function jsonRecords(out: TextBuffer, strings: Uint8Array, style: "line" | "pretty"): RecordWriter {
  return new JsonRecords(out, strings, style === "pretty");
}

class PlainRecords implements RecordWriter {
  readonly #out: TextBuffer;
  readonly #strings: Uint8Array;

  constructor(out: TextBuffer, strings: Uint8Array) {
    this.#out = out;
    this.#strings = strings;
  }

  start(): void {}
  finish(): void {}

  begin(id: number, kind: string, name: number): void {
    const out = this.#out;
    out.ascii("[");
    out.decimal(id);
    out.ascii("] ");
    out.ascii(kind);
    out.ascii(" '");
    this.#name(name);
    out.ascii("'");
  }

  end(): void {
    this.#out.ascii("\n");
  }

  number(key: Key, value: number): void {
    this.#out.ascii(key.plain);
    this.#out.decimal(value);
  }

  unsigned(key: Key, value: number): void {
    this.number(key, value);
  }

  wide(key: Key, value: bigint, suffix: string): void {
    this.#out.ascii(`${key.plain}${value}${suffix}`);
  }

  word(key: Key, value: string): void {
    this.#out.ascii(key.plain);
    this.#out.ascii(value);
  }

  list(): void {}
  endList(): void {}

  item(): void {
    this.#out.ascii("\n\t");
  }

  endItem(): void {}

  name(name: number): void {
    this.#out.ascii("'");
    this.#name(name);
    this.#out.ascii("'");
  }

  note(kind: string, name: number): void {
    this.#out.ascii(` (${kind} '`);
    this.#name(name);
    this.#out.ascii("')");
  }

  #name(name: number): void {
    if (name === 0) this.#out.ascii("(anon)");
    else if (name >= this.#strings.length) this.#out.ascii("(invalid)");
    else this.#out.copy(this.#strings, name);
  }
}

class JsonRecords implements RecordWriter {
  readonly #out: TextBuffer;
  readonly #strings: Uint8Array;
  readonly #pretty: boolean;
  /** By depth, what stands before a field. */
  readonly #breaks: readonly string[];
  #depth = 0;
  /** Whether something stands before in the same object or list. */
  #follows = false;

  constructor(out: TextBuffer, strings: Uint8Array, pretty: boolean) {
    this.#out = out;
    this.#strings = strings;
    this.#pretty = pretty;
    this.#breaks = Array.from({ length: 8 }, (_, depth) => pretty ? `\n${"    ".repeat(depth)}` : "");
  }

  start(): void {
    this.#open("{");
    this.#key('"types":');
    this.#follows = false;
    this.#open("[");
  }

  finish(): void {
    this.#close("]");
    this.#close("}");
    this.#out.ascii("\n");
  }

  begin(id: number, kind: string, name: number): void {
    this.#open("{");
    this.#key('"id":');
    this.#out.decimal(id);
    this.#key('"kind":');
    this.#out.ascii('"');
    this.#out.ascii(kind);
    this.#out.ascii('"');
    this.name(name);
  }

  end(): void {
    this.#close("}");
  }

  number(key: Key, value: number): void {
    this.#key(key.json);
    this.#out.decimal(value);
  }

  unsigned(key: Key, value: number): void {
    // bpftool, up to the newest, takes it for signed on the way to 64 bits; whoever reads its JSON expects that.
    if (value <= 0x7fffffff) this.number(key, value);
    else this.wide(key, BigInt.asUintN(64, BigInt(value | 0)));
  }

  wide(key: Key, value: bigint): void {
    this.#key(key.json);
    this.#out.ascii(String(value));
  }

  word(key: Key, value: string): void {
    this.#key(key.json);
    this.#out.ascii('"');
    this.#out.ascii(value);
    this.#out.ascii('"');
  }

  list(key: Key): void {
    this.#key(key.json);
    this.#follows = false;
    this.#open("[");
  }

  endList(): void {
    this.#close("]");
  }

  item(): void {
    this.#open("{");
  }

  endItem(): void {
    this.#close("}");
  }

  name(name: number): void {
    this.#key('"name":');
    this.#out.ascii('"');
    if (name === 0) this.#out.ascii("(anon)");
    else if (name >= this.#strings.length) this.#out.ascii("(invalid)");
    else this.#escaped(name);
    this.#out.ascii('"');
  }

  note(): void {}

  /** Objects of a list follow each other on the line. */
  #open(bracket: string): void {
    if (this.#follows) this.#out.ascii(",");
    this.#out.ascii(bracket);
    this.#depth++;
    this.#follows = false;
  }

  #close(bracket: string): void {
    this.#depth--;
    if (this.#follows) this.#out.ascii(this.#breaks[this.#depth]!);
    this.#out.ascii(bracket);
    this.#follows = true;
  }

  #key(key: string): void {
    if (this.#follows) this.#out.ascii(",");
    this.#out.ascii(this.#breaks[this.#depth]!);
    this.#out.ascii(key);
    if (this.#pretty) this.#out.ascii(" ");
    this.#follows = true;
  }

  /** A name with what JSON does not allow in strings escaped. */
  #escaped(name: number): void {
    const strings = this.#strings;
    let at = name;
    // Names of C need none of this.
    for (let byte = strings[at]!; byte > 0x1f && byte !== 0x22 && byte !== 0x5c; byte = strings[++at]!);
    if (strings[at] === 0) {
      this.#out.copy(strings, name);
      return;
    }
    const one = new Uint8Array(2);
    for (at = name; strings[at] !== 0; at++) {
      const byte = strings[at]!;
      if (byte > 0x1f && byte !== 0x22 && byte !== 0x5c) {
        one[0] = byte;
        this.#out.copy(one, 0);
      } else {
        this.#out.ascii(JSON.stringify(String.fromCharCode(byte)).slice(1, -1));
      }
    }
  }
}
