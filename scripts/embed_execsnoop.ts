/**
 * Embeds the object of examples/execsnoop as a module, so that the tool has it wherever it is imported from.
 *
 * `deno run -A scripts/embed_execsnoop.ts` (part of `deno task testdata`)
 *
 * @module
 */
import { fromFileUrl, join } from "@std/path";

const ROOT = fromFileUrl(new URL("../", import.meta.url));
const LINE_LENGTH = 112;

/** Writes cli/bundled/execsnoop.ts from examples/execsnoop/execsnoop.bpf.o. */
export async function embedExecsnoop(): Promise<void> {
  const object = await Deno.readFile(join(ROOT, "examples/execsnoop/execsnoop.bpf.o"));
  const base64 = btoa(Array.from(object, (byte) => String.fromCharCode(byte)).join(""));
  const lines = base64.match(new RegExp(`.{1,${LINE_LENGTH}}`, "g")) ?? [];
  const text = `/**
 * The object of examples/execsnoop, for \`debpf run\` without OBJECT. Made by \`deno task testdata\`: not to be edited.
 *
 * @module
 */

// deno-fmt-ignore
const BASE64 = [
${lines.map((line) => `  "${line}",`).join("\n")}
].join("");

/** The ELF object: ${object.length} bytes, a new copy at each call. */
export function execsnoopObject(): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(BASE64), (character) => character.charCodeAt(0));
}
`;
  await Deno.mkdir(join(ROOT, "cli/bundled"), { recursive: true });
  await Deno.writeTextFile(join(ROOT, "cli/bundled/execsnoop.ts"), text);
}

if (import.meta.main) await embedExecsnoop();
