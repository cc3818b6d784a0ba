import { assert, assertEquals, assertThrows } from "@std/assert";
import * as sys from "../../../ffi/sys/mod.ts";
import { netlink } from "../../../ffi/sys/netlink.ts";
import {
  AttributeReader,
  decodeMessages,
  encodeAttributes,
  encodeMessage,
  u16,
} from "../../../ffi/sys/netlink_message.ts";
import { FormatError } from "../../../lib/errors.ts";
import { needs, openFds } from "../../support/mod.ts";

function read(bytes: Uint8Array<ArrayBuffer>): AttributeReader {
  return new AttributeReader(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
}

Deno.test("encodeAttributes() pads each attribute to 4 bytes, and nests", () => {
  const bytes = encodeAttributes({ 1: 7, 2: "ab", 3: Uint8Array.of(9), 4: undefined, 5: { 6: u16(0x1234) } });
  assertEquals(bytes.length, 8 + 8 + 8 + 4 + 8);
  const attributes = read(bytes);
  assertEquals([attributes.u32(1), attributes.text(2), attributes.u8(3), attributes.has(4)], [7, "ab", 9, false]);
  assertEquals([...attributes.nested(5).bytes(6)!], [...u16(0x1234)]);
  assertEquals([attributes.u32(9), attributes.text(9), attributes.nested(9).has(1)], [undefined, undefined, false]);
});

Deno.test("AttributeReader leaves out what does not fit", () => {
  const bytes = encodeAttributes({ 1: 7, 2: 8 });
  assertEquals(read(bytes.slice(0, bytes.length - 2)).has(2), false);
  const broken = bytes.slice();
  broken[8] = 2;
  assertEquals([read(broken).u32(1), read(broken).has(2)], [7, false]);
});

Deno.test("decodeMessages() reads the messages of a datagram, and refuses one that does not end in it", () => {
  const one = encodeMessage(16, 1, 5, Uint8Array.of(1, 2, 3, 4), { 1: 7 });
  const [message, second] = decodeMessages(Uint8Array.of(...one, ...one));
  assertEquals([message!.type, message!.flags, message!.seq, message!.body.byteLength], [16, 1, 5, 12]);
  assertEquals(second!.body.getUint8(2), 3);
  assertThrows(() => decodeMessages(one.slice(0, one.length - 4)), FormatError, "netlink: a message at byte 0");
});

Deno.test({
  name: "networkDevice() knows the loopback device by name and number, and says which device there is none of",
  ...needs({ ffi: true }),
  fn: () => {
    const lo = sys.networkDevice("lo");
    assertEquals([lo.name, lo.ifindex, sys.networkDevice(1)], ["lo", 1, lo]);
    assert(sys.networkDevices().some(({ name }) => name === "lo"));
    for (const device of ["eth77", 777777, 0, "a name that is longer than any device's"]) {
      const error = assertThrows(() => sys.networkDevice(device), sys.SyscallError);
      assertEquals(error.code, "ENODEV");
      assert(error.message.includes("there is no network device"), error.message);
    }
  },
});

Deno.test({
  name: "netlink() tells the kernel's own words, and leaves no socket",
  ...needs({ root: true, ffi: true }),
  fn: () => {
    const before = openFds().size;
    const RTM_NEWQDISC = 36;
    const error = assertThrows(
      () => netlink({ name: "RTM_NEWQDISC", type: RTM_NEWQDISC, flags: 0x400, fixed: new Uint8Array(20) }),
      sys.SyscallError,
    );
    assertEquals(error.call, "netlink(RTM_NEWQDISC)");
    assert(error.hint !== "" || error.code === "ENODEV", error.message);
    assertEquals(openFds().size, before);
  },
});
