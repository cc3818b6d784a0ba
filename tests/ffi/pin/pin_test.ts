import { assert, assertEquals, assertThrows } from "@std/assert";
import { BpfMap, BpfProgram, sys } from "../../../mod.ts";
import { isBpfFs, movePin, openPin, pin, pins, unpin } from "../../../ffi/pin/mod.ts";
import { needs, openFds } from "../../support/mod.ts";
import { numbers } from "../../kernel/maps.ts";
import { loadReturning } from "../sys/programs.ts";
import { pinFolder } from "./pin_folder.ts";

const PIN = needs({ bpf: true, bpffs: true });

Deno.test({
  name: "pin() keeps a map alive; openPinned() gives it back; unpin() lets it go",
  ...PIN,
  fn() {
    using folder = pinFolder();
    const path = `${folder.path}/numbers`;
    let id: number;
    {
      using map = numbers();
      map.set(1, 2);
      map.pin(path, { makeDirs: true });
      id = map.id;
    }
    {
      using map = BpfMap.openPinned(path);
      assertEquals([map.id, map.raw.get(Uint8Array.of(1, 0, 0, 0))?.[0]], [id, 2]);
    }
    unpin(path);
    assertEquals(assertThrows(() => unpin(path), sys.SyscallError).code, "ENOENT");
    assertEquals(assertThrows(() => sys.mapGetFdById(id), sys.SyscallError).code, "ENOENT");
  },
});

Deno.test({
  name: "pin() with replace takes the place of another pin, without leaving a third",
  ...PIN,
  fn() {
    using folder = pinFolder();
    const path = `${folder.path}/thing`;
    using first = numbers();
    using second = numbers();
    pin(first, path, { makeDirs: true });
    assertThrows(() => pin(second, path), Error, "something is there already");
    pin(second, path, { replace: true });
    assertEquals(sys.readDir(folder.path).map(({ name }) => name), ["thing"]);
    using there = BpfMap.openPinned(path);
    assertEquals(there.id, second.id);
    movePin(path, `${folder.path}/sub/moved`, { makeDirs: true });
    assertEquals([...pins(folder.path)], [{ path: `${folder.path}/sub/moved`, kind: "map", id: second.id }]);
    pin(first, path);
    assertThrows(() => movePin(`${folder.path}/sub/moved`, path), Error, "something is there already");
    movePin(`${folder.path}/sub/moved`, path, { replace: true });
    using moved = BpfMap.openPinned(path);
    assertEquals(moved.id, second.id);
  },
});

Deno.test({
  name: "pin() says what is wrong with a path before the kernel is asked",
  ...PIN,
  fn() {
    using folder = pinFolder();
    using map = numbers();
    const refused = (path: string, message: string, options = {}) =>
      assertThrows(() => pin(map, path, options), Error, message);
    const file = Deno.makeTempDirSync();
    try {
      refused(`${file}/map`, `"${file}" is in no BPF file system; pin below /sys/fs/bpf`);
      refused(`${file}/a/b/map`, `"${file}" is in no BPF file system`, { makeDirs: true });
      assertEquals([...Deno.readDirSync(file)], []);
    } finally {
      Deno.removeSync(file);
    }
    refused(`${folder.path}/none/map`, "does not exist");
    refused("/sys/fs/bpf/a.map", "cannot have dots");
    refused("/sys/fs/bpf/", "has to end with a name");
    assert(isBpfFs("/sys/fs/bpf"));
    assert(!isBpfFs("/proc") && !isBpfFs("/nowhere"));
  },
});

Deno.test({
  name: "openPin() and pins() tell maps, programs and links apart",
  ...PIN,
  fn() {
    using folder = pinFolder();
    const before = openFds().size;
    {
      using map = numbers();
      using program = BpfProgram.fromFd(loadReturning(3));
      using raw = BpfProgram.fromFd(loadReturning(0, 17));
      using link = sys.rawTracepointOpen({ progFd: raw.fd, name: "sched_process_exit" });
      map.pin(`${folder.path}/m`, { makeDirs: true });
      program.pin(`${folder.path}/p`);
      pin({ fd: link.value }, `${folder.path}/l`);
      const found = [...pins(folder.path)].sort((a, b) => a.path < b.path ? -1 : 1);
      assertEquals(found.map(({ kind, id }) => [kind, id]), [
        ["link", sys.linkInfo(link.value).id],
        ["map", map.id],
        ["program", program.id],
      ]);
      const { kind, fd } = openPin(`${folder.path}/l`);
      fd.close();
      assertEquals(kind, "link");
      assertThrows(() => BpfMap.openPinned(`${folder.path}/p`), TypeError, "is a program, not a map");
      using same = BpfProgram.openPinned(`${folder.path}/p`);
      assertEquals(same.id, program.id);
    }
    assertEquals(openFds().size, before);
  },
});
