/**
 * `debpf btf field` and `debpf btf users`.
 *
 * @module
 */
import { type Btf, type BtfType, sizeOf } from "../../lib/btf/mod.ts";
import { type FieldStep, findField, findUsers, formatDeclaration, type TypeUse } from "../../lib/btf/questions/mod.ts";
import { BtfKind } from "../../lib/uapi/mod.ts";
import { EXIT } from "../command.ts";
import type { Output } from "../output.ts";
import { tableLines } from "../table.ts";
import { openSource, readSourceName, type SourceName } from "./source.ts";
import type { Words } from "./words.ts";

/** Where to look if the user does not say. */
const RUNNING_KERNEL: SourceName = { kind: "file", path: "vmlinux" };

async function openNamed(words: Words, basePath: string | undefined): Promise<Btf> {
  const name = words.peek() === undefined ? RUNNING_KERNEL : readSourceName(words);
  words.end();
  return (await openSource(name, basePath)).btf;
}

/** Where a field is; `words` stand behind `field`. */
export async function showField(words: Words, basePath: string | undefined, output: Output): Promise<number> {
  const path = words.take("PATH");
  const btf = await openNamed(words, basePath);
  const { steps, type } = findField(btf, path);
  const size = sizeOf(type, btf.pointerSize);
  if (output.json) {
    output.value({ path, type: formatDeclaration(type), size, steps: steps.map(stepJson) });
    return EXIT.done;
  }
  output.line(`${path}: ${formatDeclaration(type)}${size === undefined ? "" : `, ${size} bytes`}`);
  const rows = steps.map((step) => [formatDeclaration(step.base), offsetText(step), step.path, typeText(step)]);
  const columns = [{ heading: "IN" }, { heading: "OFFSET", right: true }, { heading: "FIELD" }, { heading: "TYPE" }];
  for (const line of tableLines(columns, rows, 2)) output.line(line);
  return EXIT.done;
}

function stepJson(step: FieldStep): Record<string, unknown> {
  return {
    base: formatDeclaration(step.base),
    path: step.path,
    offset: Math.floor(step.offsetBits / 8),
    offset_bits: step.offsetBits,
    ...(step.bitfieldBits === 0 ? {} : { bitfield_bits: step.bitfieldBits }),
    type: formatDeclaration(step.type),
  };
}

function offsetText({ offsetBits }: FieldStep): string {
  const bits = offsetBits % 8;
  return bits === 0 ? `${offsetBits / 8}` : `${(offsetBits - bits) / 8} + ${bits} bits`;
}

function typeText({ type, bitfieldBits }: FieldStep): string {
  return `${formatDeclaration(type)}${bitfieldBits === 0 ? "" : `, ${bitfieldBits} bits`}`;
}

/** Who uses a type; `words` stand behind `users`. */
export async function showUsers(words: Words, basePath: string | undefined, output: Output): Promise<number> {
  const name = words.take("TYPE");
  const btf = await openNamed(words, basePath);
  const uses = idsOf(btf, name).flatMap((id) => findUsers(btf, id));
  if (output.json) {
    output.value(uses.map(({ user, places }) => ({ id: user.id, kind: kindWord(user), name: user.name, places })));
  } else {
    const row = ({ user, places }: TypeUse) => [`${kindWord(user)} ${user.name}`, places.join(", ")];
    for (const line of tableLines([{ heading: "USER" }, { heading: "WHERE" }], uses.map(row))) output.line(line);
  }
  return EXIT.done;
}

/** The types that a user means: an id, a name, or a name after `struct`, `union` or `enum`. */
function idsOf(btf: Btf, name: string): number[] {
  if (/^\d+$/.test(name)) return [Number(name)];
  const [, keyword, plain = name] = /^(struct|union|enum)\s+(.+)$/.exec(name) ?? [];
  const ids = btf.findIds(plain).filter((id) => keyword === undefined || kindWord(btf.type(id)) === keyword);
  if (ids.length === 0) throw new Error(`${btf.what}: has no type "${name}"`);
  return ids;
}

const KIND_WORDS: Readonly<Record<number, string>> = {
  [BtfKind.Struct]: "struct",
  [BtfKind.Union]: "union",
  [BtfKind.Enum]: "enum",
  [BtfKind.Enum64]: "enum",
  [BtfKind.Typedef]: "typedef",
  [BtfKind.Func]: "func",
  [BtfKind.Var]: "var",
  [BtfKind.Datasec]: "section",
  [BtfKind.DeclTag]: "tag",
};

function kindWord(type: BtfType): string {
  return KIND_WORDS[type.kind] ?? "type";
}
