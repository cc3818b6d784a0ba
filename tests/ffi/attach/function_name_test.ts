import { assertEquals, assertThrows } from "@std/assert";
import { functionText, parseFunctionName } from "../../../ffi/attach/function_name.ts";
import { UnsupportedError } from "../../../lib/errors.ts";

const CASES: readonly [text: string, module: string | undefined, name: string, offset: number][] = [
  ["do_unlinkat", undefined, "do_unlinkat", 0],
  ["do_unlinkat+0x10", undefined, "do_unlinkat", 16],
  ["do_unlinkat+10", undefined, "do_unlinkat", 10],
  ["foo.isra.0", undefined, "foo.isra.0", 0],
  ["foo.llvm.1234+4", undefined, "foo.llvm.1234", 4],
  ["nf_tables:nft_do_chain", "nf_tables", "nft_do_chain", 0],
  ["nf-tables:nft_do_chain", "nf_tables", "nft_do_chain", 0],
  ["vmlinux:do_exit", undefined, "do_exit", 0],
  ["__x64_sys_getpid", undefined, "__x64_sys_getpid", 0],
];

Deno.test("parseFunctionName() takes function, module and offset apart, as libbpf's section names have them", () => {
  for (const [text, module, name, offset] of CASES) {
    assertEquals(parseFunctionName(text, "p"), { module, name, offset }, text);
  }
});

Deno.test("parseFunctionName() refuses what is no name, with the place first", () => {
  for (const text of ["", "+4", "foo+", "foo+x", "foo-4", "a:b:c", "a b", "vfs_*", "9lives"]) {
    const error = assertThrows(() => parseFunctionName(text, `program "p"`), UnsupportedError);
    assertEquals((error as Error).message.startsWith(`program "p": a function is named FUNCTION`), true, text);
  }
});

Deno.test("functionText() writes a name as section names have it", () => {
  assertEquals(functionText({ module: "nf_tables", name: "nft_do_chain", offset: 16 }), "nf_tables:nft_do_chain+0x10");
  assertEquals(functionText({ module: undefined, name: "do_exit", offset: 0 }), "do_exit");
});
