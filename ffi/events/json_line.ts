/**
 * Events as JSON.
 *
 * @module
 */

/** A line of JSON: 64-bit numbers are exact digits, bytes arrays of numbers. */
export function jsonLine(event: unknown): string {
  return `${JSON.stringify(event, plain)}\n`;
}

function plain(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return rawJson(value.toString());
  return value instanceof Uint8Array ? Array.from(value) : value;
}

/** `JSON.rawJSON` (ES2026) is what prints a bigint's digits exactly; TypeScript's library does not name it yet. */
function rawJson(text: string): unknown {
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(text);
}
