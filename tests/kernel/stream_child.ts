/**
 * A program that reads events and nothing else, for a test of when such a program ends: `stream_child.ts MODE OBJECT`.
 *
 * - `waits`: a loop over events that never come;
 * - `closes`: two such loops, whose streams are closed a moment later; then there is nothing left to do.
 *
 * It says "waiting" when it does.
 *
 * @module
 */
import { Collection, openCollectionSpec } from "../../mod.ts";

const [mode, object] = Deno.args as [string, string];
const collection = Collection.load(openCollectionSpec(object));
const streams = ["tagged", "two_kinds"].map((map) => collection.events(map));
const loops = streams.map(async (stream) => {
  for await (const event of stream) console.log("unexpected", event);
});
setTimeout(() => {
  console.log("waiting");
  if (mode === "waits") return;
  for (const stream of streams) stream.close();
  Promise.all(loops).then(() => console.log("closed"));
}, 10);
