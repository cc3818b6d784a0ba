import { assert, assertEquals, assertFalse, assertGreater, assertStringIncludes, assertThrows } from "@std/assert";
import * as sys from "../../../ffi/sys/mod.ts";
import { needs, openFds } from "../../support/mod.ts";
import { inject } from "./inject.ts";

const FFI = needs({ ffi: true });
const { Errno, SyscallError } = sys;

/** A directory for a test. */
function temporary(): { path: string } & Disposable {
  const path = Deno.makeTempDirSync();
  return { path, [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }) };
}

Deno.test({
  name: "readFile() reads files whose size says nothing",
  ...FFI,
  fn() {
    assertEquals(sys.readTextFile("/proc/self/stat").split(" ")[0], String(Deno.pid));
    assertStringIncludes(sys.readTextFile("/proc/version"), "Linux version");
  },
});

Deno.test({
  name: "readFile() reads every size around its first guess",
  ...FFI,
  fn() {
    using dir = temporary();
    for (const size of [0, 1, 16383, 16384, 16385, 100_000]) {
      const bytes = Uint8Array.from({ length: size }, (_, index) => index * 7);
      Deno.writeFileSync(`${dir.path}/f`, bytes);
      assertEquals(sys.readFile(`${dir.path}/f`), bytes);
    }
  },
});

Deno.test({
  name: "readFile() goes on after a signal, and after few bytes at a time",
  ...FFI,
  fn() {
    using dir = temporary();
    Deno.writeTextFileSync(`${dir.path}/f`, "x".repeat(20_000));
    let turn = 0;
    using _ = inject(
      "read",
      (real) => (fd, buffer) => turn++ % 3 === 0 ? -Errno.EINTR : real(fd, buffer.subarray(0, 999)),
    );
    assertEquals(sys.readTextFile(`${dir.path}/f`), "x".repeat(20_000));
  },
});

Deno.test({
  name: "readFile() of a missing file names it, and leaves nothing open after an error",
  ...FFI,
  fn() {
    const error = assertThrows(() => sys.readFile("/nonexistent"), SyscallError);
    assertEquals(error.message, "open(/nonexistent): ENOENT (no such file or object)");
    const before = openFds().size;
    assertEquals(
      assertThrows(() => sys.readFile("/proc/self"), SyscallError).message,
      "read(/proc/self): EISDIR (is a directory)",
    );
    assertEquals(openFds().size, before);
  },
});

Deno.test({
  name: "mapFile() maps a file, and its bytes are gone when it is closed",
  ...FFI,
  fn() {
    using dir = temporary();
    Deno.writeTextFileSync(`${dir.path}/f`, "hello");
    const before = openFds().size;
    const file = sys.mapFile(`${dir.path}/f`);
    const bytes = file.bytes;
    assertEquals([file.mapped, new TextDecoder().decode(bytes.slice()), openFds().size], [true, "hello", before]);
    file.close();
    file.close();
    assertEquals([bytes.length, file.bytes.length], [0, 0]);
  },
});

Deno.test({
  name: "mapFile() reads what cannot be mapped",
  ...FFI,
  fn() {
    using version = sys.mapFile("/proc/version");
    assertFalse(version.mapped);
    assertGreater(version.bytes.length, 10);
    using dir = temporary();
    Deno.writeTextFileSync(`${dir.path}/f`, "hello");
    using _ = inject("mmap", () => () => -Errno.ENODEV);
    using file = sys.mapFile(`${dir.path}/f`);
    assertEquals([file.mapped, new TextDecoder().decode(file.bytes)], [false, "hello"]);
  },
});

Deno.test({
  name: "mapFile() gives the kernel's BTF",
  ...needs({ ffi: true, btf: true }),
  fn() {
    using file = sys.mapFile("/sys/kernel/btf/vmlinux");
    assertEquals(file.bytes.slice(), Deno.readFileSync("/sys/kernel/btf/vmlinux"));
  },
});

Deno.test({
  name: "writeFile() writes, appends, and names a file that it cannot write",
  ...FFI,
  fn() {
    using dir = temporary();
    const path = `${dir.path}/f`;
    sys.writeFile(path, "a", sys.OpenFlag.O_CREAT);
    sys.writeFile(path, "bc", sys.OpenFlag.O_APPEND);
    assertEquals(sys.readTextFile(path), "abc");
    assertStringIncludes(
      assertThrows(() => sys.writeFile(`${path}/g`, ""), SyscallError).message,
      `open(${path}/g): ENOTDIR`,
    );
  },
});

Deno.test({
  name: "directories: mkdir(), readDir(), exists(), readLink(), unlink(), rmdir()",
  ...FFI,
  fn() {
    using dir = temporary();
    sys.mkdir(`${dir.path}/d`);
    sys.writeFile(`${dir.path}/d/f`, "", sys.OpenFlag.O_CREAT);
    Deno.symlinkSync("f", `${dir.path}/d/l`);
    assertEquals(sys.readDir(`${dir.path}/d`).toSorted((a, b) => a.name < b.name ? -1 : 1), [
      { name: "f", kind: "file" },
      { name: "l", kind: "symlink" },
    ]);
    assertEquals(sys.readLink(`${dir.path}/d/l`), "f");
    assert(sys.exists(`${dir.path}/d/f`));
    assertEquals(assertThrows(() => sys.rmdir(`${dir.path}/d`), SyscallError).code, "ENOTEMPTY");
    sys.unlink(`${dir.path}/d/f`);
    sys.unlink(`${dir.path}/d/l`);
    sys.rmdir(`${dir.path}/d`);
    assertFalse(sys.exists(`${dir.path}/d`));
    assertEquals(assertThrows(() => sys.mkdir(`${dir.path}/x/y`), SyscallError).code, "ENOENT");
    assertEquals(assertThrows(() => sys.readDir(`${dir.path}/x`), SyscallError).code, "ENOENT");
  },
});

Deno.test({
  name: "readDir() reads more than fits its buffer",
  ...FFI,
  fn() {
    using dir = temporary();
    const names = Array.from({ length: 2000 }, (_, index) => `name-of-some-length-${index}`).sort();
    for (const name of names) Deno.writeTextFileSync(`${dir.path}/${name}`, "");
    assertEquals(sys.readDir(dir.path).map((entry) => entry.name).sort(), names);
  },
});
