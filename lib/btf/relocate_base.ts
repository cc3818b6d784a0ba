/**
 * Modules that were built apart from their kernel (6.11) bring the few types of it along that their own refer to, less
 * their members (`.BTF.base`). This puts such a module's types onto the kernel that it runs on, as the kernel itself
 * does when it loads the module (kernel/bpf/btf.c, btf_relocate()): each of the few is found there by kind, name and
 * size.
 *
 * @module
 */
import { FormatError } from "../errors.ts";
import { BtfKind, enumName } from "../uapi/mod.ts";
import { Btf, partsOf } from "./btf.ts";
import { encodeBlob } from "./builder/encode_blob.ts";
import { ABSENT, elementCount, ELEMENTS, HEADER_REFERS } from "./record_shape.ts";
import type { StringTable } from "./string_table.ts";
import type { BtfType } from "./types.ts";
import { BTF_TYPE, infoKind, infoVlen } from "./wire.ts";

/**
 * The types of `module`, whose base is what it brings along, on the types of `kernel` instead.
 *
 * @param module BTF on a distilled base.
 * @param kernel Types of the kernel that it is for.
 * @throws {FormatError} if the kernel lacks one of the types, or has several that it could be.
 */
export function relocateBase(module: Btf, kernel: Btf): Btf {
  const { types, strings } = partsOf(module);
  const count = module.typeCount - module.ownStartId;
  const ids = baseIds(module, kernel);
  const own = new OwnStrings(strings, kernel.stringEnd);
  const shift = kernel.typeCount - module.ownStartId;
  const refer = (id: number): number => id < ids.length ? ids[id]! : id + shift;
  const words = types.words.slice();
  for (let index = 0; index < count; index++) {
    const at = types.offsets[index]!;
    const info = words[at + BTF_TYPE.info]!;
    const kind = infoKind(info);
    words[at] = own.offset(words[at]!);
    if (HEADER_REFERS[kind] === 1) words[at + BTF_TYPE.sizeOrType] = refer(words[at + BTF_TYPE.sizeOrType]!);
    const stride = ELEMENTS.stride[kind]!;
    const nameAt = ELEMENTS.name[kind]!;
    const typeAt = ELEMENTS.type[kind]!;
    const end = at + BTF_TYPE.words + elementCount(kind, infoVlen(info)) * stride;
    for (let element = at + BTF_TYPE.words; element < end; element += stride) {
      if (nameAt !== ABSENT) words[element + nameAt] = own.offset(words[element + nameAt]!);
      if (typeAt !== ABSENT) words[element + typeAt] = refer(words[element + typeAt]!);
    }
  }
  return Btf.parse(encodeBlob(words, own.encode(), module.order), { base: kernel, what: module.what });
}

/** Strings of a module; those of the base that it brought along are taken over. */
class OwnStrings {
  readonly #from: StringTable;
  readonly #start: number;
  readonly #added: Uint8Array[] = [];
  readonly #offsets = new Map<number, number>();
  #end: number;

  /** @param start Offset of the first own string. */
  constructor(from: StringTable, start: number) {
    this.#from = from;
    this.#start = start;
    this.#end = start + from.bytes.length;
  }

  /** Where the string that was at `offset` is now. */
  offset(offset: number): number {
    if (offset === 0) return 0;
    if (offset >= this.#from.start) return offset - this.#from.start + this.#start;
    const known = this.#offsets.get(offset);
    if (known !== undefined) return known;
    const { bytes, at } = this.#from.locate(offset);
    const text = bytes.subarray(at, bytes.indexOf(0, at) + 1);
    this.#added.push(text);
    this.#offsets.set(offset, this.#end);
    this.#end += text.length;
    return this.#end - text.length;
  }

  encode(): Uint8Array {
    const result = new Uint8Array(this.#end - this.#start);
    result.set(this.#from.bytes);
    let at = this.#from.bytes.length;
    for (const text of this.#added) {
      result.set(text, at);
      at += text.length;
    }
    return result;
  }
}

/** Ids of the kernel by those of the module's base. */
function baseIds(module: Btf, kernel: Btf): number[] {
  const ids = [0];
  for (let id = 1; id < module.ownStartId; id++) {
    const type = module.type(id);
    const place = `${module.what}: refers to ${describe(type)} of its kernel`;
    const candidates = kernel.findIds(type.name).filter((candidate) => isMeant(type, kernel.type(candidate)));
    // Complete types before declarations of them.
    const complete = candidates.filter((candidate) => kernel.kindOf(candidate) !== BtfKind.Fwd);
    const found = complete.length > 0 ? complete : candidates;
    if (found.length > 1) {
      throw new FormatError(`${place}, and ${kernel.what} has several of that size: ids ${found.join(" and ")}`);
    }
    if (found.length === 0) {
      throw new FormatError(`${place}, which ${kernel.what} lacks: the module is for another kernel`);
    }
    ids.push(found[0]!);
  }
  return ids;
}

function describe(type: BtfType): string {
  const kind = (enumName(BtfKind, type.kind) ?? `kind ${type.kind}`).toLowerCase();
  return "size" in type ? `${kind} "${type.name}" (${type.size} bytes)` : `${kind} "${type.name}"`;
}

/** Is `type`, one of a distilled base, the kernel's `candidate` of the same name. */
function isMeant(type: BtfType, candidate: BtfType): boolean {
  switch (type.kind) {
    case BtfKind.Int:
      return candidate.kind === BtfKind.Int && candidate.size === type.size && candidate.bits === type.bits &&
        candidate.signed === type.signed && candidate.bool === type.bool && candidate.char === type.char;
    case BtfKind.Float:
      return candidate.kind === BtfKind.Float && candidate.size === type.size;
    case BtfKind.Struct:
    case BtfKind.Union:
      return candidate.kind === type.kind && candidate.size === type.size;
    // Both are enums of a size and no values there.
    case BtfKind.Enum:
    case BtfKind.Enum64:
      return (candidate.kind === BtfKind.Enum || candidate.kind === BtfKind.Enum64) && candidate.size === type.size;
    case BtfKind.Fwd:
      if (candidate.kind === BtfKind.Fwd) return candidate.union === type.union;
      return candidate.kind === (type.union ? BtfKind.Union : BtfKind.Struct);
    default:
      return false;
  }
}
