/**
 * `debpf prog`: the programs that the kernel holds. Words and JSON are bpftool's.
 *
 * @module
 */
import { readArgs } from "../args.ts";
import { Words } from "../btf/words.ts";
import { type Command, type Context, UsageError } from "../command.ts";

const KEYWORDS = ["show", "list", "dump", "pin", "load", "loadall", "run", "attach", "detach", "tracelog"] as const;

/** The command. */
export const command: Command = {
  usage: `usage: debpf prog { show | list } [PROG] [-f]
       debpf prog dump xlated PROG [opcodes] [linum]    instructions as the verifier rewrote them
       debpf prog dump jited  PROG                      machine code, with the lines it comes from
       debpf prog pin     PROG FILE
       debpf prog load    OBJ FILE [map { idx N | name NAME } MAP]... [pinmaps DIR]
       debpf prog loadall OBJ DIR  [map { idx N | name NAME } MAP]... [pinmaps DIR]
       debpf prog run     PROG data_in FILE [data_out FILE [data_size_out N]]
                               [ctx_in FILE [ctx_out FILE]] [repeat N] [cpu N]
       debpf prog attach  PROG ATTACH_TYPE [MAP]        stays when this command has ended
       debpf prog detach  PROG ATTACH_TYPE [MAP]
       debpf prog tracelog                              what bpf_printk writes, of all programs, until Ctrl-C
       debpf prog tracelog { stdout | stderr } PROG     what is in a program's own stream

  PROG:   id ID, name NAME, tag TAG, or pinned PATH
  MAP:    id ID, name NAME, or pinned PATH
  ATTACH_TYPE: flow_dissector, and with MAP sk_msg_verdict, sk_skb_verdict, sk_skb_stream_verdict, sk_skb_stream_parser

  -f, --bpffs  also show where programs are pinned`,
  run(args, context) {
    const { positional, flag } = readArgs(args, { boolean: ["f", "bpffs"], positional: ["[WORD]..."] });
    return runProg(new Words(positional), flag("f") || flag("bpffs"), context);
  },
};

async function runProg(words: Words, withPins: boolean, { output }: Context): Promise<number> {
  const word = words.peek();
  const keyword = word === undefined ? "show" : words.keyword(...KEYWORDS);
  switch (keyword) {
    case "show":
    case "list":
      return await (await import("./show.ts")).showPrograms(words, withPins, output);
    case "dump":
      return await (await import("./dump.ts")).dumpProgram(words, output);
    case "pin":
      return await (await import("./pin.ts")).pinProgram(words, output);
    case "load":
      return await (await import("./load.ts")).loadPrograms(words, word === "loadall", output);
    case "loadall":
      return await (await import("./load.ts")).loadPrograms(words, true, output);
    case "run":
      return await (await import("./run.ts")).runProgram(words, output);
    case "attach":
    case "detach":
      return await (await import("./attach.ts")).attachOrDetach(words, keyword, output);
    case "tracelog":
      return await (await import("./tracelog.ts")).traceLog(words, output);
    case undefined:
      throw new UsageError(`debpf prog has no "${word}"; it has ${KEYWORDS.join(", ")}`);
    default:
      return keyword satisfies never;
  }
}
