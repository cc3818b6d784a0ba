/**
 * Finding out what BTF a kernel knows: it is asked to load the least that has a feature.
 *
 * @module
 */
import { BtfKind } from "../../uapi/mod.ts";
import type { BtfType, Linkage } from "../types.ts";
import { BtfBuilder } from "./btf_builder.ts";
import { INT_TYPE } from "./int_type.ts";
import type { BtfFeature } from "./sanitize.ts";

/** The smallest BTF, in this machine's byte order, that a kernel loads only if it knows `feature`. */
export function btfFeatureProbe(feature: BtfFeature): Uint8Array {
  const builder = new BtfBuilder();
  builder.add(typeOf(feature));
  return builder.encode();
}

function typeOf(feature: BtfFeature): BtfType {
  switch (feature) {
    case "func":
      return func("static");
    case "globalFunc":
      return func("global");
    case "datasec":
      return section(".data");
    case "optionalSection":
      return section("?.data");
    case "float":
      return { kind: BtfKind.Float, id: 0, name: "float", size: 4 };
    case "declTag": {
      const target = { kind: BtfKind.Struct, id: 0, name: "tagged", size: 0, members: [] } as const;
      return { kind: BtfKind.DeclTag, id: 0, name: "tag", target, componentIndex: -1 };
    }
    case "typeTag": {
      const target = { kind: BtfKind.TypeTag, id: 0, name: "tag", target: INT_TYPE } as const;
      return { kind: BtfKind.Ptr, id: 0, name: "", target };
    }
    case "enum64":
      return {
        kind: BtfKind.Enum64,
        id: 0,
        name: "wide",
        size: 8,
        signed: false,
        values: [{ name: "ONE", value: 1n }],
      };
    default:
      return feature satisfies never;
  }
}

function func(linkage: Linkage): BtfType {
  const target = { kind: BtfKind.FuncProto, id: 0, name: "", returns: INT_TYPE, params: [] } as const;
  return { kind: BtfKind.Func, id: 0, name: "function", target, linkage };
}

function section(name: string): BtfType {
  const variable = { kind: BtfKind.Var, id: 0, name: "variable", target: INT_TYPE, linkage: "static" } as const;
  return { kind: BtfKind.Datasec, id: 0, name, size: 4, entries: [{ type: variable, offset: 0, size: 4 }] };
}
