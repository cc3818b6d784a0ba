/**
 * `debpf gen`: files made from object files. Words are bpftool's.
 *
 * @module
 */
import { type Command, UsageError } from "../command.ts";
import { MIN_CORE_BTF_USAGE, OBJECT_USAGE } from "./usage.ts";

/** The command. */
export const command: Command = {
  usage: `usage: debpf gen ${OBJECT_USAGE}\n\n       debpf gen ${MIN_CORE_BTF_USAGE}`,
  async run(args, context) {
    const [word, ...rest] = args;
    switch (word) {
      case "object": {
        const { generateObject } = await import("./object.ts");
        return await generateObject(rest, context.output);
      }
      case "min_core_btf": {
        const { generateMinimalBtf } = await import("./min_core_btf.ts");
        return await generateMinimalBtf(rest, context.output);
      }
      case undefined:
        throw new UsageError("debpf gen needs a word: object, min_core_btf");
      default:
        throw new UsageError(`debpf gen has no "${word}"; it has object, min_core_btf`);
    }
  },
};
