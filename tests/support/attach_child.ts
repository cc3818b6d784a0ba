/**
 * What stays of an attachment when its process is killed: a child process attaches, and gets SIGKILL.
 *
 * @module
 */
import { inRepository } from "./paths.ts";

/** What the child says when it is ready. */
const READY = "attached";

/**
 * For the child: says that it has attached, then waits to be killed.
 */
export function waitToBeKilled(): Promise<never> {
  console.log(READY);
  return new Promise(() => {
    // Without a timer Deno would end.
    setInterval(() => {}, 1 << 30);
  });
}

/**
 * Starts a module of tests/ that attaches something and calls {@linkcode waitToBeKilled}; kills it when it is ready.
 *
 * @param module Path in the repository: `tests/kernel/attach_kernel_child.ts`.
 * @param args Its arguments.
 * @param during What to do while it is attached.
 */
export async function killedWhileAttached(
  module: string,
  args: readonly string[],
  during: (pid: number) => unknown = () => {},
): Promise<void> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--no-remote", inRepository(module), ...args],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let text = "";
  try {
    for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      if (!text.includes(READY)) continue;
      await during(child.pid);
      break;
    }
  } finally {
    try {
      child.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await child.status;
  }
  if (!text.includes(READY)) throw new Error(`${module} has ended without attaching: ${text}`);
}
