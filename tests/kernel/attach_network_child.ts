/**
 * Attaches, in the network namespace and the cgroup that it is started with, all that goes with a process; waits to be killed.
 *
 * @module
 */
import { waitToBeKilled } from "../support/attach_child.ts";
import { NetworkWays } from "./network_ways.ts";

const ways = new NetworkWays(Deno.args[0]!);
for (const attach of ways.byLink.values()) {
  try {
    attach();
  } catch (error) {
    // Those of one socket exclude each other.
    if (!(error instanceof Error) || !error.message.includes("EEXIST")) throw error;
  }
}
await waitToBeKilled();
