/**
 * Makes system calls fail on purpose.
 *
 * @module
 */
import { calls, type SystemCalls } from "../../../ffi/sys/mod.ts";

/**
 * Replaces a system call until the result is disposed of: `using _ = inject("bpf", (real) => (...args) => -Errno.ENOMEM)`.
 *
 * @param name Which.
 * @param wrap Gets the real call, gives the one to use.
 */
export function inject<N extends keyof SystemCalls>(
  name: N,
  wrap: (real: SystemCalls[N]) => SystemCalls[N],
): Disposable {
  const real = calls[name];
  calls[name] = wrap(real);
  return { [Symbol.dispose]: () => void (calls[name] = real) };
}

/** Makes every call of `bpf(cmd)` fail with `errno`; other commands go to the kernel. */
export function failBpf(cmd: number, errno: number): Disposable {
  return inject("bpf", (real) => (asked, attr, size) => asked === cmd ? -errno : real(asked, attr, size));
}
