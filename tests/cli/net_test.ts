/**
 * `debpf net` and `debpf cgroup`, beside bpftool's answers to the same questions.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  attachCgroup,
  attachNetfilter,
  attachTc,
  attachTcx,
  attachXdp,
  type Hook,
  queryHook,
} from "../../ffi/attach/mod.ts";
import * as sys from "../../ffi/sys/mod.ts";
import { BpfAttachType } from "../../lib/uapi/mod.ts";
import { NetworkPrograms } from "../kernel/network.ts";
import { objectSpec } from "../kernel/support.ts";
import { Collection } from "../../ffi/collection/mod.ts";
import { TestCgroup } from "../support/cgroup.ts";
import { type Finished, inRepository, needs } from "../support/mod.ts";
import { inNetns } from "../support/net.ts";

/** Runs a program in the network namespace of this thread. */
function runHere(command: string, args: string[]): Finished {
  const { code, stdout, stderr } = new Deno.Command(command, { args, env: { NO_COLOR: "1" } }).outputSync();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

function debpf(...args: string[]): Finished {
  return runHere(Deno.execPath(), ["run", "--no-check", "--no-prompt", "--allow-ffi", inRepository("cli.ts"), ...args]);
}

function json(finished: Finished): unknown {
  assertEquals([finished.code, finished.stderr], [0, ""]);
  return JSON.parse(finished.stdout);
}

Deno.test({
  name: "debpf net show -j lists what bpftool lists, and tcx and netfilter",
  ...needs({ peer: "bpftool", features: ["clsact", "tcx", "netfilterLinks"] }),
  fn: () =>
    inNetns(() => {
      using programs = new NetworkPrograms("clang19", "xdp_count", "classify", "tcx_first", "dissect", "filter_hook");
      using _xdp = attachXdp(programs.program("xdp_count"), { interface: "lo", mode: "generic" });
      using _tc = attachTc(programs.program("classify"), { interface: "lo", direction: "egress", classic: true });
      const [theirs] = json(runHere("bpftool", ["-j", "net", "show"])) as Record<string, unknown>[];
      const [ours] = json(debpf("-j", "net", "show")) as Record<string, unknown>[];
      for (const part of ["xdp", "tc", "flow_dissector"]) assertEquals(ours![part], theirs![part], part);
      using tcx = attachTcx(programs.program("tcx_first"), { interface: "lo" });
      using nf = attachNetfilter(programs.program("filter_hook"), { family: "ipv4", hook: "output", priority: 77 });
      const [all] = json(debpf("-j", "net", "show", "dev", "lo")) as [Record<string, object[]>];
      assertEquals(all["tc"]![0], {
        devname: "lo",
        ifindex: 1,
        kind: "tcx/ingress",
        name: "tcx_first",
        prog_id: programs.program("tcx_first").id,
        prog_flags: [],
        link_id: tcx.id,
        link_flags: [],
      });
      const { progId: id } = nf.info();
      const found = all["netfilter"]!.find((one) => "id" in one && one.id === id);
      assertEquals(found, { pf: 2, hook: 3, prio: 77, flags: 0, id });
      const text = debpf("net").stdout;
      assertStringIncludes(text, `lo(1) generic id ${programs.program("xdp_count").id}\n`);
      assertStringIncludes(text, `lo(1) clsact/egress classify id ${programs.program("classify").id}\n`);
    }),
});

Deno.test({
  name: "debpf net attach and detach: programs stay, others are refused or overwritten",
  ...needs({ features: ["tcx"] }),
  fn: () =>
    inNetns(() => {
      using programs = new NetworkPrograms("clang19", "xdp_count", "xdp_other", "tcx_first");
      const [count, other, tcx] = ["xdp_count", "xdp_other", "tcx_first"].map((name) =>
        String(programs.program(name).id)
      );
      const generic = () => String(sys.networkDevice("lo").xdp.generic);
      assertEquals(debpf("net", "attach", "xdpgeneric", "id", count!, "dev", "lo"), {
        code: 0,
        stdout: "",
        stderr: "",
      });
      assertEquals(generic(), count);
      const refused = debpf("net", "attach", "xdpgeneric", "id", other!, "dev", "lo");
      assertEquals([refused.code, generic()], [1, count]);
      assertEquals(debpf("net", "attach", "xdpgeneric", "id", other!, "dev", "lo", "overwrite").code, 0);
      assertEquals(generic(), other);
      assertEquals(debpf("net", "detach", "xdpgeneric", "dev", "lo").code, 0);
      assertEquals(generic(), "0");
      const listed = () =>
        sys.progQuery({ targetIfindex: 1, attachType: BpfAttachType.BPF_TCX_EGRESS }).progIds.join(" ");
      assertEquals(debpf("net", "attach", "tcx_egress", "id", tcx!, "dev", "lo").code, 0);
      assertEquals(listed(), tcx);
      assertEquals(debpf("net", "detach", "tcx_egress", "dev", "lo").code, 0);
      assertEquals(listed(), "");
      const missing = debpf("net", "attach", "xdp", "id", count!, "dev", "eth7");
      assertEquals([missing.code, missing.stderr.includes(`there is no network device "eth7"`)], [1, true]);
      const wrong = debpf("net", "attach", "xdq", "id", count!, "dev", "lo");
      assertEquals([wrong.code, wrong.stderr.includes("xdpgeneric")], [2, true]);
    }),
});

Deno.test({
  name: "debpf cgroup show and tree -j, also effective, print what bpftool prints",
  ...needs({ peer: "bpftool" }),
  fn: () => {
    using parent = new TestCgroup();
    using child = new TestCgroup(parent);
    const spec = objectSpec("clang19", "cgroup");
    const names = ["ingress", "ingress_first", "connect4", "operation", "device"];
    for (const program of spec.programs.values()) program.autoload = names.includes(program.name);
    using collection = Collection.load(spec);
    const program = (name: string) => collection.program(name);
    using _1 = attachCgroup(program("ingress"), { path: parent.name });
    using _2 = attachCgroup(program("connect4"), { path: parent.name, link: false });
    using _3 = attachCgroup(program("operation"), { path: parent.name, mode: "override" });
    using _4 = attachCgroup(program("device"), { path: parent.name, mode: "exclusive" });
    using _5 = attachCgroup(program("ingress_first"), { path: child.name });
    const questions = [
      ["show", parent.path],
      ["show", child.path],
      ["show", child.path, "effective"],
      ["tree", parent.path],
      ["tree", parent.path, "effective"],
    ];
    for (const question of questions) {
      const theirs = json(runHere("bpftool", ["-j", "cgroup", ...question]));
      assertEquals(json(debpf("-j", "cgroup", ...question)), theirs, question.join(" "));
    }
    // A path below the root does, too.
    assertEquals(debpf("cgroup", "show", child.name).stdout, debpf("cgroup", "show", child.path).stdout);
    const text = debpf("cgroup", "tree", parent.path).stdout.split("\n");
    const { id } = program("ingress_first");
    assertEquals(text.at(-3), child.path);
    assertEquals(text.at(-2)!.split(/ +/), ["", String(id), "cgroup_inet_ingress", "multi", "ingress_first"]);
  },
});

Deno.test({
  name: "debpf cgroup attach and detach: programs stay",
  ...needs({ bpf: true }),
  fn: () => {
    using cgroup = new TestCgroup();
    const spec = objectSpec("clang19", "cgroup");
    for (const program of spec.programs.values()) program.autoload = program.name === "bind4";
    using collection = Collection.load(spec);
    const id = String(collection.program("bind4").id);
    const listed = () => {
      using fd = sys.open(cgroup.path);
      const { progIds, attachFlags } = sys.progQuery({
        targetFd: fd.value,
        attachType: BpfAttachType.BPF_CGROUP_INET4_BIND,
      });
      return `${progIds.join(" ")}/${attachFlags}`;
    };
    assertEquals(debpf("cgroup", "attach", cgroup.path, "cgroup_inet4_bind", "id", id, "multi").code, 0);
    assertEquals(listed(), `${id}/2`);
    assertEquals(debpf("cgroup", "detach", cgroup.path, "cgroup_inet4_bind", "id", id).code, 0);
    assert(listed().startsWith("/"), listed());
    const wrong = debpf("cgroup", "attach", cgroup.path, "cgroup_inet9_bind", "id", id);
    assertEquals([wrong.code, wrong.stderr.includes("cgroup_inet4_bind")], [2, true]);
    const none = debpf("-j", "cgroup", "show", "/no/such");
    assertEquals([none.code, JSON.parse(none.stdout)], [1, { error: `there is no cgroup "/no/such"` }]);
  },
});

Deno.test({
  name: "debpf prog attach and detach: programs of a sockmap, and the flow dissector of this network namespace",
  ...needs({ bpf: true }),
  fn: () =>
    inNetns(() => {
      using programs = new NetworkPrograms("clang19", "message", "dissect");
      const map = programs.collection.map("sockets");
      const [message, dissect] = ["message", "dissect"].map((name) => String(programs.program(name).id));
      const listed = (hook: Hook) => queryHook(hook).programs.map(({ id }) => String(id));
      const ofMap = { map, attachType: BpfAttachType.BPF_SK_MSG_VERDICT } as const;
      const ofNetns = { netns: undefined, attachType: BpfAttachType.BPF_FLOW_DISSECTOR } as const;
      const target = ["id", message!, "sk_msg_verdict", "id", String(map.id)];
      assertEquals(debpf("prog", "attach", ...target), { code: 0, stdout: "", stderr: "" });
      assertEquals(listed(ofMap), [message]);
      assertEquals(debpf("prog", "detach", ...target).code, 0);
      assertEquals(listed(ofMap), []);
      assertEquals(debpf("prog", "attach", "id", dissect!, "flow_dissector").code, 0);
      assertEquals(listed(ofNetns), [dissect]);
      assertEquals(debpf("prog", "detach", "id", dissect!, "flow_dissector").code, 0);
      assertEquals(listed(ofNetns), []);
      const wrong = debpf("prog", "attach", "id", message!, "sk_msg", "id", "1", "more");
      assertEquals(wrong.code === 0, false);
      const none = debpf("prog", "attach", "id", message!, "xdp");
      assertEquals([none.code, none.stderr.includes("sk_skb_stream_parser")], [2, true]);
    }),
});
