/**
 * Which kernel version brought a helper, a type of program, of map or of attachment, a kernel function.
 *
 * Enumerators are never renumbered and new ones come last, so for each version the last enumerator tells all. Sources: the tables
 * of docs.ebpf.io (github.com/isovalent/ebpf-docs, data/feature-versions.yaml, 2026-07-20) and of bcc (github.com/iovisor/bcc,
 * docs/kernel-versions.md), which name the commit of each. Where the first says otherwise: helper 7 (get_prandom_u32) came with
 * 4.1, as bcc and the numbers beside it say; helpers 1 and 2 count from 3.19, before which no program could be loaded. Not in these tables
 * and taken from kernel commits and headers: attach types 44 (commit 68b04864ca42, 6.4), 45 (84601d6ee68a, 6.4), 48 (6.6), 49 to 53
 * (6.7), 57 (6.13), 58 (7.0). Of attach types 59 to 61 and map type 35 it is known that 7.2 has them and that no table of July 2026
 * does.
 *
 * @module
 */
import { KFUNCS_BY_VERSION } from "./kfunc_versions.ts";

/** The last enumerator that each version has, ascending. */
type LastByVersion = readonly (readonly [version: string, last: number])[];

const HELPERS: LastByVersion = [
  ["3.19", 3],
  ["4.1", 11],
  ["4.2", 16],
  ["4.3", 22],
  ["4.4", 25],
  ["4.5", 26],
  ["4.6", 30],
  ["4.8", 36],
  ["4.9", 41],
  ["4.10", 44],
  ["4.11", 45],
  ["4.12", 47],
  ["4.13", 50],
  ["4.14", 53],
  ["4.15", 57],
  ["4.16", 59],
  ["4.17", 64],
  ["4.18", 80],
  ["4.19", 83],
  ["4.20", 90],
  ["5.0", 92],
  ["5.1", 98],
  ["5.2", 108],
  ["5.3", 109],
  ["5.4", 110],
  ["5.5", 115],
  ["5.6", 118],
  ["5.7", 124],
  ["5.8", 135],
  ["5.9", 141],
  ["5.10", 155],
  ["5.11", 162],
  ["5.12", 163],
  ["5.13", 165],
  ["5.14", 168],
  ["5.15", 175],
  ["5.16", 179],
  ["5.17", 185],
  ["5.18", 193],
  ["5.19", 203],
  ["6.0", 207],
  ["6.1", 209],
  ["6.2", 211],
];

const PROGRAM_TYPES: LastByVersion = [
  ["3.19", 1],
  ["4.1", 4],
  ["4.7", 5],
  ["4.8", 6],
  ["4.9", 7],
  ["4.10", 12],
  ["4.13", 13],
  ["4.14", 14],
  ["4.15", 15],
  ["4.17", 18],
  ["4.18", 20],
  ["4.19", 21],
  ["4.20", 22],
  ["5.2", 24],
  ["5.3", 25],
  ["5.5", 26],
  ["5.6", 28],
  ["5.7", 29],
  ["5.9", 30],
  ["5.14", 31],
  ["6.4", 32],
];

const MAP_TYPES: LastByVersion = [
  ["3.19", 2],
  ["4.2", 3],
  ["4.3", 4],
  ["4.6", 7],
  ["4.8", 8],
  ["4.10", 10],
  ["4.11", 11],
  ["4.12", 13],
  ["4.14", 15],
  ["4.15", 16],
  ["4.18", 18],
  ["4.19", 20],
  ["4.20", 23],
  ["5.2", 24],
  ["5.4", 25],
  ["5.6", 26],
  ["5.8", 27],
  ["5.10", 28],
  ["5.11", 29],
  ["5.16", 30],
  ["6.1", 31],
  ["6.2", 32],
  ["6.9", 33],
  ["6.19", 34],
  ["7.2", 35],
];

const ATTACH_TYPES: LastByVersion = [
  ["4.10", 2],
  ["4.13", 3],
  ["4.14", 5],
  ["4.15", 6],
  ["4.17", 13],
  ["4.18", 16],
  ["4.20", 17],
  ["5.2", 20],
  ["5.3", 22],
  ["5.5", 25],
  ["5.7", 27],
  ["5.8", 33],
  ["5.9", 37],
  ["5.13", 38],
  ["5.14", 40],
  ["5.15", 41],
  ["5.18", 42],
  ["6.0", 43],
  ["6.4", 45],
  ["6.6", 48],
  ["6.7", 55],
  ["6.10", 56],
  ["6.13", 57],
  ["7.0", 58],
  ["7.2", 61],
];

function versionOf(table: LastByVersion, value: number): string | undefined {
  return table.find(([, last]) => value <= last)?.[0];
}

/** The version that brought helper `id` (`BpfFuncId`), as `"5.8"`; `undefined` for one that no table knows. */
export function helperSince(id: number): string | undefined {
  return id < 1 ? undefined : versionOf(HELPERS, id);
}

/** The version that brought a type of programs (`BpfProgType`); `undefined` for one that no table knows, and for 0. */
export function programTypeSince(type: number): string | undefined {
  return type < 1 ? undefined : versionOf(PROGRAM_TYPES, type);
}

/** The version that brought a type of maps (`BpfMapType`); `undefined` for one that no table knows, and for 0. */
export function mapTypeSince(type: number): string | undefined {
  return type < 1 ? undefined : versionOf(MAP_TYPES, type);
}

/** The version that brought a type of attachments (`BpfAttachType`); `undefined` for one that no table knows. */
export function attachTypeSince(type: number): string | undefined {
  return type < 0 ? undefined : versionOf(ATTACH_TYPES, type);
}

/** The version that brought a kernel function; `undefined` for one that no table knows. */
export function kfuncSince(name: string): string | undefined {
  return kfuncs().get(name);
}

let kfuncTable: ReadonlyMap<string, string> | undefined;

function kfuncs(): ReadonlyMap<string, string> {
  return kfuncTable ??= new Map(
    Object.entries(KFUNCS_BY_VERSION).flatMap(([version, names]) => names.split(" ").map((name) => [name, version])),
  );
}

/** Orders versions like `"5.8"` and `"5.10"`: below 0 if `a` is older, above if it is newer. */
export function compareKernelVersions(a: string, b: string): number {
  const [majorA = 0, minorA = 0] = a.split(".").map(Number);
  const [majorB = 0, minorB = 0] = b.split(".").map(Number);
  return majorA - majorB || minorA - minorB;
}
