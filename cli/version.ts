/**
 * `debpf version`.
 *
 * @module
 */
import { readArgs } from "./args.ts";
import { type Command, EXIT } from "./command.ts";
import config from "../deno.json" with { type: "json" };

/** The command. */
export const command: Command = {
  usage: "usage: debpf version",
  run(args, { output }) {
    readArgs(args, { positional: [] });
    if (output.json) output.value({ version: config.version });
    else output.line(`debpf ${config.version} (Deno ${Deno.version.deno}, V8 ${Deno.version.v8})`);
    return EXIT.done;
  },
};
