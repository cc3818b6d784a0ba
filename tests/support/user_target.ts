/**
 * The programs that tests of uprobes and USDT probes trace: testdata/programs/user_target.c.
 *
 * @module
 */
import { inRepository } from "./paths.ts";

/** The path of a program of testdata/programs: `user_target`, `user_target_exec` (not position-independent). */
export function userProgram(name: "user_target" | "user_target_exec" = "user_target"): string {
  return inRepository("testdata", "programs", Deno.build.arch, name);
}

/** A running user_target. */
export class UserTarget implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: ReadableStreamDefaultReader<string>;
  #rest = "";

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#writer = child.stdin.getWriter();
    this.#lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** Starts the program at `path`, or `command` with `args` that end up as it. */
  static start(path: string = userProgram(), command: string = path, args: string[] = []): UserTarget {
    return new UserTarget(new Deno.Command(command, { args, stdin: "piped", stdout: "piped" }).spawn());
  }

  /** Its process. */
  get pid(): number {
    return this.#child.pid;
  }

  /** Lets it call everything once with `n`; gives the value of its semaphore meanwhile. */
  async call(n: number): Promise<number> {
    await this.#writer.write(new TextEncoder().encode(`${n}\n`));
    while (!this.#rest.includes("\n")) {
      const { value, done } = await this.#lines.read();
      if (done) throw new Error("the traced program has ended");
      this.#rest += value;
    }
    const [line = "", ...others] = this.#rest.split("\n");
    this.#rest = others.join("\n");
    const [answer, semaphore] = line.split(" ").map(Number);
    if (answer !== n || semaphore === undefined) throw new Error(`the traced program answers "${line}" to ${n}`);
    return semaphore;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close();
    await this.#lines.cancel();
    await this.#child.status;
  }
}
