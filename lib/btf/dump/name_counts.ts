export class NameCounts {
  readonly m = new Map<string, number>();
  readonly names: { at(o: number): string };
  constructor(names: { at(o: number): string }) { this.names = names; }
  add(offset: number): number {
    const name = this.names.at(offset);
    const n = (this.m.get(name) ?? 0) + 1;
    this.m.set(name, n);
    return n;
  }
}
