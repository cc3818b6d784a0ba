/**
 * A line for every program that user 1000 starts: `deno run --allow-ffi execsnoop.ts`, in this folder.
 *
 * @module
 */
import { Collection, openCollectionSpec } from "../../mod.ts"; // "jsr:@debpf/debpf" outside of this repository

const spec = openCollectionSpec("execsnoop.bpf.o"); // built by clang -g -O2 -target bpf
spec.variables.get("filter_uid")!.set(1000); // a `const volatile` of the program: only this user's
using collection = Collection.load(spec);
collection.attach();
for await (const event of collection.events("events")) {
  console.log(event.pid, event.comm, event.filename);
}
