/**
 * Where a command's results go: whole writes, a quiet end when the reader of a pipe is gone, JSON without rounding.
 *
 * @module
 */

/** Raised when stdout's reader has gone; the command ends as if it were done. */
export class ClosedPipe extends Error {
  override readonly name = "ClosedPipe";
}

const ENCODER = new TextEncoder();
/** Text is gathered up to this size before it is written, so a large listing costs few system calls. */
const BUFFER_BYTES = 1 << 16;
/** Waiting on it with a timeout is a synchronous sleep. */
const NEVER_WOKEN = new Int32Array(new SharedArrayBuffer(4));

/** Standard output of a command. */
export class Output {
  /** Print JSON (`-j` or `-p`). */
  readonly json: boolean;
  /** Indent JSON (`-p`). */
  readonly pretty: boolean;
  /** Also print what lies behind an error: whole verifier logs, stacks. */
  readonly verbose: boolean;
  /** stdout is a terminal that may show colours. */
  readonly colour: boolean;
  #pending = "";

  /** @param options `json`, `pretty`, `verbose`: the global options of the command line. */
  constructor(options: { json?: boolean; pretty?: boolean; verbose?: boolean } = {}) {
    this.pretty = options.pretty ?? false;
    this.json = this.pretty || (options.json ?? false);
    this.verbose = options.verbose ?? false;
    this.colour = Deno.stdout.isTerminal() && !Deno.noColor;
  }

  /** Prints one line. */
  line(text = ""): void {
    this.#pending += `${text}\n`;
    if (this.#pending.length >= BUFFER_BYTES) this.flush();
  }

  /** Prints one value as JSON: indented with `-p`, else on a line. bigints stay exact digits. */
  value(value: unknown): void {
    this.line(toJson(value, this.pretty ? 4 : 0));
  }

  /** Prints a piece of text that is UTF-8 already, as it is; it may be overwritten afterwards. */
  bytes(bytes: Uint8Array): void {
    this.flush();
    writeAll(Deno.stdout, bytes);
  }

  /** Writes out what is pending; to be called before waiting for something. */
  flush(): void {
    const text = this.#pending;
    if (text === "") return;
    this.#pending = "";
    writeAll(Deno.stdout, ENCODER.encode(text));
  }

  /** Prints the one line of an error: to stderr, or with `-j` as bpftool does, `{"error": "..."}` on stdout. */
  error(message: string): void {
    if (this.json) this.value({ error: message });
    this.flush();
    if (!this.json) writeAll(Deno.stderr, ENCODER.encode(`debpf: ${message}\n`));
  }

  /** Prints a note that is no result: to stderr, so that a pipe gets results only. */
  note(message: string): void {
    this.flush();
    writeAll(Deno.stderr, ENCODER.encode(`${message}\n`));
  }
}

/** JSON text of `value`; bigints as exact digits, bytes as arrays of numbers. */
export function toJson(value: unknown, indent = 0): string {
  return JSON.stringify(value, (_key, item) => {
    if (typeof item === "bigint") return rawJson(item.toString());
    if (item instanceof Uint8Array) return Array.from(item);
    if (item instanceof Map) return Object.fromEntries(item);
    return item;
  }, indent);
}

/** `JSON.rawJSON` (ES2026) is what prints a bigint's digits exactly; TypeScript's library does not name it yet. */
function rawJson(text: string): unknown {
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(text);
}

function writeAll(target: typeof Deno.stdout, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) {
    try {
      written += target.writeSync(bytes.subarray(written));
    } catch (error) {
      if (error instanceof Deno.errors.BrokenPipe) throw new ClosedPipe();
      // A pipe that someone else made non-blocking is full: its reader needs a moment.
      if (!(error instanceof Deno.errors.WouldBlock)) throw error;
      Atomics.wait(NEVER_WOKEN, 0, 0, 1);
    }
  }
}
