/**
 * What tests against the running kernel share.
 *
 * @module
 */
import { type CollectionSpec, openCollectionSpec } from "../../mod.ts";
import { inRepository } from "../support/mod.ts";

/** The compilers that testdata is built with: every test of an object runs for each. */
export const COMPILERS = ["clang14", "clang19"] as const;

/** Reads an object of testdata. */
export function objectSpec(compiler: string, name: string): CollectionSpec {
  return openCollectionSpec(inRepository("testdata", compiler, `${name}.bpf.o`));
}

/** A context of 64-bit arguments: what raw tracepoint and syscall programs of testdata take. */
export function args(...values: (number | bigint)[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(BigUint64Array.from(values, BigInt).buffer);
}

/** A field of /proc/PID/status; `pid` may also be `PID/task/TID`. */
export function procStatus(pid: number | string, field: string): string {
  const line = Deno.readTextFileSync(`/proc/${pid}/status`).split("\n").find((line) => line.startsWith(`${field}:`));
  if (line === undefined) throw new Error(`/proc/${pid}/status has no ${field}`);
  return line.slice(field.length + 1).trim();
}

/** Starts `true` over and over, one at a time, which leaves a slow machine time for others, until it is disposed of. */
export class Starts implements AsyncDisposable {
  readonly #ended: Promise<void>;
  #going = true;

  constructor() {
    this.#ended = this.#start();
  }

  async #start(): Promise<void> {
    while (this.#going) {
      await new Deno.Command("true").output();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#going = false;
    await this.#ended;
  }
}
