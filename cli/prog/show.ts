/**
 * `debpf prog show`.
 *
 * @module
 */
import { describeProgram, listPrograms, type ProgramDescription } from "../../ffi/info/mod.ts";
import type { Words } from "../btf/words.ts";
import { EXIT } from "../command.ts";
import { holdersJson, type HoldersOf, holdersOf, printHolders } from "../holders.ts";
import { programTypeName } from "../kernel_names.ts";
import { readProgramName, takeProgram } from "../objects.ts";
import type { Output } from "../output.ts";

/** Does it; `words` stand behind `show`. */
export async function showPrograms(words: Words, withPins: boolean, output: Output): Promise<number> {
  const { programs, single } = await chosen(words);
  const holders = holdersOf("program", withPins);
  if (output.json) {
    const values = programs.map((program) => toJson(program, holders));
    output.value(single ? values[0] : values);
  } else {
    for (const program of programs) print(program, holders, output);
  }
  return EXIT.done;
}

async function chosen(words: Words): Promise<{ programs: ProgramDescription[]; single: boolean }> {
  const word = words.peek();
  if (word === undefined) return { programs: [...listPrograms()], single: false };
  if (word === "name" || word === "tag") {
    const { by, value } = readProgramName(words);
    words.end();
    const programs = [...listPrograms()].filter(({ name, tag }) => (by === "name" ? name : tag.toHex()) === value);
    if (programs.length === 0) throw new Error(`there is no program with the ${by} "${value}"`);
    return { programs, single: programs.length === 1 };
  }
  using program = await takeProgram(words);
  words.end();
  return { programs: [describeProgram(program.fd)], single: true };
}

function toJson(program: ProgramDescription, holders: HoldersOf): object {
  return {
    id: program.id,
    type: programTypeName(program.type),
    ...(program.name === "" ? {} : { name: program.name }),
    tag: program.tag.toHex(),
    gpl_compatible: program.gplCompatible,
    ...(program.runTimeNs === 0n ? {} : { run_time_ns: program.runTimeNs, run_cnt: program.runCnt }),
    ...(program.recursionMisses === 0n ? {} : { recursion_misses: program.recursionMisses }),
    ...(program.ifindex === 0
      ? {}
      : { ifindex: program.ifindex, ns_dev: program.netnsDev, ns_inode: program.netnsIno }),
    loaded_at: Math.floor(program.loadedAt.getTime() / 1000),
    uid: program.createdByUid,
    bytes_xlated: program.xlatedProgLen,
    ...(program.jitedProgLen === 0 ? { jited: false } : { jited: true, bytes_jited: program.jitedProgLen }),
    bytes_memlock: program.memlock,
    ...(program.mapIds.length === 0 ? {} : { map_ids: program.mapIds }),
    ...(program.btfId === 0 ? {} : { btf_id: program.btfId }),
    ...holdersJson(program.id, holders),
  };
}

function print(program: ProgramDescription, holders: HoldersOf, output: Output): void {
  const name = program.name === "" ? "" : `name ${program.name}  `;
  const gpl = program.gplCompatible ? "  gpl" : "";
  const runs = program.runTimeNs === 0n ? "" : ` run_time_ns ${program.runTimeNs} run_cnt ${program.runCnt}`;
  const type = programTypeName(program.type);
  output.line(`${program.id}: ${type}  ${name}tag ${program.tag.toHex()}${gpl}${runs}`);
  const loaded = program.loadedAt.toISOString().replace(/\.\d+Z$/, "+0000");
  output.line(`\tloaded_at ${loaded}  uid ${program.createdByUid}  verified_insns ${program.verifiedInsns}`);
  const jited = program.jitedProgLen === 0 ? "not jited" : `jited ${program.jitedProgLen}B`;
  const maps = program.mapIds.length === 0 ? "" : `  map_ids ${program.mapIds.join(",")}`;
  output.line(`\txlated ${program.xlatedProgLen}B  ${jited}  memlock ${program.memlock}B${maps}`);
  if (program.btfId !== 0) output.line(`\tbtf_id ${program.btfId}`);
  printHolders(program.id, holders, output);
}
