/**
 * Other processes, and this one's file descriptors.
 *
 * @module
 */
import { inRepository } from "./paths.ts";

/** What a finished process left. */
export interface Finished {
  /** Exit code; 128 + the signal's number after a signal. */
  readonly code: number;
  /** All it wrote to stdout. */
  readonly stdout: string;
  /** All it wrote to stderr. */
  readonly stderr: string;
}

/** Options of {@linkcode run}. */
export interface RunOptions {
  /** Text for its stdin; none otherwise. */
  readonly stdin?: string;
  /** Its folder. */
  readonly cwd?: string;
  /** More environment variables. */
  readonly env?: Record<string, string>;
}

/** Runs a program to its end. A code other than 0 is a result, not an error. */
export async function run(command: string, args: string[], options: RunOptions = {}): Promise<Finished> {
  const { stdin, cwd, env } = options;
  const child = new Deno.Command(command, {
    args,
    stdin: stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env }),
  }).spawn();
  if (stdin !== undefined) {
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(stdin));
    await writer.close();
  }
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Runs the command line as a user does, with nothing but `permissions` (default: `--allow-ffi`). */
export function runCli(
  args: string[],
  options: RunOptions & { readonly permissions?: readonly string[] } = {},
): Promise<Finished> {
  const { permissions = ["--allow-ffi"], ...rest } = options;
  const flags = ["run", "--no-prompt", ...permissions, inRepository("cli.ts")];
  return run(Deno.execPath(), [...flags, ...args], { ...rest, env: { NO_COLOR: "1", ...rest.env } });
}

/** What this process' open file descriptors are, by number: to compare before and after. */
export function openFds(): Map<number, string> {
  const fds = new Map<number, string>();
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    try {
      fds.set(Number(name), Deno.readLinkSync(`/proc/self/fd/${name}`));
    } catch {
      // The descriptor that listed the folder is gone by now.
    }
  }
  return fds;
}
