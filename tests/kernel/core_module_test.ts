/**
 * Types of real modules: the virtual network device's, which virtual machines load (scripts/vm/kernel_image.ts).
 */
import { assert, assertEquals } from "@std/assert";
import { hostBtf, hostTargets } from "../../ffi/btf/mod.ts";
import { relocate } from "../../lib/core/mod.ts";
import { BpfCoreReloKind as Kind, BtfKind } from "../../lib/uapi/mod.ts";
import { member, relocations, struct, U32 } from "../lib/core/types.ts";
import { needs } from "../support/mod.ts";

/** A struct that only drivers/net/veth.c knows, with fields of one that it has and one that it has not. */
const PRIVATE = struct("veth_priv", 12, [
  member("peer", struct("net_device", 0, []), 0),
  member("requested_headroom", U32, 32),
  member("debpf_nothing", U32, 64),
]);

Deno.test({
  name: "relocate() finds in a module what the kernel lacks, and reads no module for what it has",
  ...needs({ btf: true, features: ["vethModule"] }),
  fn() {
    assertEquals(hostBtf().find("veth_priv", BtfKind.Struct), undefined);
    const list = relocations([
      { kind: Kind.BPF_CORE_TYPE_EXISTS, type: struct("task_struct", 0, []), accessor: "0" },
      { kind: Kind.BPF_CORE_TYPE_EXISTS, type: PRIVATE, accessor: "0" },
      { kind: Kind.BPF_CORE_FIELD_BYTE_OFFSET, type: PRIVATE, accessor: "0:1" },
      { kind: Kind.BPF_CORE_FIELD_EXISTS, type: PRIVATE, accessor: "0:2" },
      { kind: Kind.BPF_CORE_TYPE_ID_TARGET, type: PRIVATE, accessor: "0" },
    ]);
    const skipped: string[] = [];
    const [task, exists, offset, nothing, id] = relocate(list, hostTargets(), {
      skipped: ({ name }) => skipped.push(name),
    });
    assertEquals(skipped, []);
    assertEquals([task!.targetValue, task!.chosen?.target.name], [1, "vmlinux"]);
    assertEquals([exists!.targetValue, exists!.chosen?.target.name], [1, "veth"]);
    assert(!offset!.poison && offset!.targetValue > 0);
    assertEquals(nothing!.targetValue, 0);
    // An id of the module's own BTF, whose ids go on behind the kernel's.
    assert(id!.targetValue >= hostBtf().typeCount);
  },
});
