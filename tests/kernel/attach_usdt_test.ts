/**
 * Programs on USDT probes of a user program: the values of arguments in registers, in memory, in constants; probes at
 * several places; semaphores; cookies; and what is written into the maps of libbpf's usdt.bpf.h.
 */
import { assert, assertEquals } from "@std/assert";
import { attachUsdt, type Collection } from "../../mod.ts";
import { needs, shows } from "../support/mod.ts";
import { userProgram, UserTarget } from "../support/user_target.ts";
import { COMPILERS } from "./support.ts";
import { loadUsdt, usdtSeen } from "./user_support.ts";

const PATH = userProgram();
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
    ...needsCookies,
    async fn() {
      await using target = UserTarget.start();
      using collection = loadUsdt(compiler, { first: "user:simple", second: "user:empty" });
      const links = collection.attach();
      assertEquals(links.map(({ kind, target }) => [kind, target]), [
        ["usdt", `${PATH}:user:simple`],
        ["usdt", `${PATH}:user:empty`],
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
    ...needs({ features: ["perfCookies", "sleepableUprobes"] }),
    async fn() {
      await using target = UserTarget.start();
      using collection = loadUsdt(compiler, { sleepable: "user:simple" });
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
    ...needsCookies,
    async fn() {
      await using target = UserTarget.start();
      using collection = loadUsdt(compiler, { first: "" });
      const options = { path: PATH, provider: "user", name: "many", cookie: 0xabcn };
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

for (const name of ["user_target", "user_target_exec"]) {
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
