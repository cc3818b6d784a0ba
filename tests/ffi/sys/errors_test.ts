import { assert, assertEquals, assertInstanceOf, assertStringIncludes, assertThrows } from "@std/assert";
import * as sys from "../../../ffi/sys/mod.ts";
import { DebpfError } from "../../../lib/errors.ts";
import { BpfCmd, BpfMapType } from "../../../lib/uapi/mod.ts";
import { inRepository, needs, run } from "../../support/mod.ts";
import { failBpf, inject } from "./inject.ts";

const { Errno, SyscallError } = sys;
const HASH = { mapType: BpfMapType.BPF_MAP_TYPE_HASH, keySize: 4, valueSize: 4, maxEntries: 1, mapName: "counts" };

Deno.test("SyscallError says call, number, name, text and what to do", () => {
  const error = new SyscallError("bpf(BPF_MAP_CREATE)", Errno.EMFILE, { hint: "raise the limit" });
  assertInstanceOf(error, DebpfError);
  assertEquals([error.name, error.call, error.errno, error.code, error.hint], [
    "SyscallError",
    "bpf(BPF_MAP_CREATE)",
    24,
    "EMFILE",
    "raise the limit",
  ]);
  assertEquals(error.message, "bpf(BPF_MAP_CREATE): EMFILE (too many open files in this process): raise the limit");
});

Deno.test("SyscallError.at() puts the place first and keeps the rest", () => {
  const error = new SyscallError("open(x)", Errno.ENOENT);
  const placed = error.at('map "events"');
  assertEquals(placed.message, 'map "events": open(x): ENOENT (no such file or object)');
  assertEquals([placed.code, placed.cause], ["ENOENT", error]);
});

Deno.test("VerifierError carries log and program", () => {
  const error = new sys.VerifierError("R1 is not a pointer", { log: "0: ...", programName: "main" });
  assertEquals([error.name, error.log, error.programName], ["VerifierError", "0: ...", "main"]);
});

Deno.test({
  name: "mapCreate() names command and map when it fails, and says what to do",
  ...needs({ ffi: true }),
  fn() {
    using _ = failBpf(BpfCmd.BPF_MAP_CREATE, Errno.ENOMEM);
    const error = assertThrows(() => sys.mapCreate(HASH), SyscallError);
    assertStringIncludes(error.message, 'bpf(BPF_MAP_CREATE, "counts"): ENOMEM (out of memory): ');
    assertStringIncludes(error.hint, "RLIMIT_MEMLOCK");
  },
});

/** Lets the library see `files` instead of the machine's. */
function showFiles(files: Record<string, string>): Disposable {
  const cleanup = new DisposableStack();
  const contents: string[] = [];
  cleanup.use(inject("open", () => (path) => {
    const content = files[new TextDecoder().decode(path.subarray(0, -1))];
    return content === undefined ? -Errno.ENOENT : 1000 + contents.push(content) - 1;
  }));
  cleanup.use(inject("read", () => (fd, buffer) => new TextEncoder().encodeInto(contents[fd - 1000]!, buffer).written));
  cleanup.use(inject("close", () => () => 0));
  return cleanup;
}

const ALL_CAPABILITIES = "CapEff:\t000001ffffffffff\n";

for (
  const [what, files, hint] of [
    [
      "no capabilities",
      { "/proc/self/status": "CapEff:\t0000000000000000\n" },
      "no CAP_BPF and CAP_PERFMON: run as root",
    ],
    ["CAP_BPF only", { "/proc/self/status": "CapEff:\t0000008000000000\n" }, "no CAP_PERFMON: run as root"],
    [
      "a user namespace",
      { "/proc/self/status": ALL_CAPABILITIES, "/proc/self/uid_map": "         0       1000          1\n" },
      "in a user namespace",
    ],
    [
      "lockdown",
      {
        "/proc/self/status": ALL_CAPABILITIES,
        "/proc/self/uid_map": "         0          0 4294967295\n",
        "/sys/kernel/security/lockdown": "none integrity [confidentiality]\n",
      },
      "locked down (confidentiality in",
    ],
    ["nothing to see", { "/proc/self/status": ALL_CAPABILITIES }, "seccomp"],
    ["no /proc", {}, "seccomp"],
  ] as const
) {
  Deno.test({
    name: `EPERM of bpf(2) is explained: ${what}`,
    ...needs({ ffi: true }),
    fn() {
      using _fault = failBpf(BpfCmd.BPF_MAP_CREATE, Errno.EPERM);
      using _files = showFiles(files);
      const error = assertThrows(() => sys.mapCreate(HASH), SyscallError);
      assertEquals(error.code, "EPERM");
      assertStringIncludes(error.hint, hint);
    },
  });
}

Deno.test({
  name: "mapCreate() lifts RLIMIT_MEMLOCK at the first EPERM, as kernels before 5.11 need it, and tries once more",
  ...needs({ ffi: true }),
  async fn() {
    // A process of its own: the limit is lifted once for all.
    const { stdout, stderr } = await run(Deno.execPath(), [
      "run",
      "--no-check",
      "-A",
      inRepository("tests/ffi/sys/memlock.ts"),
    ]);
    assertEquals([stderr, stdout], [
      "",
      "created after 2 calls, limit ffffffffffffffffffffffffffffffff\nEPERM after 1 call\n",
    ]);
  },
});

Deno.test({
  name: "EACCES of perf_event_open(2) names the paranoid setting",
  ...needs({ ffi: true }),
  fn() {
    using _fault = inject("perfEventOpen", () => () => -Errno.EACCES);
    using _files = showFiles({ "/proc/sys/kernel/perf_event_paranoid": "3\n" });
    const error = assertThrows(() => sys.perfEventOpen({ type: 1 }), SyscallError);
    assertStringIncludes(error.message, "perf_event_open(): EACCES (access denied): ");
    assertStringIncludes(error.message, "kernel.perf_event_paranoid is 3");
  },
});

Deno.test({
  name: "every command says its name and number when it fails",
  ...needs({ ffi: true }),
  fn() {
    using _ = inject("bpf", () => () => -Errno.EIO);
    const bytes = new Uint8Array(8);
    const attempts: Record<string, () => unknown> = {
      BPF_MAP_CREATE: () => sys.mapCreate(HASH),
      BPF_MAP_LOOKUP_ELEM: () => sys.mapLookupElem(3, bytes, bytes),
      BPF_MAP_UPDATE_ELEM: () => sys.mapUpdateElem(3, bytes, bytes),
      BPF_MAP_DELETE_ELEM: () => sys.mapDeleteElem(3, bytes),
      BPF_MAP_GET_NEXT_KEY: () => sys.mapGetNextKey(3, null, bytes),
      BPF_MAP_LOOKUP_AND_DELETE_ELEM: () => sys.mapLookupAndDeleteElem(3, bytes, bytes),
      BPF_MAP_FREEZE: () => sys.mapFreeze(3),
      BPF_MAP_LOOKUP_BATCH: () => sys.mapLookupBatch(3, batch(bytes)),
      BPF_MAP_LOOKUP_AND_DELETE_BATCH: () => sys.mapLookupAndDeleteBatch(3, batch(bytes)),
      BPF_MAP_UPDATE_BATCH: () => sys.mapUpdateBatch(3, bytes, bytes, 1),
      BPF_MAP_DELETE_BATCH: () => sys.mapDeleteBatch(3, bytes, 1),
      BPF_PROG_LOAD: () => sys.progLoad({ progType: 1, insns: bytes, license: "GPL" }),
      BPF_PROG_TEST_RUN: () => sys.progTestRun(3),
      BPF_PROG_BIND_MAP: () => sys.progBindMap(3, 4),
      BPF_PROG_ATTACH: () => sys.progAttach({ targetFd: 3, attachBpfFd: 4, attachType: 0 }),
      BPF_PROG_DETACH: () => sys.progDetach({ targetFd: 3, attachType: 0 }),
      BPF_PROG_QUERY: () => sys.progQuery({ targetFd: 3, attachType: 0 }),
      BPF_OBJ_PIN: () => sys.objPin(3, "/sys/fs/bpf/x"),
      BPF_OBJ_GET: () => sys.objGet("/sys/fs/bpf/x"),
      BPF_PROG_GET_NEXT_ID: () => sys.progGetNextId(0),
      BPF_MAP_GET_NEXT_ID: () => sys.mapGetNextId(0),
      BPF_BTF_GET_NEXT_ID: () => sys.btfGetNextId(0),
      BPF_LINK_GET_NEXT_ID: () => sys.linkGetNextId(0),
      BPF_PROG_GET_FD_BY_ID: () => sys.progGetFdById(1),
      BPF_MAP_GET_FD_BY_ID: () => sys.mapGetFdById(1),
      BPF_BTF_GET_FD_BY_ID: () => sys.btfGetFdById(1),
      BPF_LINK_GET_FD_BY_ID: () => sys.linkGetFdById(1),
      BPF_OBJ_GET_INFO_BY_FD: () => sys.progInfo(3),
      BPF_BTF_LOAD: () => sys.btfLoad({ btf: bytes }),
      BPF_RAW_TRACEPOINT_OPEN: () => sys.rawTracepointOpen({ progFd: 3, name: "sys_enter" }),
      BPF_LINK_CREATE: () => sys.linkCreate({ progFd: 3, attachType: 0 }),
      BPF_LINK_UPDATE: () => sys.linkUpdate(3, { newProgFd: 4 }),
      BPF_LINK_DETACH: () => sys.linkDetach(3),
      BPF_ENABLE_STATS: () => sys.enableStats(0),
      BPF_ITER_CREATE: () => sys.iterCreate(3),
      BPF_TASK_FD_QUERY: () => sys.taskFdQuery(1, 3),
    };
    for (const [command, attempt] of Object.entries(attempts)) {
      const error = assertThrows(attempt, SyscallError);
      assert(error.message.startsWith(`bpf(${command}`), `${command}: ${error.message}`);
      assertEquals([error.errno, error.code], [Errno.EIO, "EIO"]);
    }
  },
});

function batch(bytes: Uint8Array): sys.MapBatch {
  return { inBatch: null, outBatch: bytes, keys: bytes, values: bytes, count: 1 };
}
