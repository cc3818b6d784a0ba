/**
 * Running programs, for scripts.
 *
 * @module
 */

/** Options of {@linkcode command}. */
export interface CommandOptions {
  /** Text for its stdin; none otherwise. */
  readonly stdin?: string;
  /** Its folder. */
  readonly cwd?: string;
  /** More environment variables. */
  readonly env?: Record<string, string>;
}

/**
 * What a program printed to stdout; its stderr goes to ours.
 *
 * @throws {Error} Where its exit code is not 0.
 */
export async function command(program: string, args: string[], options: CommandOptions = {}): Promise<string> {
  const { stdin, ...rest } = options;
  const child = new Deno.Command(program, {
    ...rest,
    args,
    stdin: stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  if (stdin !== undefined) {
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(stdin));
    await writer.close();
  }
  const { code, stdout } = await child.output();
  const text = new TextDecoder().decode(stdout);
  if (code !== 0) throw new Error(`${program} ${args.join(" ")}: exit code ${code}\n${text}`);
  return text;
}
