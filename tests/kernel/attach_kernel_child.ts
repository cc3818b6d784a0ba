/**
 * A process that attaches one program of attach_kernel and waits to be killed: `attach_kernel_child.ts PROGRAM [tracefs]`.
 *
 * @module
 */
import { attachKprobe } from "../../mod.ts";
import { waitToBeKilled } from "../support/attach_child.ts";
import { loadTracer } from "./attach_support.ts";

const [program = "", mode] = Deno.args;
const collection = loadTracer("clang19", [program]);
if (mode === "tracefs") attachKprobe(collection.program(program), { function: "vfs_fallocate", mode });
else collection.attach({ only: () => true });
await waitToBeKilled();
