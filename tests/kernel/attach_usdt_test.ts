/**
 * Programs on USDT probes of a user program: the values of arguments in registers, in memory, in constants; probes at
 * several places; semaphores; cookies; and what is written into the maps of libbpf's usdt.bpf.h.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  attachUprobe,
  attachUprobeMulti,
  attachUsdt,
  type Collection,
  sys,
  UnsupportedError,
  UserFunctionError,
} from "../../mod.ts";
import { needs, openFds, shows } from "../support/mod.ts";
import { userProgram, UserTarget } from "../support/user_target.ts";
import { COMPILERS } from "./support.ts";
import { loadUsdt, loadUser, usdtSeen, type UserProgramName } from "./user_support.ts";

const PATH = userProgram();
/** Its addresses are the same in each process: enough for kernels without cookies. */
const EXEC = userProgram("user_target_exec");
const X86 = Deno.build.arch === "x86_64";

/** Kernels before 5.15 have no cookies: programs are found by their address, for a process that is named. */
const needsCookies = needs({ features: ["perfCookies"] });

/** The first elements of the specs map that are in use, by number. */
function specs(collection: Collection, count: number): { args: unknown[]; arg_cnt: number; usdt_cookie: bigint }[] {
  const map = collection.map("__bpf_usdt_specs");
  return Array.from({ length: count }, (_, id) => map.get(id) as never);
}

for (const compiler of COMPILERS) {
  Deno.test({
    ...shows("usdt/PATH:PROVIDER:NAME", `${compiler}: arguments in registers, memory and constants, signed and not`),
    ...needs({ bpf: true }),
    async fn() {
      await using target = UserTarget.start(EXEC);
      using collection = loadUsdt(compiler, { first: `${EXEC}:user:simple`, second: `${EXEC}:user:empty` });
      const links = collection.attach();
      assertEquals(links.map(({ kind, target }) => [kind, target]), [
        ["usdt", `${EXEC}:user:simple`],
        ["usdt", `${EXEC}:user:empty`],
      ]);
      await target.call(-3);
      const { hits, count, args, tgid } = usdtSeen(collection, "first");
      assertEquals({ hits, count, tgid }, { hits: 1n, count: 4n, tgid: target.pid });
      assertEquals(args.slice(0, 4), [-3n, -6n, -7n, 253n]);
      assertEquals([usdtSeen(collection, "second").hits, usdtSeen(collection, "second").count], [1n, 0n]);
      for (const link of links) link.close();
      await target.call(5);
      assertEquals(usdtSeen(collection, "first").hits, 1n);
    },
  });

  Deno.test({
    ...shows("usdt.s/PATH:PROVIDER:NAME", `${compiler}: the same in a program that may sleep`),
    ...needs({ features: ["sleepableUprobes"] }),
    async fn() {
      await using target = UserTarget.start(EXEC);
      using collection = loadUsdt(compiler, { sleepable: `${EXEC}:user:simple` });
      collection.attach();
      await target.call(100);
      assertEquals(usdtSeen(collection, "sleepable").args.slice(0, 4), [100n, 200n, -7n, 100n]);
    },
  });

  Deno.test({
    ...shows(
      "attachUsdt() of several places",
      `${compiler}: every place with its own arguments; equal ones share a spec`,
    ),
    ...needs({ bpf: true }),
    async fn() {
      await using target = UserTarget.start(EXEC);
      using collection = loadUsdt(compiler, { first: "" });
      const options = { path: EXEC, provider: "user", name: "many", cookie: 0xabcn };
      using link = attachUsdt(collection.program("first"), options);
      await target.call(10);
      const { hits, sum, cookie } = usdtSeen(collection, "first");
      // n, n + 1, 5, n
      assertEquals({ hits, sum, cookie }, { hits: 4n, sum: 36n, cookie: 0xabcn });
      const [first, second, third, unused] = specs(collection, 4);
      for (const spec of [first, second, third]) assertEquals([spec!.arg_cnt, spec!.usdt_cookie], [1, 0xabcn]);
      assertEquals([unused!.arg_cnt, unused!.usdt_cookie], [0, 0n]);
      link.close();
      // Numbers of specs are free again: the map has 16 elements.
      for (let i = 0; i < 20; i++) attachUsdt(collection.program("first"), options).close();
    },
  });

  Deno.test({
    ...shows(
      "attachUsdt() with a semaphore",
      `${compiler}: it is 1 while a program is attached, and 0 before and after`,
    ),
    ...needsCookies,
    async fn() {
      await using target = UserTarget.start();
      assertEquals(await target.call(1), 0);
      using collection = loadUsdt(compiler, { first: "", second: "" });
      const options = { path: PATH, provider: "user", name: "counted" };
      const first = attachUsdt(collection.program("first"), options);
      assertEquals(await target.call(-2), 1);
      // The kernel counts places that are watched, not those who watch.
      using second = attachUsdt(collection.program("second"), options);
      first.close();
      assertEquals(await target.call(-5), 1);
      second.close();
      assertEquals(await target.call(4), 0);
      assertEquals([usdtSeen(collection, "first").sum, usdtSeen(collection, "second").sum], [-2n, -5n]);
    },
  });
}

for (const compiler of COMPILERS) {
  Deno.test({
    ...shows(
      "attachUsdt() of an object of before libbpf 1.7",
      `${compiler}: specs have the layout of the object's own struct`,
    ),
    ...needsCookies,
    async fn() {
      await using target = UserTarget.start();
      using collection = loadUsdt(compiler, { first: "user:simple", second: "" }, "usdt_old");
      collection.attach();
      await target.call(-9);
      assertEquals(usdtSeen(collection, "first").args.slice(0, 4), [-9n, -18n, -7n, 247n]);
      if (!X86) return;
      const indexed = { path: PATH, provider: "user", name: "indexed" };
      const words = "build the object with usdt.bpf.h of libbpf 1.7 or newer";
      assertThrows(() => attachUsdt(collection.program("second"), indexed), UnsupportedError, words);
    },
  });
}

Deno.test({
  ...shows("attachUsdt() of an indexed argument", "memory at the sum of two registers"),
  ...(X86 ? needsCookies : { ignore: true }),
  async fn() {
    await using target = UserTarget.start();
    using collection = loadUsdt("clang19", { first: "user:indexed" });
    collection.attach();
    for (const [n, value] of [[0, 100n], [1, 200n], [6, 300n], [3, 400n]] as const) {
      await target.call(n);
      assertEquals(usdtSeen(collection, "first").args[0], value);
    }
  },
});

for (const name of ["user_target", "user_target_exec"] as const) {
  Deno.test({
    ...shows(
      "attachUsdt() of one process",
      `${name}: another process of the program is not seen; its pid is enough on any kernel`,
    ),
    ...needs({ bpf: true }),
    async fn() {
      const path = userProgram(name);
      await using watched = UserTarget.start(path);
      await using other = UserTarget.start(path);
      await watched.call(1);
      using collection = loadUsdt("clang19", { first: "" });
      const options = { path, provider: "user", name: "many", pid: watched.pid };
      using link = attachUsdt(collection.program("first"), options);
      await other.call(100);
      await watched.call(7);
      await other.call(100);
      const { hits, sum, tgid } = usdtSeen(collection, "first");
      assertEquals({ hits, sum, tgid }, { hits: 4n, sum: 27n, tgid: watched.pid });
      link.close();
      await watched.call(8);
      assertEquals(usdtSeen(collection, "first").hits, 4n);
      assertEquals([...collection.map("__bpf_usdt_ip_to_spec_id")], []);
    },
  });
}

Deno.test({
  name: "attachUsdt() gives the numbers of specs back, and reuses those of closed attachments only",
  ...needsCookies,
  fn() {
    using collection = loadUsdt("clang19", { first: "", second: "" });
    const attach = (name: string, cookie: bigint) =>
      attachUsdt(collection.program("first"), { path: PATH, provider: "user", name, cookie });
    const simple = attach("simple", 1n);
    using _many = attach("many", 2n);
    assertEquals(specs(collection, 4).map((spec) => spec.usdt_cookie), [1n, 2n, 2n, 2n]);
    simple.close();
    using _counted = attach("counted", 3n);
    using _empty = attach("empty", 4n);
    assertEquals(specs(collection, 5).map((spec) => spec.usdt_cookie), [3n, 2n, 2n, 2n, 4n]);
    assert(specs(collection, 6)[5]!.arg_cnt === 0);
  },
});

Deno.test({
  name: "attachUsdt() does not reuse the specs of a link that is pinned",
  ...needs({ bpffs: true, features: ["uprobeMultiPid"] }),
  async fn() {
    const path = `/sys/fs/bpf/debpf-usdt-${Deno.pid}`;
    await using target = UserTarget.start();
    using collection = loadUsdt("clang19", { first: "", second: "" });
    const probe = { path: PATH, provider: "user" };
    const pinned = attachUsdt(collection.program("first"), { ...probe, name: "simple" });
    pinned.pin(path);
    try {
      pinned.close();
      using _ = attachUsdt(collection.program("second"), { ...probe, name: "counted" });
      await target.call(11);
      assertEquals(usdtSeen(collection, "first").args.slice(0, 4), [11n, 22n, -7n, 11n]);
    } finally {
      sys.unlink(path);
    }
  },
});

Deno.test({
  name: "attaching to USDT probes and user functions: what is wrong is said in one sentence, and nothing stays open",
  ...needs({ bpf: true }),
  fn() {
    const message = (action: () => unknown, error: new (...args: never[]) => Error = Error): string =>
      (assertThrows(action, error) as Error).message;
    using collection = loadUsdt("clang19", { first: "", second: "" });
    const program = collection.program("first");
    const attach = (provider: string, name: string, path = PATH) => () => attachUsdt(program, { path, provider, name });
    using user = loadUser("clang19", { enter: "", leave: "" });
    const before = openFds().size;
    assertEquals(
      message(attach("user", "simpel"), UserFunctionError),
      `program "first": "${PATH}": probe "user:simpel" is not there: there is user:simple`,
    );
    assertEquals(
      message(attach("other", "thing"), UserFunctionError),
      `program "first": "${PATH}": probe "other:thing" is not there: it has 5 other probes`,
    );
    assert(message(attach("a", "b", "sh"), UserFunctionError).endsWith("it has no USDT probes"));
    assert(
      message(() => attachUsdt(program, { path: PATH, provider: "user", name: "many", pid: 0x3fff_ffff }))
        .includes("there is no process 1073741823"),
    );
    const enter = user.program("enter");
    assertEquals(
      message(() => attachUsdt(enter, { path: PATH, provider: "user", name: "many" }), UnsupportedError),
      'program "enter": its object has no map "__bpf_usdt_specs": include bpf/usdt.bpf.h',
    );
    assert(
      message(() => attachUprobe(enter, { path: PATH, symbol: "target_add", pid: 0x3fff_ffff }))
        .includes("there is no process 1073741823"),
    );
    assert(
      message(() => attachUprobeMulti(enter, { path: PATH, pattern: "*" }), TypeError).includes("for one function"),
    );
    assert(
      message(() => attachUprobe(enter, { path: PATH, symbol: "main", offset: 4, retprobe: true }), TypeError)
        .includes('"main" can have no offset'),
    );
    assertEquals(openFds().size, before);
  },
});

Deno.test({
  name: "section names of user functions that say too little are refused",
  ...needs({ bpf: true }),
  fn() {
    const cases: [UserProgramName, string, string][] = [
      ["enter", "/bin/sh", "it has to be uprobe/PATH:FUNCTION"],
      ["enter", "/bin/sh:", "it has to be uprobe/PATH:FUNCTION"],
      ["enter", `${PATH}:target_add+0xz`, '"0xz" is not an offset'],
      ["leave", `${PATH}:target_add+4`, '"target_add" can have no offset'],
      ["enter", `${PATH}:0x10000000`, "the offset 0x10000000 is not in its code"],
    ];
    for (const [name, target, words] of cases) {
      using collection = loadUser("clang19", { [name]: target });
      assertThrows(() => collection.attach(), Error, words);
    }
    using collection = loadUsdt("clang19", { first: `${PATH}:user` });
    assertThrows(() => collection.attach(), Error, "it has to be usdt/PATH:PROVIDER:NAME");
  },
});
