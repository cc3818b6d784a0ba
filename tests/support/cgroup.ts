/**
 * A cgroup of a test's own.
 *
 * @module
 */
import { cgroup2Mount } from "../../ffi/attach/mod.ts";
import * as sys from "../../ffi/sys/mod.ts";

let made = 0;

/** A cgroup of version 2 that is removed with the test. */
export class TestCgroup implements Disposable {
  /** Its path below the root. */
  readonly name: string;
  /** Its whole path. */
  readonly path: string;

  /** @param parent The cgroup that it is below; by default the root. */
  constructor(parent?: TestCgroup) {
    const own = `debpf-test-${Deno.pid}-${made++}`;
    this.name = parent === undefined ? own : `${parent.name}/${own}`;
    this.path = `${cgroup2Mount()}/${this.name}`;
    sys.mkdir(this.path);
  }

  /** Runs `test` while this process is in the cgroup; it has to be synchronous. */
  inside<T>(test: () => T): T {
    const line = sys.readTextFile("/proc/self/cgroup").split("\n").find((line) => line.startsWith("0::"));
    const own = `${cgroup2Mount()}${line?.slice("0::".length).replace(/\/$/, "") ?? ""}`;
    sys.writeFile(`${this.path}/cgroup.procs`, String(Deno.pid));
    try {
      return test();
    } finally {
      sys.writeFile(`${own}/cgroup.procs`, String(Deno.pid));
    }
  }

  [Symbol.dispose](): void {
    sys.rmdir(this.path);
  }
}
