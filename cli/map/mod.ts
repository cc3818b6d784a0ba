/**
 * `debpf map`: the maps that the kernel holds. Words and JSON are bpftool's.
 *
 * @module
 */
import { readArgs } from "../args.ts";
import { Words } from "../btf/words.ts";
import { type Command, type Context, UsageError } from "../command.ts";
import { takeMap } from "../objects.ts";
import { createMap } from "./create.ts";
import { done, dumpMap, getNext, lookUp, remove, update } from "./elements.ts";
import { showMaps } from "./show.ts";

const KEYWORDS = [
  "show",
  "list",
  "dump",
  "lookup",
  "update",
  "getnext",
  "delete",
  "create",
  "pin",
  "freeze",
  "peek",
  "pop",
  "push",
  "enqueue",
  "dequeue",
  "event_pipe",
] as const;

/** The command. */
export const command: Command = {
  usage: `usage: debpf map { show | list } [MAP] [-f]
       debpf map dump    MAP
       debpf map lookup  MAP key DATA
       debpf map getnext MAP [key DATA]
       debpf map update  MAP key DATA value VALUE [any | exist | noexist]
       debpf map delete  MAP key DATA
       debpf map create  FILE type TYPE key SIZE value SIZE entries N name NAME [flags N] [inner_map MAP]
       debpf map pin     MAP FILE
       debpf map freeze  MAP
       debpf map peek | pop | dequeue MAP
       debpf map push | enqueue MAP value VALUE
       debpf map event_pipe MAP [cpu N index M]    records of a perf event array, until Ctrl-C

  MAP:    id ID, name NAME, or pinned PATH
  DATA:   bytes: 1 0 0 0, 0x01 0 0 0, or hex 0a ff
  VALUE:  DATA; in maps of maps and of programs: MAP or PROG (id ID, tag TAG, name NAME, pinned PATH)
  TYPE:   hash, array, lru_hash, percpu_array, ... as debpf map show prints them

  -f, --bpffs  also show where maps are pinned`,
  run(args, context) {
    const { positional, flag } = readArgs(args, { boolean: ["f", "bpffs"], positional: ["[WORD]..."] });
    return runMap(new Words(positional), flag("f") || flag("bpffs"), context);
  },
};

async function runMap(words: Words, withPins: boolean, { output }: Context): Promise<number> {
  const word = words.peek();
  const keyword = word === undefined ? "show" : words.keyword(...KEYWORDS);
  switch (keyword) {
    case "show":
    case "list":
      return await showMaps(words, withPins, output);
    case "dump":
      return await dumpMap(words, output);
    case "lookup":
      return await lookUp(words, "lookup", output);
    case "peek":
      return await lookUp(words, "peek", output);
    case "pop":
    case "dequeue":
      return await lookUp(words, "pop", output);
    case "getnext":
      return await getNext(words, output);
    case "update":
    case "push":
    case "enqueue":
      return await update(words, output);
    case "delete":
      return await remove(words, output);
    case "create":
      return await createMap(words, output);
    case "pin": {
      using map = await takeMap(words);
      const path = words.take("FILE");
      words.end();
      map.pin(path);
      return done(output);
    }
    case "freeze": {
      using map = await takeMap(words);
      words.end();
      map.freeze();
      return done(output);
    }
    case "event_pipe":
      return await (await import("./event_pipe.ts")).eventPipe(words, output);
    case undefined:
      throw new UsageError(`debpf map has no "${word}"; it has ${KEYWORDS.join(", ")}`);
    default:
      return keyword satisfies never;
  }
}
