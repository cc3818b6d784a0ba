/**
 * Every way of attaching to user programs and perf events, for tests of what is left behind.
 *
 * @module
 */
import {
  attachPerfEvent,
  attachUprobe,
  attachUprobeMulti,
  attachUsdt,
  type BpfProgram,
  Collection,
  type Link,
} from "../../mod.ts";
import type { FeatureName } from "../support/features.ts";
import { userProgram } from "../support/user_target.ts";
import { objectSpec } from "./support.ts";
import { loadUser } from "./user_support.ts";

/** A way of attaching. */
export interface UserWay {
  /** What it is called. */
  readonly what: string;
  readonly features: readonly FeatureName[];
  /** Loads and attaches; closing it detaches and unloads. */
  readonly attach: () => Disposable;
}

const path = userProgram();

/** All ways. */
export function userWays(): UserWay[] {
  const user = (name: "enter" | "leave" | "multi", attach: (program: BpfProgram) => Link) => () =>
    together(loadUser("clang19", { [name]: "" }), name, attach);
  const add = { path, symbol: "target_add" } as const;
  const usdt = { path, provider: "user" } as const;
  return [
    { what: "uprobe", features: [], attach: user("enter", (program) => attachUprobe(program, add)) },
    {
      what: "uretprobe",
      features: [],
      attach: user("leave", (program) => attachUprobe(program, { ...add, retprobe: true })),
    },
    {
      what: "uprobe by tracefs",
      features: [],
      attach: user("enter", (program) => attachUprobe(program, { ...add, mode: "tracefs" })),
    },
    {
      what: "uprobe.multi",
      features: ["uprobeMulti"],
      attach: user("multi", (program) => attachUprobeMulti(program, { path, pattern: "target_*" })),
    },
    {
      what: "usdt by one link",
      features: ["uprobeMultiPid"],
      attach: () => loadUsdtFor(true, (program) => attachUsdt(program, { ...usdt, name: "counted" })),
    },
    {
      what: "usdt by a link for each place",
      features: ["perfCookies"],
      attach: () => loadUsdtFor(false, (program) => attachUsdt(program, { ...usdt, name: "many" })),
    },
    {
      what: "usdt with a semaphore",
      features: ["perfCookies"],
      attach: () => loadUsdtFor(false, (program) => attachUsdt(program, { ...usdt, name: "counted" })),
    },
    {
      what: "perf_event",
      features: [],
      attach: () => {
        const spec = objectSpec("clang19", "perf_event");
        spec.variables.get("with_cookie")!.set(0);
        const options = { event: "cpu-clock", frequency: 99 } as const;
        return together(Collection.load(spec), "sample", (program) => attachPerfEvent(program, options));
      },
    },
  ];
}

/** Whether by one link is said when a program is loaded: as for a kernel without such links, it is no USDT program then. */
function loadUsdtFor(multi: boolean, attach: (program: BpfProgram) => Link): Disposable {
  const spec = objectSpec("clang19", "usdt");
  for (const program of spec.programs.values()) {
    program.autoload = program.name === "first";
    if (!multi) program.attach = "uprobe";
  }
  return together(Collection.load(spec), "first", attach);
}

function together(collection: Collection, name: string, attach: (program: BpfProgram) => Link): Disposable {
  using cleanup = new DisposableStack();
  cleanup.use(collection);
  cleanup.use(attach(collection.program(name)));
  return cleanup.move();
}
