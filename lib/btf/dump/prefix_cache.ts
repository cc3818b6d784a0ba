import type { TextBuffer } from "./text_buffer.ts";
export class PrefixCache {
  readonly t: string[] = [];
  constructor(count: number) { this.t = new Array(count).fill(""); }
  write(id: number, out: TextBuffer): number {
    const t = this.t[id]!;
    if (t === "") return 0;
    out.ascii(t);
    return t.charCodeAt(t.length - 1);
  }
  keep(id: number, out: TextBuffer, start: number): void {
    const text = out.text;
    if (text.length > start) this.t[id] = text.substring(start);
  }
}
