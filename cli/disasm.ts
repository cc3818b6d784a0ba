/**
 * `debpf disasm`: instructions of an object file, as the verifier prints them, before linking. Needs no kernel.
 *
 * @module
 */
import { controlFlow, flowDot, flowMermaid, flowSvg } from "../lib/asm/flow/mod.ts";
import {
  format,
  type Instruction,
  LABEL,
  listing,
  type ListingOptions,
  referenceText,
  SOURCE,
} from "../lib/asm/mod.ts";
import { CORE_RELOCATION } from "../lib/btf/mod.ts";
import { describeRelocation } from "../lib/core/mod.ts";
import { type CollectionSpec, EXTERN, JUMP_TABLE } from "../lib/spec/mod.ts";
import { readArgs } from "./args.ts";
import { type Command, EXIT, UsageError } from "./command.ts";
import { readObject } from "./object_file.ts";

/** The command. */
export const command: Command = {
  usage: `usage: debpf disasm OBJECT [PROGRAM] [--source] [--opcodes] [--cfg dot|mermaid|svg]

Prints the instructions of an object's programs and functions (or of the one named PROGRAM) in the verifier's words.

  --source     C lines between the instructions
  --opcodes    the bytes of each instruction, too
  --cfg FORM   the control-flow graph instead, with C lines: for Graphviz (dot), for Mermaid, or as a picture (svg);
               dead code is grey, edges that close a loop are thick`,
  async run(args, { output }) {
    const { positional, flag, string } = readArgs(args, {
      boolean: ["source", "opcodes"],
      string: ["cfg"],
      positional: ["OBJECT", "[PROGRAM]"],
    });
    const draw = await graphWriter(string("cfg"));
    if (draw !== undefined && (output.json || flag("source") || flag("opcodes"))) {
      throw new UsageError("--cfg prints a graph: -j, --source and --opcodes do not go with it");
    }
    const spec = await readObject(positional[0] ?? "");
    const selected = select(spec, positional[1]);
    if (draw !== undefined) {
      const graphs = selected.map(({ instructions }) => ({ insns: instructions, flows: controlFlow(instructions) }));
      output.line(draw(graphs, { title: positional[1] ?? spec.name, reference }).trimEnd());
      return EXIT.done;
    }
    const options = {
      source: flag("source"),
      ...(flag("opcodes") ? { opcodes: spec.order } : {}),
      reference,
    };
    for (const code of selected) {
      if (output.json) {
        output.value({ name: code.name, section: code.section, insns: instructionsJson(code.instructions) });
        continue;
      }
      output.line(`${code.what} "${code.name}" (section "${code.section}")`);
      for (const line of lines(code.instructions, options)) output.line(line);
      output.line();
    }
    return EXIT.done;
  },
};

/** Draws in the form that `--cfg` names; `undefined` without it. */
async function graphWriter(form: string | undefined): Promise<typeof flowDot | undefined> {
  switch (form) {
    case undefined:
      return undefined;
    case "dot":
      return flowDot;
    case "mermaid":
      return flowMermaid;
    case "svg": {
      const layOut = await (await import("./disasm/lay_out.ts")).loadLayout();
      return (graphs, options) => flowSvg(graphs, layOut, options);
    }
  }
  throw new UsageError(`--cfg: "${form}" is none of dot, mermaid, svg`);
}

/** What an instruction refers to in the object, externs included. */
function reference(insn: Instruction): string | undefined {
  const table = insn.get(JUMP_TABLE);
  return table === undefined ? referenceText(insn) ?? insn.get(EXTERN)?.name : `table[${table.name}]`;
}

/** A program or function of an object. */
interface Code {
  readonly what: "program" | "function";
  readonly name: string;
  readonly section: string;
  readonly instructions: readonly Instruction[];
}

function select(spec: CollectionSpec, name: string | undefined): Code[] {
  const all: Code[] = [
    ...[...spec.programs.values()].map((program) => ({ what: "program" as const, ...program })),
    ...spec.functions.map(({ label, section, instructions }) => ({
      what: "function" as const,
      name: label.name,
      section,
      instructions,
    })),
  ];
  if (name === undefined) return all;
  const found = all.filter((code) => code.name === name);
  if (found.length === 0) {
    throw new Error(
      `${spec.name}: no program or function "${name}"; there are ${all.map((code) => code.name).join(", ")}`,
    );
  }
  return found;
}

/** The listing, with what each CO-RE relocation asks behind its instruction. */
function* lines(insns: readonly Instruction[], options: ListingOptions): Generator<string> {
  const questions = new Map<number, string>();
  let slot = 0;
  for (const insn of insns) {
    const relocation = insn.get(CORE_RELOCATION);
    if (relocation !== undefined) questions.set(slot, describeRelocation(relocation));
    slot += insn.slots;
  }
  for (const line of listing(insns, options)) {
    const question = line.kind === "instruction" ? questions.get(line.slot) : undefined;
    yield (line.kind === "label" ? line.text : `  ${line.text}`) + (question === undefined ? "" : `  ; ${question}`);
  }
}

function instructionsJson(insns: readonly Instruction[]): Record<string, unknown>[] {
  let slot = 0;
  return insns.map((insn) => {
    const label = insn.get(LABEL);
    const source = insn.get(SOURCE);
    const relocation = insn.get(CORE_RELOCATION);
    const row = {
      slot,
      ...(label === undefined ? {} : { label: label.name }),
      text: format(insn, { reference }),
      ...(source === undefined
        ? {}
        : { file: source.file, line: source.line, column: source.column, source: source.text }),
      ...(relocation === undefined ? {} : { core: describeRelocation(relocation) }),
    };
    slot += insn.slots;
    return row;
  });
}
