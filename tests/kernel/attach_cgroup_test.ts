/**
 * A program of each attach type of cgroups sees what this process does while it is in a cgroup of the test's own.
 *
 * @module
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { attachCgroup, cgroup2Mount, queryHook } from "../../ffi/attach/mod.ts";
import { cgroup2Mounts } from "../../ffi/attach/cgroup_path.ts";
import * as sys from "../../ffi/sys/mod.ts";
import { BpfAttachFlag, BpfAttachType, BpfCmd } from "../../lib/uapi/mod.ts";
import { failBpf } from "../ffi/sys/inject.ts";
import { TestCgroup } from "../support/cgroup.ts";
import { needs, openFds, shows } from "../support/mod.ts";
import { inNetns } from "../support/net.ts";
import { type Case, CASES, CgroupPrograms, sendUdp } from "./cgroup_cases.ts";
import { COMPILERS } from "./support.ts";

const MULTI = BpfAttachFlag.BPF_F_ALLOW_MULTI;

for (const compiler of COMPILERS) {
  for (const { section, program, slot, what, act } of CASES) {
    const unix = section.endsWith("_unix");
    Deno.test({
      ...shows(section, `${what}; ${compiler}`),
      ...needs(unix ? { features: ["cgroupUnix"] } : { bpf: true }),
      fn: () =>
        inNetns(() => {
          using cgroup = new TestCgroup();
          using programs = new CgroupPrograms(compiler, program);
          const link = attachCgroup(programs.program(program), { path: cgroup.name });
          const info = link.info();
          assert(info.kind === "cgroup");
          assertEquals([info.progId, link.target, info.cgroupId > 1n], [
            programs.program(program).id,
            cgroup.path,
            true,
          ]);
          const expected = cgroup.inside(() => act(programs));
          assertEquals(programs.seen(slot), expected);
          const count = programs.count(slot);
          assert(count > 0);
          link.close();
          cgroup.inside(() => act0(section, programs, act));
          assertEquals(programs.count(slot), count);
        }),
    });
  }
}

/** Does it again; what the program changed is not so without it. */
function act0(section: string, programs: CgroupPrograms, act: Case["act"]): void {
  try {
    act(programs);
  } catch (error) {
    const changes = [
      "cgroup/bind4",
      "cgroup/connect4",
      "cgroup/getpeername4",
      "cgroup/sysctl",
      "cgroup/getsockopt",
      "cgroup/dev",
    ];
    if (!changes.includes(section)) throw error;
  }
}

Deno.test({
  ...shows("cgroup/skb", "is attached for the direction that is given"),
  ...needs({ bpf: true }),
  fn: () =>
    inNetns(() => {
      using cgroup = new TestCgroup();
      using programs = new CgroupPrograms("clang19", "either");
      using link = attachCgroup(programs.program("either"), {
        path: cgroup.path,
        attachType: BpfAttachType.BPF_CGROUP_INET_EGRESS,
      });
      const info = link.info();
      assertEquals(info.kind === "cgroup" && info.attachType, BpfAttachType.BPF_CGROUP_INET_EGRESS);
      assertEquals(cgroup.inside(() => sendUdp("1234567")), programs.seen(2));
    }),
});

Deno.test({
  ...shows("attachCgroup() in an order", "runs before and after others, by link, id and revision"),
  ...needs({ features: ["orderedCgroups"] }),
  fn: () =>
    inNetns(() => {
      using cgroup = new TestCgroup();
      using programs = new CgroupPrograms("clang19", "ingress_first", "ingress_second", "ingress_third");
      const [first, second, third] = ["first", "second", "third"].map((name) => programs.program(`ingress_${name}`));
      const path = cgroup.name;
      const hook = { cgroup: path, attachType: BpfAttachType.BPF_CGROUP_INET_INGRESS } as const;
      using base = attachCgroup(second!, { path });
      {
        using _third = attachCgroup(third!, { path, before: base });
        using _first = attachCgroup(first!, { path, after: { linkId: base.id } });
        cgroup.inside(() => sendUdp("x"));
        assertEquals(programs.takeOrder(), [3, 2, 1]);
        const byProgram = () => attachCgroup(first!, { path, after: second! });
        assertThrows(byProgram, sys.SyscallError, "a link is placed by other links");
      }
      const { revision } = queryHook(hook);
      const stale = { path, expectedRevision: revision + 1n };
      assertEquals(assertThrows(() => attachCgroup(first!, stale), sys.SyscallError).code, "ESTALE");
      using _first = attachCgroup(first!, { path, before: "all", expectedRevision: revision });
      using _third = attachCgroup(third!, { path, after: "all" });
      cgroup.inside(() => sendUdp("x"));
      assertEquals(programs.takeOrder(), [1, 2, 3]);
      assertEquals(queryHook(hook).programs.map(({ id, flags }) => [id, flags]), [
        [first!.id, MULTI],
        [second!.id, MULTI],
        [third!.id, MULTI],
      ]);
    }),
});

Deno.test({
  ...shows("attachCgroup() in an order", "runs before and after programs without links"),
  ...needs({ features: ["orderedCgroups"] }),
  fn: () =>
    inNetns(() => {
      using cgroup = new TestCgroup();
      using programs = new CgroupPrograms("clang19", "ingress_first", "ingress_second", "ingress_third");
      const [first, second, third] = ["first", "second", "third"].map((name) => programs.program(`ingress_${name}`));
      const common = { path: cgroup.name, link: false };
      using _second = attachCgroup(second!, common);
      using _first = attachCgroup(first!, { ...common, before: second! });
      using _third = attachCgroup(third!, { ...common, before: { programId: second!.id } });
      cgroup.inside(() => sendUdp("x"));
      assertEquals(programs.takeOrder(), [1, 3, 2]);
    }),
});

Deno.test({
  ...shows("attachCgroup() below another", "all run, a cgroup's own before those above; preorder the other way round"),
  ...needs({ features: ["orderedCgroups"] }),
  fn: () =>
    inNetns(() => {
      using parent = new TestCgroup();
      using child = new TestCgroup(parent);
      using programs = new CgroupPrograms("clang19", "ingress_first", "ingress_second", "ingress_third");
      const program = (name: string) => programs.program(`ingress_${name}`);
      const attachType = BpfAttachType.BPF_CGROUP_INET_INGRESS;
      using _above = attachCgroup(program("first"), { path: parent.name });
      using _below = attachCgroup(program("second"), { path: child.name });
      child.inside(() => sendUdp("x"));
      assertEquals(programs.takeOrder(), [2, 1]);
      using _pre = attachCgroup(program("third"), { path: parent.name, preorder: true });
      child.inside(() => sendUdp("x"));
      assertEquals(programs.takeOrder(), [3, 2, 1]);
      const ids = (effective: boolean) =>
        queryHook({ cgroup: child.name, attachType, effective }).programs.map(({ id }) => id);
      assertEquals(ids(true), [program("third").id, program("second").id, program("first").id]);
      assertEquals(ids(false), [program("second").id]);
      assertEquals(queryHook({ cgroup: parent.name, attachType }).programs.length, 2);
    }),
});

Deno.test({
  ...shows("attachCgroup() with override", "the program of a cgroup below runs instead"),
  ...needs({ bpf: true }),
  fn: () =>
    inNetns(() => {
      using parent = new TestCgroup();
      using child = new TestCgroup(parent);
      using programs = new CgroupPrograms("clang19", "ingress_first", "ingress_second");
      using above = attachCgroup(programs.program("ingress_first"), { path: parent.name, mode: "override" });
      const below = attachCgroup(programs.program("ingress_second"), { path: child.name, mode: "override" });
      assertEquals([above.linkCount, below.linkCount], [0, 0]);
      child.inside(() => sendUdp("x"));
      assertEquals(programs.takeOrder(), [2]);
      below.close();
      child.inside(() => sendUdp("x"));
      assertEquals(programs.takeOrder(), [1]);
    }),
});

Deno.test({
  ...shows("attachCgroup() exclusively", "cgroups below may have none"),
  ...needs({ bpf: true }),
  fn: () =>
    inNetns(() => {
      using parent = new TestCgroup();
      using child = new TestCgroup(parent);
      using programs = new CgroupPrograms("clang19", "ingress_first", "ingress_second");
      using _above = attachCgroup(programs.program("ingress_first"), { path: parent.name, mode: "exclusive" });
      const before = openFds().size;
      const refused = () => attachCgroup(programs.program("ingress_second"), { path: child.name });
      assertEquals(assertThrows(refused, sys.SyscallError).code, "EPERM");
      assertEquals(openFds().size, before);
      child.inside(() => sendUdp("x"));
      assertEquals(programs.takeOrder(), [1]);
    }),
});

Deno.test({
  ...shows("attachCgroup() without a link", "is replaced as expected, and detached with the link"),
  ...needs({ bpf: true }),
  fn: () =>
    inNetns(() => {
      using cgroup = new TestCgroup();
      using programs = new CgroupPrograms("clang19", "ingress_first", "ingress_second");
      const [first, second] = [programs.program("ingress_first"), programs.program("ingress_second")];
      const path = cgroup.name;
      const hook = { cgroup: path, attachType: BpfAttachType.BPF_CGROUP_INET_INGRESS } as const;
      const before = openFds().size;
      const link = attachCgroup(first, { path, link: false });
      cgroup.inside(() => sendUdp("x"));
      assertEquals(programs.takeOrder(), [1]);
      assertThrows(() => link.update(second, { expected: second }), sys.SyscallError);
      link.update(second, { expected: first });
      cgroup.inside(() => sendUdp("x"));
      assertEquals([programs.takeOrder(), link.program], [[2], "ingress_second"]);
      using replacing = attachCgroup(first, { path, replace: second });
      cgroup.inside(() => sendUdp("x"));
      assertEquals(programs.takeOrder(), [1]);
      // Its program is not there any more.
      link.close();
      replacing.detach();
      assertEquals([queryHook(hook).programs, openFds().size], [[], before]);
    }),
});

Deno.test({
  ...shows("attachCgroup() without a link", "is attached where the kernel has no links of cgroups"),
  ...needs({ bpf: true }),
  fn: () =>
    inNetns(() => {
      using cgroup = new TestCgroup();
      using programs = new CgroupPrograms("clang19", "ingress");
      using _ = failBpf(BpfCmd.BPF_LINK_CREATE, sys.Errno.EINVAL);
      const link = attachCgroup(programs.program("ingress"), { path: cgroup.name });
      assertEquals(link.linkCount, 0);
      assertEquals(cgroup.inside(() => sendUdp("123")), programs.seen(0));
      link.close();
      cgroup.inside(() => sendUdp("123"));
      assertEquals(programs.count(0), 1);
    }),
});

Deno.test({
  name: "attachCgroup() without a link: a cgroup that is removed is no error when the link is closed",
  ...needs({ bpf: true }),
  fn: () => {
    using programs = new CgroupPrograms("clang19", "ingress_first");
    const before = openFds().size;
    let link;
    {
      using cgroup = new TestCgroup();
      link = attachCgroup(programs.program("ingress_first"), { path: cgroup.name, link: false });
    }
    link.close();
    assertEquals(openFds().size, before);
  },
});

Deno.test({
  name: "attachCgroup() names a cgroup that is not there, and a folder that is none",
  ...needs({ bpf: true }),
  fn: () => {
    using programs = new CgroupPrograms("clang19", "ingress_first");
    const program = programs.program("ingress_first");
    const before = openFds().size;
    assertThrows(
      () => attachCgroup(program, { path: "no/such" }),
      Error,
      `there is no cgroup "${cgroup2Mount()}/no/such"`,
    );
    assertThrows(() => attachCgroup(program, { path: "/proc" }), Error, `"/proc" is no cgroup of version 2`);
    assertEquals(openFds().size, before);
  },
});

Deno.test("cgroup2Mounts() finds cgroup version 2 among the lines of mountinfo, with blanks in paths", () => {
  const lines = `24 1 0:22 / /proc rw,nosuid shared:12 - proc proc rw
30 24 0:26 / /sys/fs/cgroup/memory rw shared:9 - cgroup cgroup rw,memory
31 24 0:27 /box /mnt/my\\040cgroups rw - cgroup2 cgroup2 rw
32 24 0:27 / /sys/fs/cgroup/unified rw,nosuid shared:10 master:3 - cgroup2 none rw,nsdelegate
`;
  assertEquals(cgroup2Mounts(lines), [
    { root: "/box", path: "/mnt/my cgroups" },
    { root: "/", path: "/sys/fs/cgroup/unified" },
  ]);
});
