/**
 * The command line, `debpf`: words to commands, errors to one line and an exit code.
 *
 * `deno run --allow-ffi cli.ts help` lists the commands. A command loads only its own modules.
 *
 * @module
 */
import { type Command, type Context, EXIT, UsageError } from "./cli/command.ts";
import { ClosedPipe, Output } from "./cli/output.ts";

/** Literal `import()`s, so that each command's modules are known to `deno publish` and loaded only when it runs. */
const COMMANDS: Readonly<Record<string, { summary: string; load: () => Promise<{ command: Command }> }>> = {
  run: { summary: "load an object, attach its programs, print its events", load: () => import("./cli/run.ts") },
  inspect: { summary: "what is in an object", load: () => import("./cli/inspect.ts") },
  disasm: { summary: "an object's instructions, as the verifier prints them", load: () => import("./cli/disasm.ts") },
  relocate: {
    summary: "linked programs, relocated for this kernel or another",
    load: () => import("./cli/relocate.ts"),
  },
  explain: {
    summary: "every CO-RE relocation: what it asks, what a kernel answers, and why",
    load: () => import("./cli/explain.ts"),
  },
  check: {
    summary: "which programs of an object would load on which kernels, and why not",
    load: () => import("./cli/check.ts"),
  },
  btf: {
    summary: "list or dump BTF: a file's, the kernel's, a map's, a program's",
    load: () => import("./cli/btf/mod.ts"),
  },
  map: { summary: "maps of the kernel: show, dump, look up, update, pin", load: () => import("./cli/map/mod.ts") },
  prog: {
    summary: "programs of the kernel: show, dump, load, run, pin",
    load: () => import("./cli/prog/mod.ts"),
  },
  struct_ops: {
    summary: "kernel structs of functions that programs implement: list, dump, register, unregister",
    load: () => import("./cli/struct_ops/mod.ts"),
  },
  cgroup: { summary: "programs of cgroups: show, tree, attach, detach", load: () => import("./cli/cgroup/mod.ts") },
  net: { summary: "programs of network devices: show, attach, detach", load: () => import("./cli/net/mod.ts") },
  link: { summary: "links of the kernel: show, detach, pin", load: () => import("./cli/link/mod.ts") },
  iter: { summary: "iterators of an object: pin, read", load: () => import("./cli/iter/mod.ts") },
  gen: {
    summary: "make a file from objects: one linked object, a minimal BTF",
    load: () => import("./cli/gen/mod.ts"),
  },
  version: { summary: "version of debpf", load: () => import("./cli/version.ts") },
};

/** Options that come before or after any command. */
const GLOBAL_OPTIONS = `  -j, --json     print JSON, one value a line; errors too
  -p, --pretty   print JSON, indented
  --verbose      print what is behind an error: the whole verifier log, a stack
  -h, --help     print how a command is used
`;

function help(): string {
  const words = Object.keys(COMMANDS);
  const width = Math.max(...words.map((word) => word.length));
  const lines = words.map((word) => `  ${word.padEnd(width)}  ${COMMANDS[word]?.summary}`);
  return `debpf: load, relocate, inspect and watch eBPF objects

usage: debpf COMMAND [ARGUMENT]...

${lines.join("\n")}

Options of every command:
${GLOBAL_OPTIONS}
debpf help COMMAND prints a command's own usage. \`debpf run\` without an object shows every program that starts.`;
}

/** The words that are left when the global options are taken out, up to `--`. */
function globalOptions(
  args: readonly string[],
): { rest: string[]; json: boolean; pretty: boolean; verbose: boolean; help: boolean } {
  const found = { rest: [] as string[], json: false, pretty: false, verbose: false, help: false };
  for (const [index, arg] of args.entries()) {
    if (arg === "--") {
      found.rest.push(...args.slice(index));
      break;
    }
    if (arg === "-j" || arg === "--json") found.json = true;
    else if (arg === "-p" || arg === "--pretty") found.pretty = true;
    else if (arg === "--verbose") found.verbose = true;
    else if (arg === "-h" || arg === "--help") found.help = true;
    else found.rest.push(arg);
  }
  return found;
}

async function dispatch(rest: string[], wantsHelp: boolean, context: Context): Promise<number> {
  let [word, ...args] = rest;
  if (word === "help") {
    wantsHelp = true;
    [word, ...args] = args;
  }
  if (word === undefined) {
    if (!wantsHelp) throw new UsageError(`no command; these are known: ${Object.keys(COMMANDS).join(", ")}`);
    context.output.line(help());
    return EXIT.done;
  }
  const entry = Object.hasOwn(COMMANDS, word) ? COMMANDS[word] : undefined;
  if (entry === undefined) {
    throw new UsageError(`unknown command "${word}"; these are known: ${Object.keys(COMMANDS).join(", ")}`);
  }
  const { command } = await entry.load();
  if (wantsHelp) {
    context.output.line(`${command.usage.trimEnd()}\n\nOptions of every command:\n${GLOBAL_OPTIONS.trimEnd()}`);
    return EXIT.done;
  }
  return await command.run(args, context);
}

/**
 * Runs the command line.
 *
 * @param args The words behind the program's name.
 * @returns The exit code: 0 done, 1 failed, 2 wrong usage.
 */
export async function main(args: readonly string[]): Promise<number> {
  const options = globalOptions(args);
  const output = new Output(options);
  try {
    const code = await dispatch(options.rest, options.help, { output });
    output.flush();
    return code;
  } catch (error) {
    if (error instanceof ClosedPipe) return EXIT.done;
    return report(error, output, options.rest.find((word) => word !== "help"));
  }
}

/** Prints an error, and gives its exit code. `word`: the command that was given, if one was. */
function report(error: unknown, output: Output, word: string | undefined): number {
  const message = error instanceof Error ? error.message : String(error);
  try {
    if (error instanceof UsageError) {
      const help = word !== undefined && Object.hasOwn(COMMANDS, word) ? `debpf help ${word}` : "debpf help";
      output.error(`${message} (see: ${help})`);
      return EXIT.usage;
    }
    output.error(message);
    if (output.verbose && error instanceof Error) {
      if ("log" in error && typeof error.log === "string") output.note(error.log);
      output.note(error.stack ?? "");
      for (let cause = error.cause; cause instanceof Error; cause = cause.cause) {
        output.note(`caused by: ${cause.stack}`);
      }
    }
  } catch (closed) {
    if (!(closed instanceof ClosedPipe)) throw closed;
  }
  return EXIT.failed;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
