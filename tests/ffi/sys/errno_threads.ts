/**
 * Makes calls that fail on two threads at once, each with an error number of its own, and prints how many were mixed up.
 *
 * @module
 */
import { calls, Errno } from "../../../ffi/sys/mod.ts";

const ROUNDS = 20_000;
const IN_WORKER = self.name === "worker";

if (IN_WORKER) {
  let wrong = 0;
  for (let i = 0; i < ROUNDS; i++) if (calls.close(987654) !== -Errno.EBADF) wrong++;
  (self as unknown as { postMessage(message: number): void }).postMessage(wrong);
} else {
  const worker = new Worker(import.meta.url, { type: "module", name: "worker" });
  const answer = new Promise<number>((resolve) => worker.onmessage = (event) => resolve(event.data));
  const missing = new TextEncoder().encode("/nonexistent/x\0");
  let wrong = 0;
  for (let i = 0; i < ROUNDS; i++) if (calls.access(missing, 0) !== -Errno.ENOENT) wrong++;
  console.log(`main: ${wrong} wrong`);
  console.log(`worker: ${await answer} wrong`);
  worker.terminate();
}
