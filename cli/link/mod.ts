/**
 * `debpf link`: the links that the kernel holds. Words and JSON are bpftool's.
 *
 * @module
 */
import { listLinks } from "../../ffi/info/mod.ts";
import { pin } from "../../ffi/pin/mod.ts";
import { linkDetach, type LinkInfo, linkInfo } from "../../ffi/sys/mod.ts";
import { readArgs } from "../args.ts";
import { Words } from "../btf/words.ts";
import { type Command, type Context, EXIT, UsageError } from "../command.ts";
import { holdersJson, holdersOf, printHolders } from "../holders.ts";
import { done } from "../map/elements.ts";
import { takeLink } from "../objects.ts";
import type { Output } from "../output.ts";
import { detailsText, linkJson, linkTypeName } from "./describe.ts";

const KEYWORDS = ["show", "list", "pin", "detach"] as const;

/** The command. */
export const command: Command = {
  usage: `usage: debpf link { show | list } [LINK] [-f]
       debpf link pin    LINK FILE
       debpf link detach LINK

  LINK:   id ID, or pinned PATH

  -f, --bpffs  also show where links are pinned`,
  run(args, context) {
    const { positional, flag } = readArgs(args, { boolean: ["f", "bpffs"], positional: ["[WORD]..."] });
    return runLink(new Words(positional), flag("f") || flag("bpffs"), context);
  },
};

function runLink(words: Words, withPins: boolean, { output }: Context): number {
  const word = words.peek();
  const keyword = word === undefined ? "show" : words.keyword(...KEYWORDS);
  switch (keyword) {
    case "show":
    case "list":
      return showLinks(words, withPins, output);
    case "pin": {
      using link = takeLink(words);
      const path = words.take("FILE");
      words.end();
      pin({ fd: link.value }, path);
      return done(output);
    }
    case "detach": {
      using link = takeLink(words);
      words.end();
      linkDetach(link.value);
      return done(output);
    }
    case undefined:
      throw new UsageError(`debpf link has no "${word}"; it has ${KEYWORDS.join(", ")}`);
    default:
      return keyword satisfies never;
  }
}

function showLinks(words: Words, withPins: boolean, output: Output): number {
  const single = words.peek() !== undefined;
  const links = single ? [takeInfo(words)] : [...listLinks()];
  words.end();
  const holders = holdersOf("link", withPins);
  if (output.json) {
    const values = links.map((link) => ({ ...linkJson(link), ...holdersJson(link.id, holders) }));
    output.value(single ? values[0] : values);
    return EXIT.done;
  }
  for (const link of links) {
    output.line(`${link.id}: ${linkTypeName(link.type)}  prog ${link.progId}`);
    const details = detailsText(link);
    if (details !== "") output.line(`\t${details}`);
    printHolders(link.id, holders, output);
  }
  return EXIT.done;
}

function takeInfo(words: Words): LinkInfo {
  using link = takeLink(words);
  return linkInfo(link.value);
}
