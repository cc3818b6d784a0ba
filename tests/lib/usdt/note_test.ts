import { assertEquals, assertThrows } from "@std/assert";
import { FormatError } from "../../../lib/errors.ts";
import { EM, Executable } from "../../../lib/elf/mod.ts";
import { parseUsdtArguments, readUsdtNotes, usdtSites } from "../../../lib/usdt/mod.ts";
import { testdata } from "../../support/mod.ts";

const open = (name: string) => Executable.parse(testdata(`programs/x86_64/${name}`), name);

/** A copy of user_target whose bytes `change` changes. */
function changed(change: (bytes: Uint8Array, view: DataView, program: Executable) => void): Executable {
  const bytes = testdata("programs/x86_64/user_target");
  change(bytes, new DataView(bytes.buffer), Executable.parse(bytes));
  return Executable.parse(bytes, "prog");
}

for (const name of ["user_target", "user_target_exec"]) {
  Deno.test(`readUsdtNotes() gives the notes of ${name} as readelf -n does`, () => {
    const notes = readUsdtNotes(open(name));
    assertEquals(notes.map((note) => `${note.provider}:${note.name}`), [
      ...["user:simple", "user:many", "user:many", "user:many", "user:many"],
      ...["user:indexed", "user:counted", "user:empty"],
    ]);
    assertEquals(notes.map((note) => note.arguments).slice(1, 6), [
      "4@%eax",
      "4@%ebx",
      "-4@$5",
      "4@%eax",
      "-4@(%rdx,%rcx,4)",
    ]);
    assertEquals(notes.at(-1)!.arguments, "");
    assertEquals(notes.map((note) => note.semaphore !== 0), [false, false, false, false, false, false, true, false]);
  });

  Deno.test(`usdtSites() finds a nop at each place of ${name}, and the semaphore in its data`, () => {
    const program = open(name);
    const sites = usdtSites(program, "user", "many");
    assertEquals(sites.length, 4);
    for (const { offset, address, semaphoreOffset } of sites) {
      assertEquals(program.bytes[offset], 0x90);
      assertEquals([program.fileOffset(address), semaphoreOffset], [offset, 0]);
    }
    const [counted] = usdtSites(program, "user", "counted");
    const probes = program.section(".probes")!;
    assertEquals(counted!.semaphoreOffset, probes.offset);
    assertEquals(usdtSites(program, "user", "none"), []);
    assertEquals(usdtSites(program, "other", "many"), []);
  });
}

for (const name of ["user_target", "user_target_exec"]) {
  Deno.test(`usdtSites() finds a nop at each place of ${name} for AArch64, and its arguments are read`, () => {
    const program = Executable.parse(testdata(`programs/aarch64/${name}`), name);
    assertEquals(program.machine, EM.AARCH64);
    const probes = ["simple", "many", "counted", "empty"].flatMap((probe) => usdtSites(program, "user", probe));
    assertEquals(probes.length, 7);
    for (const { offset } of probes) {
      assertEquals(program.bytes.slice(offset, offset + 4), Uint8Array.of(0x1f, 0x20, 3, 0xd5));
    }
    const args = probes.map((site) =>
      parseUsdtArguments(site.arguments, EM.AARCH64, name).map(({ location }) => location.kind)
    );
    assertEquals(args[0], ["register", "memory", "constant", "register"]);
    assertEquals(args.slice(1), [["register"], ["register"], ["constant"], ["register"], ["memory"], []]);
  });
}

Deno.test("usdtSites() moves addresses by as much as .stapsdt.base was moved", () => {
  const before = usdtSites(open("user_target"), "user", "counted")[0]!;
  const moved = changed((_, view, program) => {
    // As if the program had been linked 64 bytes lower, and was moved to where it is.
    for (const at of noteAddresses(program)) {
      for (const field of [0, 8, 16]) {
        const address = view.getBigUint64(at + field, true);
        if (address !== 0n) view.setBigUint64(at + field, address - 64n, true);
      }
    }
  });
  assertEquals(usdtSites(moved, "user", "counted")[0], before);
});

/** Where the three addresses of each note are in the file: behind the header and the name. */
function noteAddresses(program: Executable): number[] {
  const section = program.section(".note.stapsdt")!;
  const view = new DataView(program.bytes.buffer, section.offset, section.size);
  const found: number[] = [];
  for (let at = 0; at < section.size;) {
    found.push(section.offset + at + 20);
    at += 20 + Math.ceil(view.getUint32(at + 4, true) / 4) * 4;
  }
  return found;
}

Deno.test("usdtSites() takes the nop of five bytes behind a nop where that is preferred", () => {
  const program = changed((bytes, _view, program) => {
    const [site] = usdtSites(program, "user", "empty");
    bytes.set([0x90, 0x0f, 0x1f, 0x44, 0, 0], site!.offset);
  });
  const [plain] = usdtSites(program, "user", "empty");
  const [fast] = usdtSites(program, "user", "empty", { preferNop5: true });
  assertEquals([fast!.offset, fast!.address], [plain!.offset + 1, plain!.address + 1]);
  assertEquals(usdtSites(program, "user", "many", { preferNop5: true }), usdtSites(program, "user", "many"));
});

Deno.test("usdtSites() refuses a place that is not in the code, and a semaphore that is not in the data", () => {
  const nowhere = changed((_, view, program) => view.setBigUint64(noteAddresses(program)[0]!, 0x7777_7777n, true));
  assertThrows(
    () => usdtSites(nowhere, "user", "simple"),
    FormatError,
    'prog: probe "user:simple": its address 0x77777777 is',
  );
  const inData = changed((_, view, program) => {
    view.setBigUint64(noteAddresses(program)[0]!, BigInt(program.section(".data")!.address), true);
  });
  assertThrows(() => usdtSites(inData, "user", "simple"), FormatError, "is not in the program's code");
  const inCode = changed((_, view, program) => {
    view.setBigUint64(noteAddresses(program)[6]! + 16, BigInt(program.section(".text")!.address), true);
  });
  assertThrows(() => usdtSites(inCode, "user", "counted"), FormatError, "is not in the program's data");
});

Deno.test("readUsdtNotes() refuses notes that do not hold, and leaves those of others out", () => {
  const cut = changed((_, view, program) => {
    view.setUint32(program.section(".note.stapsdt")!.offset + 4, 0xffff_ff00, true);
  });
  assertThrows(() => readUsdtNotes(cut), FormatError, '".note.stapsdt"');
  const foreign = changed((_, view, program) => {
    view.setUint32(program.section(".note.stapsdt")!.offset + 8, 99, true);
  });
  assertEquals(readUsdtNotes(foreign).length, 7);
  const endless = changed((bytes, _view, program) => {
    const at = noteAddresses(program)[0]!;
    bytes.fill(0x41, at + 24, at + 24 + 45);
  });
  assertThrows(() => readUsdtNotes(endless), FormatError, "NUL");
});
