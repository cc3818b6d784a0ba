import { assertEquals } from "@std/assert";
import { addressIn, loadedAddress } from "../../../ffi/attach/process_maps.ts";
import { needs } from "../../support/mod.ts";

const MAPS = `55d0c0a00000-55d0c0a01000 r--p 00000000 08:01 1234   /opt/a program
55d0c0a01000-55d0c0a03000 r-xp 00001000 08:01 1234                       /opt/a program
55d0c0a03000-55d0c0a04000 rw-p 00003000 08:01 1234                       /opt/a program
7f5c6f5d3000-7f5c6f5d8000 rw-p 00000000 00:00 0
7f5c6f5d8000-7f5c6f5d9000 r-xp 00000000 103:01 362990598                 /usr/lib/libx.so
7f5c6f6d8000-7f5c6f6d9000 r-xp 00002000 103:01 362990598                 /usr/lib/libx.so
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
`;

Deno.test("addressIn() gives the address at which the code at an offset of a file is loaded", () => {
  assertEquals(addressIn(MAPS, "/opt/a program", 0x1000), 0x55d0c0a01000n);
  assertEquals(addressIn(MAPS, "/opt/a program", 0x2fff), 0x55d0c0a02fffn);
  assertEquals(addressIn(MAPS, "/usr/lib/libx.so", 0x10), 0x7f5c6f5d8010n);
  assertEquals(addressIn(MAPS, "/usr/lib/libx.so", 0x2010), 0x7f5c6f6d8010n);
});

Deno.test("addressIn() gives nothing for data, for what is not loaded, and for other files", () => {
  assertEquals(addressIn(MAPS, "/opt/a program", 0), undefined);
  assertEquals(addressIn(MAPS, "/opt/a program", 0x3000), undefined);
  assertEquals(addressIn(MAPS, "/usr/lib/libx.so", 0x1000), undefined);
  assertEquals(addressIn(MAPS, "/opt/a", 0x1000), undefined);
  assertEquals(addressIn(MAPS, "[vsyscall]", 0x1000), undefined);
});

Deno.test({
  name: "loadedAddress() finds this program's own code",
  ...needs({ ffi: true }),
  fn() {
    const path = Deno.execPath();
    const line = Deno.readTextFileSync("/proc/self/maps").split("\n")
      .find((line) => line.endsWith(` ${path}`) && line.includes("r-xp"))!;
    const [range = "", , offset = ""] = line.split(/\s+/);
    const expected = BigInt(`0x${range.split("-")[0]}`);
    assertEquals(loadedAddress(Deno.pid, path, parseInt(offset, 16)), expected);
  },
});
