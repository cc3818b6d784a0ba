/**
 * What is said of kernel functions that a program cannot be attached to: which kind of mistake it is, and the nearest names.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  attachKprobe,
  attachKprobeMulti,
  attachKsyscall,
  BtfKind,
  explainFunction,
  findKernelSymbols,
  hostBtf,
  KernelFunctionError,
  type KernelFunctionProblem,
  selectKernelSymbols,
} from "../../mod.ts";
import { needs } from "../support/mod.ts";
import { loadTracer } from "./attach_support.ts";

/** Names of functions, and how often each occurs. */
function functionNames(): Map<string, number> {
  const names = new Map<string, number>();
  for (const { name, module } of selectKernelSymbols((_, type) => "tT".includes(type))) {
    if (module === undefined) names.set(name, (names.get(name) ?? 0) + 1);
  }
  return names;
}

function explain(name: string): KernelFunctionError | undefined {
  return explainFunction(`program "p"`, { module: undefined, name, offset: 0 }, "kprobe");
}

function assertProblem(error: unknown, problem: KernelFunctionProblem): KernelFunctionError {
  assert(error instanceof KernelFunctionError, String(error));
  assertEquals(error.problem, problem, error.message);
  assert(error.message.startsWith(`program "`), error.message);
  return error;
}

Deno.test({
  name: "explainFunction() of a name that the kernel lacks gives the nearest names",
  ...needs({ ffi: true, root: true }),
  fn: () => {
    const error = assertProblem(explain("vfs_fallocat"), "missing");
    assertEquals(error.candidates[0], "vfs_fallocate");
    assert(error.message.includes(`no function "vfs_fallocat"; names that are close: "vfs_fallocate"`), error.message);
    assertEquals(explain("vfs_fallocate"), undefined);
  },
});

Deno.test({
  name: "explainFunction() of a name that the compiler has appended something to gives what there is, and why",
  ...needs({ ffi: true, root: true }),
  fn: () => {
    const names = functionNames();
    for (
      const [suffix, why] of [["isra", "arguments were changed"], ["constprop", "constant arguments"], ["cold", ""]]
    ) {
      const variant = [...names.keys()].find((name) =>
        new RegExp(`^[a-z]\\w+\\.${suffix}(\\.0)?$`).test(name) && !names.has(name.split(".")[0]!)
      );
      // Which of them a kernel has depends on its compiler.
      if (variant === undefined) continue;
      const error = assertProblem(explain(variant.split(".")[0]!), "renamed");
      assert(error.candidates.includes(variant), `${error.candidates}`);
      assert(error.message.includes(why!) && error.message.includes(`"${error.candidates[0]}"`), error.message);
    }
  },
});

Deno.test({
  name: "explainFunction() of a name that several functions have gives their addresses",
  ...needs({ ffi: true, root: true }),
  fn: () => {
    const [name, count] = [...functionNames()].find(([name, count]) => count === 2 && /^[a-z]\w+$/.test(name))!;
    const error = assertProblem(explain(name), "ambiguous");
    assert(error.message.includes(`${count} functions "${name}": 0x`), error.message);
    assert(error.message.includes("by its address"));
  },
});

Deno.test({
  name: "a kprobe by a name that several functions have is refused; by address it is attached",
  ...needs({ bpf: true, btf: true, features: ["kprobes"] }),
  fn: () => {
    using collection = loadTracer("clang19", ["on_kprobe"]);
    const program = collection.program("on_kprobe");
    const name = [...functionNames()].find(([name, count]) => count === 2 && /^[a-z]\w+_show$/.test(name))![0];
    assertProblem(assertThrows(() => attachKprobe(program, { function: name })), "ambiguous");
    const { address } = findKernelSymbols([name]).get(name)![0]!;
    attachKprobe(program, { address }).close();
  },
});

Deno.test({
  name: "a function that kprobes keep off is told from one that is not there",
  ...needs({ bpf: true, btf: true, features: ["kprobes"] }),
  fn: () => {
    using collection = loadTracer("clang19", ["on_kprobe"]);
    const program = collection.program("on_kprobe");
    const black = Deno.readTextFileSync("/sys/kernel/debug/kprobes/blacklist").split("\n")
      .map((line) => line.split(/\s+/)[1] ?? "");
    const names = functionNames();
    const name = black.find((name) => /^[a-z]\w+$/.test(name) && names.get(name) === 1)!;
    const error = assertProblem(assertThrows(() => attachKprobe(program, { function: name })), "untraceable");
    assert(/kprobes keep off it/.test(error.message), error.message);
    assertProblem(assertThrows(() => attachKprobe(program, { function: "vfs_fallocat" })), "missing");
    const list = { function: ["no_such_function", "nor_this_one"] };
    const none = assertProblem(assertThrows(() => attachKprobe(program, list)), "missing");
    assert(none.message.includes("none of no_such_function, nor_this_one"), none.message);
  },
});

Deno.test({
  name: "kprobe offsets: inside an instruction, of a return probe, and forms that are none",
  ...needs({ bpf: true, btf: true, features: ["kprobes"] }),
  fn: () => {
    using collection = loadTracer("clang19", ["on_kprobe"]);
    const program = collection.program("on_kprobe");
    const attach = (name: string, retprobe = false) => attachKprobe(program, { function: name, retprobe });
    assertThrows(() => attach("vfs_fallocate+1"), Error, "vfs_fallocate+0x1");
    assertThrows(() => attach("vfs_fallocate+4", true), TypeError, "return probe");
    assertThrows(() => attach("vfs_fallocate+x"), Error, "FUNCTION+OFFSET");
    assertThrows(() => attachKprobe(program, {}), TypeError, "give the function");
  },
});

Deno.test({
  name: "kprobe.multi and ksyscall: what is wrong with a name, and a pattern that matches nothing",
  ...needs({ bpf: true, btf: true, tracefs: true, features: ["kprobeMulti"] }),
  fn: () => {
    using collection = loadTracer("clang19", ["on_kprobe_multi", "on_ksyscall"]);
    const program = collection.program("on_kprobe_multi");
    const functions = ["vfs_fallocate", "vfs_fallocat"];
    const error = assertProblem(assertThrows(() => attachKprobeMulti(program, { functions })), "missing");
    assertEquals(error.function, "vfs_fallocat");
    assertThrows(() => attachKprobeMulti(program, { pattern: "no_such_*" }), Error, `matches "no_such_*"`);
    assertThrows(
      () => attachKprobeMulti(program, { functions, cookies: [1n] }),
      TypeError,
      "1 cookies for 2 functions",
    );
    const call = assertThrows(() => attachKsyscall(collection.program("on_ksyscall"), { syscall: "getpgidd" }));
    assertEquals(assertProblem(call, "missing").candidates[0], "getpgid");
  },
});

Deno.test({
  name: "fentry of a function that the kernel lacks, and of one that cannot be traced, fails at load with the reason",
  ...needs({ bpf: true, btf: true }),
  fn: () => {
    const load = (name: string) => () => loadTracer("clang19", ["on_fentry"], { attachTo: { on_fentry: name } });
    const error = assertProblem(assertThrows(load("vfs_fallocat")), "missing");
    assertEquals(error.candidates[0], "vfs_fallocate");
    const lsm = () => loadTracer("clang19", ["on_lsm"], { attachTo: { on_lsm: "inode_mkdirr" } });
    assertThrows(lsm, Error, `no LSM hook for programs "inode_mkdirr"; names that are close: "inode_mkdir"`);
    const tracepoint = () => loadTracer("clang19", ["on_tp_btf"], { attachTo: { on_tp_btf: "sys_entr" } });
    assertThrows(tracepoint, Error, `no tracepoint "sys_entr"; names that are close: "sys_enter"`);
  },
});

Deno.test({
  name: "fentry of a function that cannot be traced says so",
  ...needs({ bpf: true, btf: true, tracefs: true, features: ["fentry"] }),
  fn: () => {
    const traceable = Deno.readTextFileSync("/sys/kernel/tracing/available_filter_functions").split("\n");
    const listed = new Set(traceable.map((line) => line.split(" ")[0]));
    const btf = hostBtf();
    const names = functionNames();
    const name = [...names.keys()].find((name) =>
      names.get(name) === 1 && !listed.has(name) && /^[a-z]\w+$/.test(name) &&
      btf.findIds(name, BtfKind.Func).length === 1
    )!;
    const attachTo = { on_any: name };
    const attach = () => {
      using collection = loadTracer("clang19", ["on_any"], { attachTo });
      collection.attach();
    };
    assertProblem(assertThrows(attach), "untraceable");
  },
});
