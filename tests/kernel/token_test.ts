import { assertEquals } from "@std/assert";
import { inRepository, needs } from "../support/mod.ts";
import { CREATE, fsconfig, SET_STRING, takeFd } from "./mount_calls.ts";

Deno.test({
  name: "with a token, a process of a user namespace makes maps and programs that it may not make without",
  ...needs({ bpf: true, features: ["tokens"], program: "unshare" }),
  async fn() {
    const script = inRepository("tests", "kernel", "token_child.ts");
    const object = inRepository("testdata", "clang19", "truth.bpf.o");
    const child = new Deno.Command("unshare", {
      args: ["-U", "-r", "-m", Deno.execPath(), "run", "-A", script, object],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    const next = async (): Promise<Record<string, unknown>> => JSON.parse((await lines.read()).value ?? "{}");
    const { pid, context } = await next();
    const own = takeFd(pid as number, context as number);
    for (const what of ["cmds", "maps", "progs", "attachs"]) fsconfig(own, SET_STRING, `delegate_${what}`, "any");
    fsconfig(own, CREATE, null, null);
    const writer = child.stdin.getWriter();
    await writer.write(new Uint8Array(1));
    await writer.close();
    assertEquals(await next(), { without: ["EPERM", "EPERM"], with: ["done", "done"] });
    await lines.cancel();
    assertEquals((await child.status).code, 0);
  },
});
