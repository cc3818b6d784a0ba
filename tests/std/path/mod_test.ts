import { assertEquals, assertThrows } from "@std/assert";
import * as path from "@std/path";
import * as posix from "@std/path/posix";

Deno.test("path functions do what their names say", () => {
  for (const { basename, dirname, extname, isAbsolute, join, relative, resolve } of [path, posix]) {
    assertEquals(basename("/a/b.o"), "b.o");
    assertEquals(basename("/a/b.o", ".o"), "b");
    assertEquals(dirname("/a/b.o"), "/a");
    assertEquals(extname("x.bpf.o"), ".o");
    assertEquals([isAbsolute("/a"), isAbsolute("a")], [true, false]);
    assertEquals(join("/a", "../b", "c"), "/b/c");
    assertEquals(join(), ".");
    assertEquals(resolve("/a", "b", "../c"), "/a/c");
    assertEquals(relative("/a/b", "/a/c"), "../c");
  }
});

Deno.test("fromFileUrl() and toFileUrl() are each other's reverse", () => {
  assertEquals(path.fromFileUrl("file:///a/b%20c"), "/a/b c");
  assertEquals(path.toFileUrl("/a/b c").href, "file:///a/b%20c");
  assertThrows(() => path.fromFileUrl("https://example.com/"), TypeError);
  assertThrows(() => path.toFileUrl("a"), TypeError);
});
