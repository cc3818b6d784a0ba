/**
 * testdata/network.bpf.c, loaded with just the programs that a test attaches.
 *
 * @module
 */
import type { BpfProgram } from "../../ffi/program/mod.ts";
import { Collection } from "../../ffi/collection/mod.ts";
import type { Value } from "../../lib/btf/mod.ts";
import { objectSpec } from "./support.ts";

/** What each slot of `counts` counts. */
export const SLOT = {
  xdp_count: 0,
  xdp_other: 1,
  xdp_with_frags: 2,
  xdp_to_devmap: 3,
  xdp_on_device: 4,
  xdp_to_cpumap: 5,
  xdp_on_cpu: 6,
  tcx_first: 7,
  tcx_second: 8,
  tcx_third: 9,
  tcx_out: 10,
  classify: 11,
  act: 12,
  netkit_primary: 13,
  netkit_peer: 14,
  filter_hook: 15,
  choose_socket: 16,
  dissect: 17,
  filter: 18,
  share: 19,
  parse: 20,
  redirect: 21,
  verdict: 22,
  message: 23,
  route_in: 24,
  route_out: 25,
  route_xmit: 26,
  route_segment: 27,
} as const;

/** Some programs of the object. */
export class NetworkPrograms implements Disposable {
  readonly collection: Collection;

  constructor(compiler: string, ...names: string[]) {
    const spec = objectSpec(compiler, "network");
    for (const program of spec.programs.values()) program.autoload = names.includes(program.name);
    this.collection = Collection.load(spec);
  }

  program(name: string): BpfProgram {
    return this.collection.program(name);
  }

  count(name: keyof typeof SLOT): number {
    return Number((this.get("counts") as bigint[])[SLOT[name]]);
  }

  /** Which programs ran, in their order, since this was asked before. */
  takeOrder(): number[] {
    const length = this.get("order_length") as number;
    this.set("order_length", 0);
    return (this.get("order") as number[]).slice(0, length);
  }

  get(variable: string): Value {
    return this.collection.variable(variable).get();
  }

  set(variable: string, value: Value): void {
    this.collection.variable(variable).set(value);
  }

  [Symbol.dispose](): void {
    this.collection.close();
  }
}
