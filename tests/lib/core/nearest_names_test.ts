import { assertEquals } from "@std/assert";
import { nearestNames } from "../../../lib/core/nearest_names.ts";

Deno.test("nearestNames() ranks by edits", () => {
  assertEquals(nearestNames("state", ["__state", "stats", "flags", "exit_state", "statue"]), [
    "stats",
    "statue",
    "__state",
  ]);
});

Deno.test("nearestNames() counts two swapped letters as one edit", () => {
  assertEquals(nearestNames("cmom", ["comm", "c"]), ["comm"]);
});

Deno.test("nearestNames() takes names that contain the other", () => {
  assertEquals(nearestNames("state", ["exit_state_of_task"]), ["exit_state_of_task"]);
  assertEquals(nearestNames("nr_dirtied_pause", ["nr_dirtied"]), ["nr_dirtied"]);
});

Deno.test("nearestNames() gives nothing where nothing is near, and each name once", () => {
  assertEquals(nearestNames("nonexistent", ["pid", "tgid", ""]), []);
  assertEquals(nearestNames("pid", ["pids", "pids"]), ["pids"]);
});

Deno.test("nearestNames() gives at most `count` names", () => {
  assertEquals(nearestNames("a1", ["a2", "a3", "a4", "a5"], 2), ["a2", "a3"]);
});
