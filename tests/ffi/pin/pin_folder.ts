/**
 * A place for pins of a test.
 *
 * @module
 */
import { exists, getpid, readDir, rmdir, unlink } from "../../../ffi/sys/mod.ts";

let made = 0;

/** The path of a folder in the BPF file system, not there yet; removed with all in it. */
export function pinFolder(): { readonly path: string } & Disposable {
  const path = `/sys/fs/bpf/debpf_test_${getpid()}_${++made}`;
  return { path, [Symbol.dispose]: () => remove(path) };
}

function remove(folder: string): void {
  if (!exists(folder)) return;
  for (const { name, kind } of readDir(folder)) {
    if (kind === "directory") remove(`${folder}/${name}`);
    else unlink(`${folder}/${name}`);
  }
  rmdir(folder);
}
