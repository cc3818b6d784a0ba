/**
 * Attaches to a user program in the way that its first argument names, prints "attached", and waits to be killed:
 * `user_child.ts KIND`.
 *
 * @module
 */
import { userWays } from "./user_ways.ts";

const way = userWays().find(({ what }) => what === Deno.args[0]);
if (way === undefined) throw new Error(`no way of attaching is called ${Deno.args[0]}`);
using _loaded = way.attach();
console.log("attached");
await new Promise((resolve) => setTimeout(resolve, 600_000));
