/**
 * Finding programs, libraries and functions in them: what is found, and what messages say of what is not.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { UnsupportedError } from "../../../lib/errors.ts";
import { UserBinary } from "../../../ffi/attach/user_binary.ts";
import { UserFunctionError, type UserFunctionProblem } from "../../../ffi/attach/user_function_error.ts";
import { findUserPath, realPath } from "../../../ffi/attach/user_path.ts";
import { inRepository, needs } from "../../support/mod.ts";
import { userProgram } from "../../support/user_target.ts";

const PLACE = 'program "p"';
const PATH = userProgram();
const binary = (path?: string, rootOf?: number) => new UserBinary({ path: path ?? PATH, rootOf }, PLACE);

function refused(action: () => unknown, problem: UserFunctionProblem, ...words: string[]): UserFunctionError {
  const error = assertThrows(action, UserFunctionError) as UserFunctionError;
  assertEquals(error.problem, problem, error.message);
  for (const word of [PLACE, ...words]) assert(error.message.includes(word), `"${word}" in: ${error.message}`);
  assert(!error.message.includes("\n"));
  return error;
}

/** A folder that is gone afterwards. */
function inFolder(action: (folder: string) => void): void {
  const folder = Deno.makeTempDirSync();
  try {
    action(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

Deno.test({
  name: "findUserPath() looks for programs in PATH, for libraries in LD_LIBRARY_PATH and the usual folders",
  ...needs({ ffi: true }),
  fn: () =>
    inFolder((folder) => {
      for (const name of ["tool", "libown.so", "libown.so.1", "notrunnable"]) {
        Deno.writeTextFileSync(join(folder, name), "");
        if (name !== "notrunnable") Deno.chmodSync(join(folder, name), 0o755);
      }
      const before = { PATH: Deno.env.get("PATH") ?? "", LD_LIBRARY_PATH: Deno.env.get("LD_LIBRARY_PATH") ?? "" };
      try {
        Deno.env.set("PATH", `::/nonexistent:${folder}:`);
        Deno.env.set("LD_LIBRARY_PATH", `/nonexistent:${folder}`);
        const found = (name: string) => findUserPath(name, undefined, PLACE).path;
        assertEquals(found("tool"), `${folder}/tool`);
        assertEquals(found("libown.so"), `${folder}/libown.so`);
        assertEquals(found("libown.so.1"), `${folder}/libown.so.1`);
        // libbpf adds them where PATH lacks them.
        assert(["/usr/bin/sh", "/usr/sbin/sh"].includes(found("sh")));
        refused(() => found("notrunnable"), "no-file", 'there is no program "notrunnable" in /nonexistent');
        refused(() => found("libnone.so"), "no-file", 'there is no library "libnone.so"', "/usr/lib64");
      } finally {
        for (const [name, value] of Object.entries(before)) Deno.env.set(name, value);
      }
    }),
});

Deno.test({
  name: "findUserPath() tells of a path that is not there what is close to it",
  ...needs({ ffi: true }),
  fn() {
    const error = refused(() => binary(`${PATH}_exce`), "no-file", "there is no file", ": there is user_target_exec");
    assertEquals(error.candidates[0], "user_target_exec");
    refused(() => binary("/nonexistent/folder/prog"), "no-file", 'there is no file "/nonexistent/folder/prog"');
    refused(() => binary("/bin/sh", 0x3fff_ffff), "no-file", "there is no process 1073741823");
    assertThrows(() => binary("/x.apk!/lib/a.so"), UnsupportedError, "unpack the library first");
  },
});

Deno.test({
  name: "realPath() follows symbolic links below a root that is not this process' own",
  ...needs({ ffi: true }),
  fn: () =>
    inFolder((root) => {
      Deno.mkdirSync(join(root, "real/deep"), { recursive: true });
      Deno.writeTextFileSync(join(root, "real/deep/prog"), "");
      Deno.symlinkSync("/real", join(root, "absolute"));
      Deno.symlinkSync("../absolute/deep/prog", join(root, "real/relative"));
      Deno.symlinkSync("/../../../real/deep", join(root, "above"));
      Deno.symlinkSync("/loop", join(root, "loop"));
      assertEquals(realPath("/real/deep/prog", root), "/real/deep/prog");
      assertEquals(realPath("/absolute/deep/prog", root), "/real/deep/prog");
      assertEquals(realPath("/real/relative", root), "/real/deep/prog");
      assertEquals(realPath("//real/./deep/../relative", root), "/real/deep/prog");
      assertEquals(realPath("/above/prog", root), "/real/deep/prog");
      assertEquals(realPath("/loop", root), "/loop");
      assertEquals(realPath("/none/prog", root), "/none/prog");
    }),
});

Deno.test({
  name: "UserBinary.functionOffset() finds functions, and offsets inside of them",
  ...needs({ ffi: true }),
  fn() {
    for (const name of ["user_target", "user_target_exec"] as const) {
      const program = binary(userProgram(name));
      const start = program.functionOffset("target_add");
      // The last byte is a return of one byte; elsewhere instructions are longer.
      const size = Deno.build.arch === "x86_64" ? program.executable.functions!.named("target_add")[0]!.size : 5;
      assertEquals(program.functionOffset("target_add", size - 1), start + size - 1);
      program.checkOffset(start);
    }
  },
});

Deno.test({
  name: "UserBinary.functionOffset() says why a function is not found",
  ...needs({ ffi: true }),
  fn() {
    const program = binary();
    const missing = refused(
      () => program.functionOffset("target_ad"),
      "missing",
      'has no function "target_ad"',
      "; there is",
    );
    assertEquals(missing.candidates[0], "target_add");
    refused(() => program.functionOffset("fgets"), "imported", "it is in a library that it is linked with");
    const twins = refused(
      () => program.functionOffset("twin"),
      "ambiguous",
      'has 2 functions "twin", at the offsets 0x',
    );
    for (const offset of twins.candidates) program.checkOffset(Number(offset));
    refused(() => program.functionOffset("target_add", 4096), "outside", "it has no offset 4096");
    refused(() => program.functionOffset("target_add", -1), "outside", "it has no offset -1");
    refused(() => program.functionOffset("target_add@V9"), "missing", "only target_add");
  },
});

Deno.test({
  name: "UserBinary.functionOffset() refuses the middle of an instruction",
  ...needs({ ffi: true }),
  fn() {
    const program = binary();
    const start = program.functionOffset("main");
    let [begins, inside] = [0, 0];
    for (let offset = 0; offset < 64; offset++) {
      try {
        assertEquals(program.functionOffset("main", offset), start + offset);
        begins++;
      } catch (error) {
        assert(error instanceof UserFunctionError);
        assertEquals(error.problem, "inside");
        assert(error.message.includes(`offset ${offset} of function "main" is in the middle of an instruction`));
        // The one that it names is the last that was taken.
        program.functionOffset("main", Number(error.candidates[0]));
        inside++;
      }
    }
    assert(begins > 8 && inside > 8);
  },
});

Deno.test({
  name: "UserBinary.checkOffset() tells an address from an offset",
  ...needs({ ffi: true }),
  fn() {
    const program = binary(userProgram("user_target_exec"));
    const offset = program.functionOffset("target_add");
    const address = program.executable.functions!.named("target_add")[0]!.address;
    refused(
      () => program.checkOffset(address),
      "outside",
      `it is an address, whose offset is 0x${offset.toString(16)}`,
    );
    refused(() => program.checkOffset(16), "outside", "the offset 0x10 is not in its code");
    // What is no program may hold code all the same.
    binary(inRepository("README.md")).checkOffset(16);
  },
});

Deno.test({
  name: "UserBinary.matchingOffsets() gives each function once, and fails where there is none",
  ...needs({ ffi: true }),
  fn() {
    const program = binary();
    const expected = ["target_leaf", "target_length"].map((name) => program.functionOffset(name)).sort((a, b) => a - b);
    assertEquals(program.matchingOffsets("target_l*", (name) => name.startsWith("target_l")), expected);
    refused(() => program.matchingOffsets("nothing*", () => false), "missing", `no function's name matches "nothing*"`);
  },
});

Deno.test({
  name: "UserBinary says what a file is that is no program of this machine",
  ...needs({ ffi: true }),
  fn: () =>
    inFolder((folder) => {
      const changed = (name: string, at: number, value: number) => {
        const bytes = Deno.readFileSync(PATH);
        bytes[at] = value;
        Deno.writeFileSync(join(folder, name), bytes);
        return () => binary(join(folder, name)).functionOffset("main");
      };
      refused(changed("narrow", 4, 1), "not-program", "is a 32-bit program for");
      refused(changed("foreign", 18, 22), "not-program", "is for s390x and this machine is", "it cannot run here");
      refused(changed("core", 16, 4), "not-program", "is a core dump, not a program or library");
      refused(() => binary(inRepository("README.md")).functionOffset("main"), "not-program", "is not an ELF file");
      refused(() => binary("/").functionOffset("main"), "no-file", "cannot be read: EISDIR");
    }),
});

Deno.test({
  name: "UserBinary says that a program was stripped and has no debug file",
  ...needs({ ffi: true, program: "objcopy" }),
  fn: () =>
    inFolder((folder) => {
      const stripped = join(folder, "stripped");
      new Deno.Command("objcopy", { args: ["--strip-all", PATH, stripped] }).outputSync();
      refused(
        () => binary(stripped).functionOffset("target_add"),
        "stripped",
        "its other names were stripped",
        "(build id ",
      );
      // A debug file of another build does not count.
      Deno.mkdirSync(join(folder, ".debug"));
      const debug = join(folder, ".debug", "stripped.debug");
      new Deno.Command("objcopy", { args: ["--only-keep-debug", userProgram("user_target_exec"), debug] }).outputSync();
      new Deno.Command("objcopy", { args: [`--add-gnu-debuglink=${debug}`, stripped] }).outputSync();
      refused(() => binary(stripped).functionOffset("target_add"), "stripped");
      new Deno.Command("objcopy", { args: ["--only-keep-debug", PATH, debug] }).outputSync();
      assertEquals(binary(stripped).functionOffset("target_add"), binary().functionOffset("target_add"));
    }),
});

Deno.test({
  name: "a debug file of a program without build id is known by its CRC",
  ...needs({ ffi: true, program: "objcopy" }),
  fn: () =>
    inFolder((folder) => {
      const [whole, stripped, debug] = ["whole", "stripped", "stripped.debug"].map((name) => join(folder, name));
      const objcopy = (...args: string[]) => new Deno.Command("objcopy", { args }).outputSync();
      objcopy("--remove-section=.note.gnu.build-id", PATH, whole!);
      objcopy("--only-keep-debug", whole!, debug!);
      objcopy("--strip-all", `--add-gnu-debuglink=${debug}`, whole!, stripped!);
      assertEquals(binary(stripped).executable.buildId, undefined);
      assertEquals(binary(stripped).functionOffset("target_add"), binary().functionOffset("target_add"));
      const bytes = Deno.readFileSync(debug!);
      Deno.writeFileSync(debug!, Uint8Array.from([...bytes, 0]));
      refused(() => binary(stripped).functionOffset("target_add"), "stripped");
    }),
});

Deno.test({
  name: "a function of which one of several is chosen at start is refused, with names of those",
  ...needs({ ffi: true, program: "gcc" }),
  fn: () =>
    inFolder((folder) => {
      const [source, library] = [join(folder, "lib.c"), join(folder, "libchosen.so")];
      Deno.writeTextFileSync(
        source,
        `long __chosen_fast(long n) { return n; } long __chosen_slow(long n) { return n; }
         static void *choose(void) { return __chosen_fast; }
         long chosen(long n) __attribute__((ifunc("choose")));`,
      );
      new Deno.Command("gcc", { args: ["-shared", "-fPIC", "-o", library, source] }).outputSync();
      const error = refused(
        () => binary(library).functionOffset("chosen"),
        "indirect",
        "is chosen when a program starts",
      );
      assertEquals(error.candidates, ["__chosen_fast", "__chosen_slow"]);
      binary(library).functionOffset("__chosen_fast");
    }),
});
