/**
 * The kernel takes what `BtfBuilder`, `sanitizeBtf` and `BtfMerger` make, and gives it back as it was.
 */
import { assert, assertEquals } from "@std/assert";
import { loadedBtf } from "../../ffi/btf/mod.ts";
import { missingBtfFeatures } from "../../ffi/features/mod.ts";
import * as sys from "../../ffi/sys/mod.ts";
import {
  Btf,
  BTF_FEATURES,
  BtfBuilder,
  type BtfFeature,
  btfFeatureProbe,
  type BtfType,
  type IntType,
  sanitizeBtf,
} from "../../lib/btf/mod.ts";
import { BtfMerger } from "../../lib/btf/dedup/mod.ts";
import { BtfKind } from "../../lib/uapi/mod.ts";
import { needs } from "../support/mod.ts";

const INT: IntType = {
  kind: BtfKind.Int,
  id: 0,
  name: "int",
  size: 4,
  signed: true,
  char: false,
  bool: false,
  offsetBits: 0,
  bits: 32,
};

/** A type of each kind, sound enough for the kernel, those first that refer to others. */
function everyKind(): BtfType[] {
  const member = (name: string, type: BtfType, offsetBits: number, bitfieldBits = 0) => {
    return { name, type, offsetBits, bitfieldBits };
  };
  const members = [member("number", INT, 0), member("bits", INT, 32, 3)];
  const node: BtfType = { kind: BtfKind.Struct, id: 0, name: "node", size: 24, members };
  const pointer: BtfType = { kind: BtfKind.Ptr, id: 0, name: "", target: node };
  members.push(member("next", pointer, 64));
  const wide: BtfType = {
    kind: BtfKind.Enum64,
    id: 0,
    name: "wide",
    size: 8,
    signed: true,
    values: [{ name: "LOWEST", value: -(1n << 63n) }],
  };
  members.push(member("wide", wide, 128));
  const array: BtfType = { kind: BtfKind.Array, id: 0, name: "", element: INT, index: INT, length: 3 };
  const choice: BtfType = { kind: BtfKind.Union, id: 0, name: "choice", size: 12, members: [member("a", array, 0)] };
  const color: BtfType = {
    kind: BtfKind.Enum,
    id: 0,
    name: "color",
    size: 4,
    signed: true,
    values: [{ name: "RED", value: -1 }],
  };
  const later: BtfType = { kind: BtfKind.Fwd, id: 0, name: "later", union: false };
  const alias: BtfType = { kind: BtfKind.Typedef, id: 0, name: "number_t", target: INT };
  const constant: BtfType = { kind: BtfKind.Const, id: 0, name: "", target: alias };
  const moving: BtfType = { kind: BtfKind.Volatile, id: 0, name: "", target: constant };
  const tagged: BtfType = { kind: BtfKind.TypeTag, id: 0, name: "user", target: moving };
  const alone: BtfType = {
    kind: BtfKind.Restrict,
    id: 0,
    name: "",
    target: { kind: BtfKind.Ptr, id: 0, name: "", target: tagged },
  };
  const proto: BtfType = {
    kind: BtfKind.FuncProto,
    id: 0,
    name: "",
    returns: INT,
    params: [{ name: "first", type: alone }, { name: "second", type: { ...pointer, target: later } }],
  };
  const func: BtfType = { kind: BtfKind.Func, id: 0, name: "run", target: proto, linkage: "global" };
  const real: BtfType = { kind: BtfKind.Float, id: 0, name: "double", size: 8 };
  const variable: BtfType = { kind: BtfKind.Var, id: 0, name: "counter", target: choice, linkage: "global" };
  const entries = [{ type: variable, offset: 0, size: 12 }];
  const section: BtfType = { kind: BtfKind.Datasec, id: 0, name: ".data", size: 12, entries };
  const tag: BtfType = { kind: BtfKind.DeclTag, id: 0, name: "a word", target: node, componentIndex: 1 };
  return [section, tag, func, node, color, real];
}

function build(types: readonly BtfType[]): Uint8Array {
  const builder = new BtfBuilder();
  for (const type of types) builder.add(type);
  return builder.encode();
}

/** Loads BTF, and fails with what the kernel says if it is refused. */
function load(btf: Uint8Array, what: string): sys.Fd {
  const log = new Uint8Array(1 << 16);
  try {
    return sys.btfLoad({ btf });
  } catch (error) {
    assert(error instanceof sys.SyscallError && error.code === "EINVAL", `${error}`);
  }
  try {
    return sys.btfLoad({ btf, log });
  } catch (error) {
    const text = new TextDecoder().decode(log.subarray(0, log.indexOf(0)));
    throw new Error(`${what}: ${error}\n${text}`);
  }
}

const FEATURES = Object.keys(BTF_FEATURES) as BtfFeature[];

Deno.test({
  name: "The kernel loads built BTF of every kind in any order, and gives back the same bytes",
  ...needs({ bpf: true }),
  fn() {
    const types = everyKind();
    const kinds = new Set([...Btf.parse(build(types)).types()].map((type) => type.kind));
    assertEquals(kinds.size, BtfKind.Enum64, "all kinds are there");
    for (const [index] of types.entries()) {
      const order = [...types.slice(index), ...types.slice(0, index)];
      const bytes = sanitizeBtf(build(order), missingBtfFeatures());
      using fd = load(bytes, `order ${index}`);
      const info = sys.btfInfo(fd.value);
      const held = loadedBtf(info.id);
      const built = Btf.parse(bytes);
      assertEquals(info.btfSize, bytes.length);
      assertEquals(
        [...held.types()].map(({ kind, name }) => [kind, name]),
        [...built.types()].map(({ kind, name }) => [kind, name]),
      );
    }
  },
});

for (const feature of FEATURES) {
  Deno.test({
    name: `The kernel loads BTF of every kind without what kernels before ${BTF_FEATURES[feature]} lack: ${feature}`,
    ...needs({ bpf: true }),
    fn() {
      const missing = new Set([...missingBtfFeatures(), feature]);
      load(sanitizeBtf(build(everyKind()), missing), feature).close();
      load(sanitizeBtf(btfFeatureProbe(feature), missing), `the probe of ${feature}`).close();
    },
  });
}

Deno.test({
  name: "The kernel loads BTF of every kind as the oldest kernels want it",
  ...needs({ bpf: true }),
  fn() {
    for (let known = 0; known < FEATURES.length; known++) {
      const missing = new Set([...missingBtfFeatures(), ...FEATURES.slice(known)]);
      load(sanitizeBtf(build(everyKind()), missing), [...missing].join()).close();
    }
  },
});

Deno.test({
  name: "The kernel loads what BtfMerger makes of many, and of a byte order that is not its own",
  ...needs({ bpf: true }),
  fn() {
    const merger = new BtfMerger();
    const inputs = [new BtfBuilder(), new BtfBuilder({ order: "big" }), new BtfBuilder()].map((builder) => {
      for (const type of everyKind()) builder.add(type);
      return Btf.parse(builder.encode());
    });
    for (const btf of inputs) {
      const input = merger.append(btf);
      if (btf !== inputs[0]) merger.drop(input.typeId(btf.find(".data")!.id));
    }
    const { bytes } = merger.finish();
    load(sanitizeBtf(bytes, missingBtfFeatures()), "merged").close();
  },
});
