/**
 * What attaches programs to functions of user programs: `uprobe/PATH:FUNCTION+OFFSET`, `uprobe.multi/PATH:PATTERN`,
 * `usdt/PATH:PROVIDER:NAME`.
 *
 * @module
 */
import type { ProgramSpec } from "../../lib/spec/mod.ts";
import type { Attachers } from "./attacher.ts";
import { attachUprobe } from "./uprobe.ts";
import { attachUprobeMulti } from "./uprobe_multi.ts";
import { attachUsdt } from "./usdt.ts";

/** By kind. */
export const USER_ATTACHERS: Attachers = {
  uprobe: (program, spec, { cookie }) => attachUprobe(program, { ...functionOf(spec), cookie }),
  uretprobe: (program, spec, { cookie }) => attachUprobe(program, { ...functionOf(spec), cookie, retprobe: true }),
  uprobe_multi: (program, spec, { cookie }) => attachUprobeMulti(program, { ...patternOf(spec), cookie }),
  uretprobe_multi: (program, spec, { cookie }) =>
    attachUprobeMulti(program, { ...patternOf(spec), cookie, retprobe: true }),
  uprobe_session: (program, spec, { cookie }) => attachUprobeMulti(program, { ...patternOf(spec), cookie }),
  usdt: (program, spec, { cookie }) => attachUsdt(program, { ...probeOf(spec), cookie }),
};

function functionOf(spec: ProgramSpec): { path: string; symbol?: string; offset: number } {
  const { path, pattern } = patternOf(spec);
  // No function's name begins with a digit: it is an offset in the file.
  if (/^\d/.test(pattern)) return { path, offset: parseOffset(spec, pattern) };
  const [, symbol = pattern, offset] = /^(.+)\+([^+]*)$/.exec(pattern) ?? [];
  return offset === undefined ? { path, symbol, offset: 0 } : { path, symbol, offset: parseOffset(spec, offset) };
}

/** As C reads numbers: hexadecimal after `0x`, octal after `0`. */
function parseOffset(spec: ProgramSpec, text: string): number {
  const octal = /^0[0-7]+$/.test(text);
  if (octal || /^(0x[0-9a-fA-F]+|\d+)$/.test(text)) return Number(octal ? `0o${text}` : text);
  throw new Error(`${placeOf(spec)}: "${text}" is not an offset: 16 or 0x10`);
}

function patternOf(spec: ProgramSpec): { path: string; pattern: string } {
  const [, path, pattern] = /^([^:]+):(.+)$/.exec(spec.attachTo) ?? [];
  if (path !== undefined && pattern !== undefined) return { path, pattern };
  throw new Error(`${placeOf(spec)}: it has to be ${kindOf(spec)}/PATH:FUNCTION`);
}

function probeOf(spec: ProgramSpec): { path: string; provider: string; name: string } {
  const [, path, provider, name] = /^([^:]+):([^:]+):([^:]+)$/.exec(spec.attachTo) ?? [];
  if (path !== undefined && provider !== undefined && name !== undefined) return { path, provider, name };
  throw new Error(`${placeOf(spec)}: it has to be ${kindOf(spec)}/PATH:PROVIDER:NAME`);
}

function placeOf(spec: ProgramSpec): string {
  return `program "${spec.name}" (section "${spec.section}")`;
}

function kindOf(spec: ProgramSpec): string {
  return spec.section.slice(0, spec.section.indexOf("/"));
}
