/**
 * Programs on many functions of a user program by one link: by pattern, by names with a cookie for each, by offsets; when they
 * are called, when they return, and both.
 */
import { assertEquals } from "@std/assert";
import { attachUprobeMulti } from "../../mod.ts";
import { Executable } from "../../lib/elf/mod.ts";
import { needs, shows } from "../support/mod.ts";
import { userProgram, UserTarget } from "../support/user_target.ts";
import { COMPILERS } from "./support.ts";
import { loadUser, userSeen } from "./user_support.ts";

const PATH = userProgram();

for (const compiler of COMPILERS) {
  Deno.test({
    ...shows("uprobe.multi/PATH:PATTERN", `${compiler}: each call of a function whose name matches, and no other`),
    ...needs({ features: ["uprobeMulti"] }),
    async fn() {
      await using target = UserTarget.start();
      using collection = loadUser(compiler, { multi: "target_l*" });
      const [link] = collection.attach();
      assertEquals([link!.kind, link!.target], ["uprobe_multi", `${PATH}:target_l*`]);
      await target.call(21);
      // target_length once, target_leaf for 21 and 22.
      assertEquals(userSeen(collection, "multi").hits, 3n);
      assertEquals(userSeen(collection, "multi").arguments[0], 22n);
      link!.close();
      await target.call(21);
      assertEquals(userSeen(collection, "multi").hits, 3n);
    },
  });

  Deno.test({
    ...shows("uretprobe.multi/PATH:PATTERN", `${compiler}: what the functions return`),
    ...needs({ features: ["uprobeMulti"] }),
    async fn() {
      await using target = UserTarget.start();
      using collection = loadUser(compiler, { multi_ret: "target_?dd" });
      assertEquals(collection.attach().map(({ kind }) => kind), ["uretprobe_multi"]);
      await target.call(21);
      const { hits, result, tgid } = userSeen(collection, "multi_ret");
      assertEquals({ hits, result, tgid }, { hits: 1n, result: 63n, tgid: target.pid });
    },
  });

  Deno.test({
    ...shows("uprobe.session/PATH:PATTERN", `${compiler}: each call twice: when it begins and when it ends`),
    ...needs({ features: ["uprobeSession"] }),
    async fn() {
      await using target = UserTarget.start();
      using collection = loadUser(compiler, { session: "target_le*" });
      assertEquals(collection.attach().map(({ kind }) => kind), ["uprobe_session"]);
      await target.call(21);
      const { hits, tgid } = userSeen(collection, "session");
      assertEquals({ hits, tgid }, { hits: 6n, tgid: target.pid });
    },
  });

  Deno.test({
    ...shows("attachUprobeMulti() by names", `${compiler}: each function with its cookie`),
    ...needs({ features: ["uprobeMulti"] }),
    async fn() {
      await using target = UserTarget.start();
      using collection = loadUser(compiler, { multi: "" }, { withCookie: true });
      using link = attachUprobeMulti(collection.program("multi"), {
        path: PATH,
        symbols: ["target_leaf", "target_add", "target_weak"],
        cookies: [11n, 22n, 1n << 63n],
      });
      await target.call(3);
      assertEquals(new Map(collection.map("by_cookie")), new Map([[11n, 2n], [22n, 1n], [1n << 63n, 1n]]));
      assertEquals(link.target, `${PATH}:target_leaf,target_add,target_weak`);
    },
  });
}

Deno.test({
  ...shows("attachUprobeMulti() by offsets", "functions at offsets in the file, one cookie for all"),
  ...needs({ features: ["uprobeMulti"] }),
  async fn() {
    await using target = UserTarget.start();
    const executable = Executable.parse(Deno.readFileSync(PATH));
    const offsets = ["target_add", "target_twice"].map((name) =>
      executable.fileOffset(executable.functions!.named(name)[0]!.address)!
    );
    using collection = loadUser("clang19", { multi: "" }, { withCookie: true });
    using _ = attachUprobeMulti(collection.program("multi"), { path: PATH, offsets, cookie: 5n });
    await target.call(3);
    assertEquals(new Map(collection.map("by_cookie")), new Map([[5n, 2n]]));
  },
});

Deno.test({
  ...shows("attachUprobeMulti() of one process", "calls of another process of the program are not seen"),
  ...needs({ features: ["uprobeMultiPid"] }),
  async fn() {
    await using watched = UserTarget.start();
    await using other = UserTarget.start();
    using collection = loadUser("clang19", { multi: "" });
    const options = { path: PATH, pattern: "target_add", pid: watched.pid };
    using _ = attachUprobeMulti(collection.program("multi"), options);
    await other.call(1);
    await watched.call(2);
    await other.call(3);
    const { hits, tgid } = userSeen(collection, "multi");
    assertEquals({ hits, tgid }, { hits: 1n, tgid: watched.pid });
  },
});
