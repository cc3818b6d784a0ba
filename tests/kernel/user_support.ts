/**
 * What tests of tracing user programs share: the objects user and usdt of testdata, aimed at a program.
 *
 * @module
 */
import { Collection, type CollectionSpec } from "../../mod.ts";
import { userProgram } from "../support/user_target.ts";
import { objectSpec } from "./support.ts";

/** What a program of user.bpf.c saw last. */
export interface UserSeen {
  readonly hits: bigint;
  readonly cookie: bigint;
  readonly arguments: readonly bigint[];
  readonly result: bigint;
  readonly tgid: number;
  readonly text: string;
}

/** What a program of usdt.bpf.c saw last. */
export interface UsdtSeen {
  readonly hits: bigint;
  readonly cookie: bigint;
  readonly count: bigint;
  readonly args: readonly bigint[];
  readonly sum: bigint;
  readonly tgid: number;
}

/** Slots of `seen` in user.bpf.c by the name of the program. */
const USER_SLOTS = { enter: 0, leave: 1, sleepable: 2, multi: 3, multi_ret: 4, session: 5 } as const;
/** Slots of `seen` in usdt.bpf.c. */
const USDT_SLOTS = { first: 0, second: 1, sleepable: 2 } as const;

/** Name of a program of user.bpf.c. */
export type UserProgramName = keyof typeof USER_SLOTS;
/** Name of a program of usdt.bpf.c. */
export type UsdtProgramName = keyof typeof USDT_SLOTS;

/** How programs are loaded. */
export interface UserOptions {
  /** They ask for their cookies (5.15). */
  readonly withCookie?: boolean;
}

/**
 * Loads programs of user.bpf.c.
 *
 * @param targets What each is attached to by its section name: `{ enter: "target_add" }` of user_target, or with a path; empty for
 * none.
 */
export function loadUser(
  compiler: string,
  targets: Partial<Record<UserProgramName, string>>,
  options: UserOptions = {},
): Collection {
  const spec = aimed(objectSpec(compiler, "user"), targets);
  if (Deno.build.arch === "aarch64") {
    for (const [name, at] of Object.entries({ argument0_offset: 0, argument1_offset: 8, result_offset: 0 })) {
      spec.variables.get(name)!.set(at);
    }
  }
  spec.variables.get("with_cookie")!.set(options.withCookie === true ? 1 : 0);
  return Collection.load(spec);
}

/** Loads programs of usdt.bpf.c (or another `object` that has them), as {@linkcode loadUser}: `{ first: "user:simple" }`. */
export function loadUsdt(
  compiler: string,
  targets: Partial<Record<UsdtProgramName, string>>,
  object = "usdt",
): Collection {
  const spec = aimed(objectSpec(compiler, object), targets);
  spec.variables.get("ip_offset")!.set(Deno.build.arch === "aarch64" ? 256 : 128);
  return Collection.load(spec);
}

function aimed(spec: CollectionSpec, targets: Partial<Record<string, string>>): CollectionSpec {
  for (const program of spec.programs.values()) {
    const target = targets[program.name];
    program.autoload = target !== undefined;
    if (target === undefined || target === "") continue;
    program.attachTo = target.includes("/") ? target : `${userProgram()}:${target}`;
    program.section = `${program.section}/${program.attachTo}`;
    program.autoAttach = true;
  }
  return spec;
}

/** What a program of user.bpf.c saw. */
export function userSeen(collection: Collection, program: UserProgramName): UserSeen {
  return (collection.variable("seen").get() as unknown as UserSeen[])[USER_SLOTS[program]]!;
}

/** What a program of usdt.bpf.c saw. */
export function usdtSeen(collection: Collection, program: UsdtProgramName): UsdtSeen {
  return (collection.variable("seen").get() as unknown as UsdtSeen[])[USDT_SLOTS[program]]!;
}

/** Runs a program of the machine to its end; it has to succeed. */
export function command(name: string, ...args: string[]): void {
  const { success, stderr } = new Deno.Command(name, { args }).outputSync();
  if (!success) throw new Error(`${name} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}
