import { assertEquals } from "@std/assert";
import { dataMapKernelName, dataMapName, objectName } from "../../../lib/spec/mod.ts";

Deno.test("objectName() is the base name up to its first dot", () => {
  assertEquals(objectName("/tmp/x/execsnoop.bpf.o"), "execsnoop");
  assertEquals(objectName("plain"), "plain");
  assertEquals(objectName(".hidden.o"), "");
});

Deno.test("dataMapKernelName() cuts the object's name so that the section's fits into 15 characters", () => {
  assertEquals(dataMapKernelName("my_object_name", ".rodata"), "my_objec.rodata");
  assertEquals(dataMapKernelName("my_object_name", ".bss"), "my_objec.bss");
  assertEquals(dataMapKernelName("my_object_name", ".kconfig"), "my_obje.kconfig");
  assertEquals(dataMapKernelName("a", ".data"), "a.data");
  // A byte is a character to the kernel: two of them in UTF-8.
  assertEquals(dataMapKernelName("\u00e4\u00e4bc", ".data"), "____bc.data");
});

Deno.test("dataMapKernelName() gives sections of their own name no object name", () => {
  assertEquals(dataMapKernelName("object", ".data.custom"), ".data.custom");
  assertEquals(dataMapKernelName("object", ".rodata.abracadabra"), ".rodata.abracad");
  assertEquals(dataMapKernelName("object", ".bss.some_long_name"), ".bss.some_long_");
});

Deno.test("dataMapKernelName() replaces what the kernel does not take in names", () => {
  assertEquals(dataMapKernelName("my-obj+x", ".data"), "my_obj_x.data");
});

Deno.test("dataMapName() is the whole section name for custom .data and .rodata only", () => {
  assertEquals(dataMapName("object", "rodata", ".rodata.abracadabra"), ".rodata.abracadabra");
  assertEquals(dataMapName("object", "data", ".data"), "object.data");
  assertEquals(dataMapName("object", "bss", ".bss.some_long_name"), ".bss.some_long_");
});
