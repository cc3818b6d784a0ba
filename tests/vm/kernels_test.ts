import { assertEquals, assertThrows } from "@std/assert";
import { chosenKernels, usualKernels } from "../../scripts/vm/kernels.ts";

const names = (kernels: readonly { readonly name: string; readonly arch: string }[]) =>
  kernels.map(({ name, arch }) => `${name} ${arch}`);

Deno.test("chosenKernels() without names are the usual ones of the architecture", () => {
  assertEquals(names(chosenKernels([], "amd64")), ["5.10 amd64", "6.1 amd64", "6.12 amd64", "7.x amd64"]);
  assertEquals(names(chosenKernels([], "arm64")), ["6.12 arm64"]);
  assertEquals(names(usualKernels()).length, 5);
});

Deno.test("chosenKernels() takes any 7 for the one there is, and names what there is otherwise", () => {
  assertEquals(names(chosenKernels(["7.3", "5.10"], "arm64")), ["7.x arm64", "5.10 arm64"]);
  assertThrows(() => chosenKernels(["4.19"], "amd64"), Error, "no kernel 4.19 to boot; there are 5.10, 6.1, 6.12, 7.x");
});

Deno.test("a kernel's packages are matched by whole name, without those of other flavours", () => {
  const matches = (kernel: string, name: string) =>
    chosenKernels([kernel], "amd64").some(({ patterns }) => new RegExp(`^${patterns[0]}$`).test(name));
  assertEquals(matches("5.10", "linux-image-5.10.0-46-cloud-amd64"), true);
  assertEquals(matches("5.10", "linux-image-5.10.0-46-cloud-amd64-dbg"), false);
  assertEquals(matches("6.12", "linux-image-6.12.118+deb13-cloud-amd64"), true);
  assertEquals(matches("6.12", "linux-image-6.12.118+deb13-amd64"), false);
  assertEquals(matches("7.x", "linux-binary-7.3.4+deb13-cloud-amd64"), true);
});
