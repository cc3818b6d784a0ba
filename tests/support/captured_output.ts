/**
 * A command's results in memory, to run it without a process of its own.
 *
 * @module
 */
import { Output } from "../../cli/output.ts";

/** Keeps what a command prints. */
export class CapturedOutput extends Output {
  /** The lines that were printed to stdout. */
  readonly lines: string[] = [];
  /** What was printed to stderr. */
  readonly notes: string[] = [];

  override line(text = ""): void {
    this.lines.push(text);
  }

  override bytes(bytes: Uint8Array): void {
    this.lines.push(new TextDecoder().decode(bytes));
  }

  override flush(): void {}

  override error(message: string): void {
    if (this.json) this.value({ error: message });
    else this.notes.push(`debpf: ${message}`);
  }

  override note(message: string): void {
    this.notes.push(message);
  }
}
