/**
 * `debpf gen`: files made from object files. Words are bpftool's.
 *
 * @module
 */
import { type Command, UsageError } from "../command.ts";
import { generateMinimalBtf, MIN_CORE_BTF_USAGE } from "./min_core_btf.ts";

/** The command. */
export const command: Command = {
  usage: `usage: debpf gen ${MIN_CORE_BTF_USAGE}`,
  async run(args, context) {
    const [word, ...rest] = args;
    switch (word) {
      case "min_core_btf":
        return await generateMinimalBtf(rest, context.output);
      case undefined:
        throw new UsageError("debpf gen needs a word: min_core_btf");
      default:
        throw new UsageError(`debpf gen has no "${word}"; it has min_core_btf`);
    }
  },
};
