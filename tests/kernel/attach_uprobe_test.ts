/**
 * Programs on functions of a user program: what each saw of one call whose arguments and result are known, that its cookie
 * arrived, and that it sees nothing once its link is closed.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { attachUprobe, type BpfProgram, type Link, sys, UserFunctionError } from "../../mod.ts";
import { Executable } from "../../lib/elf/mod.ts";
import { usdtSites } from "../../lib/usdt/mod.ts";
import type { FeatureName } from "../support/features.ts";
import { needs, shows } from "../support/mod.ts";
import { userProgram, UserTarget } from "../support/user_target.ts";
import { COMPILERS } from "./support.ts";
import { command, loadUser, type UserProgramName, userSeen } from "./user_support.ts";

const COOKIE = 0x1122334455667788n;
const PATH = userProgram();

/** A way of attaching, and what the program sees of one call with 21. */
interface Way {
  /** Row of docs/attach.md. */
  readonly how: string;
  readonly program: UserProgramName;
  /** The rest of its section name. */
  readonly attachTo?: string;
  /** Attaches by hand instead. */
  readonly attach?: (program: BpfProgram, target: UserTarget) => Link;
  readonly features?: readonly FeatureName[];
  readonly sees: Record<string, unknown>;
  readonly target?: "user_target" | "user_target_exec";
}

/** Of `target_add(21, 42)`. */
const CALL = { arguments: [21n, 42n] } as const;
const RESULT = { result: 63n } as const;

/** Where target_add begins in the file, and where the semaphore is. */
function offsets(): { add: number; semaphore: number } {
  const executable = Executable.parse(Deno.readFileSync(PATH));
  const [add] = executable.functions!.named("target_add");
  const [site] = usdtSites(executable, "user", "counted");
  return { add: executable.fileOffset(add!.address)!, semaphore: site!.semaphoreOffset };
}

const WAYS: readonly Way[] = [
  { how: "uprobe/PATH:FUNCTION", program: "enter", attachTo: "target_add", sees: CALL },
  { how: "uprobe/PATH:FUNCTION+OFFSET", program: "enter", attachTo: "target_add+0x0", sees: CALL },
  { how: "uretprobe/PATH:FUNCTION", program: "leave", attachTo: "target_add", sees: RESULT },
  {
    how: "uprobe.s/PATH:FUNCTION",
    program: "sleepable",
    attachTo: "target_length",
    features: ["sleepableUprobes"],
    sees: { text: "n=21" },
  },
  {
    how: "attachUprobe() of a program that is not position-independent",
    program: "enter",
    target: "user_target_exec",
    attach: (program) => attachUprobe(program, { path: userProgram("user_target_exec"), symbol: "target_add" }),
    sees: CALL,
  },
  {
    how: "attachUprobe() of one process",
    program: "enter",
    attach: (program, { pid }) => attachUprobe(program, { path: PATH, symbol: "target_add", pid }),
    sees: CALL,
  },
  {
    how: "attachUprobe() through tracefs",
    program: "enter",
    attach: (program) => attachUprobe(program, { path: PATH, symbol: "target_add", mode: "tracefs" }),
    sees: CALL,
  },
  {
    how: "attachUprobe() through tracefs",
    program: "leave",
    attach: (program) => attachUprobe(program, { path: PATH, symbol: "target_add", mode: "tracefs", retprobe: true }),
    sees: RESULT,
  },
  {
    how: "attachUprobe() in the mount namespace of a process",
    program: "enter",
    attach: (program, { pid }) => attachUprobe(program, { path: PATH, rootOf: pid, symbol: "target_add" }),
    sees: CALL,
  },
  {
    how: "attachUprobe() of a weak function",
    program: "enter",
    attach: (program) => attachUprobe(program, { path: PATH, symbol: "target_weak" }),
    sees: { arguments: [21n] },
  },
];

for (const compiler of COMPILERS) {
  for (const { how, program, attachTo = "", attach, features = [], sees, target: name } of WAYS) {
    Deno.test({
      ...shows(how, `${compiler}: ${program} sees what the function is called with, or returns`),
      ...needs({ bpf: true, features, ...(how.includes("tracefs") ? { tracefs: true } : {}) }),
      async fn() {
        await using target = UserTarget.start(userProgram(name));
        await target.call(1);
        using collection = loadUser(compiler, { [program]: attachTo });
        const link = attach === undefined ? collection.attach()[0]! : attach(collection.program(program), target);
        using _ = link;
        await target.call(21);
        const { hits, tgid, ...rest } = userSeen(collection, program);
        assertEquals({ hits, tgid }, { hits: 1n, tgid: target.pid });
        for (const [field, expected] of Object.entries(sees)) {
          const seen = rest[field as keyof typeof rest];
          assertEquals(Array.isArray(expected) ? (seen as unknown[]).slice(0, expected.length) : seen, expected);
        }
        link.close();
        await target.call(21);
        assertEquals(userSeen(collection, program).hits, 1n);
      },
    });
  }

  Deno.test({
    ...shows("attachUprobe() with a cookie", `${compiler}: calls and returns have each their own`),
    ...needs({ features: ["perfCookies"] }),
    async fn() {
      await using target = UserTarget.start();
      using collection = loadUser(compiler, { enter: "", leave: "" }, { withCookie: true });
      const [enter, leave] = [collection.program("enter"), collection.program("leave")];
      using _call = attachUprobe(enter, { path: PATH, symbol: "target_add", cookie: COOKIE });
      using _other = attachUprobe(enter, { path: PATH, symbol: "target_leaf", cookie: 7n });
      using _return = attachUprobe(leave, {
        path: PATH,
        symbol: "target_add",
        retprobe: true,
        cookie: ~COOKIE & 0xffn,
      });
      await target.call(3);
      assertEquals(new Map(collection.map("by_cookie")), new Map([[COOKIE, 1n], [7n, 2n], [~COOKIE & 0xffn, 1n]]));
    },
  });
}

Deno.test({
  ...shows(
    "attachUprobe() by offset",
    "the same instruction is hit by its offset in the file, by hand and by section name",
  ),
  ...needs({ bpf: true }),
  async fn() {
    await using target = UserTarget.start();
    const offset = offsets().add;
    using collection = loadUser("clang19", { enter: `0x${offset.toString(16)}` });
    const [link] = collection.attach();
    using _ = attachUprobe(collection.program("enter"), { path: PATH, offset });
    assertEquals(link!.target, `${PATH}:0x${offset.toString(16)}`);
    await target.call(5);
    assertEquals(userSeen(collection, "enter"), { ...userSeen(collection, "enter"), hits: 2n, arguments: [5n, 10n] });
  },
});

Deno.test({
  ...shows("attachUprobe() of one process", "calls of another process of the program are not seen"),
  ...needs({ bpf: true }),
  async fn() {
    await using watched = UserTarget.start();
    await using other = UserTarget.start();
    using collection = loadUser("clang19", { enter: "" });
    using _ = attachUprobe(collection.program("enter"), { path: PATH, symbol: "target_add", pid: watched.pid });
    await other.call(1);
    assertEquals(userSeen(collection, "enter").hits, 0n);
    await watched.call(2);
    await other.call(3);
    const { hits, tgid } = userSeen(collection, "enter");
    assertEquals({ hits, tgid }, { hits: 1n, tgid: watched.pid });
  },
});

Deno.test({
  ...shows(
    "attachUprobe() of this process",
    "a library's function that this process calls, found by the library's name",
  ),
  ...needs({ bpf: true }),
  fn() {
    using collection = loadUser("clang19", { enter: "", leave: "" });
    const library = { path: "libc.so.6", symbol: "labs", pid: 0 };
    const link = attachUprobe(collection.program("enter"), library);
    using _ = link;
    using _return = attachUprobe(collection.program("leave"), { ...library, retprobe: true });
    assert(/^\/.+\/libc\.so\.6:labs$/.test(link.target), link.target);
    const libc = Deno.dlopen("libc.so.6", { labs: { parameters: ["i64"], result: "i64" } });
    assertEquals(libc.symbols.labs(-1234n), 1234n);
    libc.close();
    const enter = userSeen(collection, "enter");
    assertEquals([enter.hits, enter.arguments[0], enter.tgid], [1n, -1234n, Deno.pid]);
    assertEquals(userSeen(collection, "leave").result, 1234n);
  },
});

for (const mode of ["perf", "tracefs"] as const) {
  Deno.test({
    ...shows("attachUprobe() with a counter", `${mode}: the program's 16-bit counter is 1 more while it is attached`),
    ...needs({ bpf: true, tracefs: true }),
    async fn() {
      await using target = UserTarget.start();
      using collection = loadUser("clang19", { enter: "" });
      assertEquals(await target.call(1), 0);
      const options = { path: PATH, symbol: "target_add", refCtrOffset: offsets().semaphore, mode };
      using link = attachUprobe(collection.program("enter"), options);
      assertEquals(await target.call(2), 1);
      link.close();
      assertEquals(await target.call(3), 0);
      assertEquals(userSeen(collection, "enter").hits, 1n);
    },
  });
}

Deno.test({
  ...shows(
    "attachUprobe() in the mount namespace of a process",
    "a file that only the process sees, also by links there",
  ),
  ...needs({ bpf: true, program: "unshare" }),
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      const script = `mount -t tmpfs none ${folder} && mkdir ${folder}/real && cp ${PATH} ${folder}/real/prog &&
        ln -s ${folder}/real ${folder}/absolute && ln -s absolute/prog ${folder}/link && exec ${folder}/link`;
      await using target = UserTarget.start(PATH, "unshare", ["-m", "sh", "-c", script]);
      await target.call(1);
      const real = `${folder}/real/prog`;
      for (const path of [real, `${folder}/link`, `/proc/${target.pid}/root${real}`]) {
        using collection = loadUser("clang19", { enter: "" });
        const rootOf = path.startsWith("/proc") ? undefined : target.pid;
        using link = attachUprobe(collection.program("enter"), { path, rootOf, symbol: "target_add" });
        assertEquals(link.target, `/proc/${target.pid}/root${real}:target_add`);
        await target.call(4);
        assertEquals(userSeen(collection, "enter").arguments, [4n, 8n]);
      }
      assert(!sys.exists(real));
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test({
  ...shows(
    "attachUprobe() by the debug file",
    "functions of a stripped program, by its build id's file and by debuglink",
  ),
  ...needs({ bpf: true, program: "objcopy" }),
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      const [stripped, debug] = [join(folder, "prog"), join(folder, "prog.debug")];
      command("objcopy", "--only-keep-debug", PATH, debug);
      command("objcopy", "--strip-all", PATH, stripped);
      command("objcopy", `--add-gnu-debuglink=${debug}`, stripped);
      await Deno.mkdir(join(folder, ".debug"));
      await Deno.rename(debug, join(folder, ".debug", "prog.debug"));
      await using target = UserTarget.start(stripped);
      using collection = loadUser("clang19", { enter: "" });
      using link = attachUprobe(collection.program("enter"), { path: stripped, symbol: "target_add" });
      await target.call(9);
      assertEquals(userSeen(collection, "enter").arguments, [9n, 18n]);
      link.close();
      await target.call(9);
      assertEquals(userSeen(collection, "enter").hits, 1n);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test({
  ...shows("attachUprobe() by the debug file", "by the build id, in the mount namespace of the process"),
  ...needs({ bpf: true, program: "objcopy" }),
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      const id = Executable.parse(Deno.readFileSync(PATH)).buildId!;
      const debugFolder = `/usr/lib/debug/.build-id/${id.slice(0, 2)}`;
      const [stripped, debug] = [join(folder, "prog"), join(folder, "prog.debug")];
      command("objcopy", "--only-keep-debug", PATH, debug);
      command("objcopy", "--strip-all", PATH, stripped);
      const script = `mkdir -p /usr/lib/debug && mount -t tmpfs none /usr/lib/debug && mkdir -p ${debugFolder} &&
        cp ${debug} ${debugFolder}/${id.slice(2)}.debug && exec ${stripped}`;
      await using target = UserTarget.start(stripped, "unshare", ["-m", "sh", "-c", script]);
      await target.call(1);
      using collection = loadUser("clang19", { enter: "" });
      const options = { path: stripped, symbol: "target_add" };
      assertThrows(() => attachUprobe(collection.program("enter"), options), UserFunctionError, "stripped");
      using _ = attachUprobe(collection.program("enter"), { ...options, rootOf: target.pid });
      await target.call(9);
      assertEquals(userSeen(collection, "enter").arguments, [9n, 18n]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test({
  ...shows(
    "attachUprobe() of a versioned function",
    "each version of a library's function is found by its name, the default without",
  ),
  ...needs({ bpf: true, program: "gcc" }),
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      const [source, script, library] = [join(folder, "lib.c"), join(folder, "map"), join(folder, "libversioned.so")];
      await Deno.writeTextFile(
        source,
        `__asm__(".symver old, versioned@V1"); __asm__(".symver new, versioned@@V2");
         long old(long n) { return n + 1; } long new(long n) { return n + 2; } long call_old(long n) { return old(n); }`,
      );
      await Deno.writeTextFile(script, "V1 { global: versioned; call_old; local: *; }; V2 { global: versioned; } V1;");
      command("gcc", "-O1", "-fno-inline", "-shared", "-fPIC", `-Wl,--version-script=${script}`, "-o", library, source);
      const symbols = { versioned: { parameters: ["i64"], result: "i64" } } as const;
      const lib = Deno.dlopen(library, { ...symbols, call_old: symbols.versioned });
      using collection = loadUser("clang19", { enter: "" });
      const hits = (symbol: string) => {
        const before = userSeen(collection, "enter").hits;
        using _ = attachUprobe(collection.program("enter"), { path: library, symbol });
        assertEquals([lib.symbols.versioned(1n), lib.symbols.call_old(10n)], [3n, 11n]);
        return [Number(userSeen(collection, "enter").hits - before), userSeen(collection, "enter").arguments[0]];
      };
      assertEquals(hits("versioned"), [1, 1n]);
      assertEquals(hits("versioned@@V2"), [1, 1n]);
      assertEquals(hits("versioned@V2"), [1, 1n]);
      assertEquals(hits("versioned@V1"), [1, 10n]);
      lib.close();
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
