/**
 * Which features of a kernel instructions and objects need that not all of its versions have.
 *
 * @module
 */
import { type Instruction, instructionFeature, isHelperCall } from "../../lib/asm/mod.ts";
import { BpfFuncId } from "../../lib/uapi/mod.ts";
import type { FeatureName } from "../support/features.ts";

/** Forms that came after Linux 5.10, by the names that `instructionFeature()` gives them. */
const FORMS: Readonly<Record<string, FeatureName>> = {
  "atomic operations with a result": "atomics",
  "atomic and, or, xor": "atomics",
  "signed division": "instructionsV4",
  "sign-extending moves": "instructionsV4",
  "sign-extending loads": "instructionsV4",
  "unconditional byte swaps": "instructionsV4",
  gotol: "instructionsV4",
  may_goto: "mayGoto",
  // They came together, and are of no use without each other.
  "address space casts": "arena",
  "load-acquire and store-release": "orderedAtomics",
};

/** Helpers that came after Linux 5.10. */
const HELPERS: Readonly<Record<number, FeatureName>> = {
  [BpfFuncId.BPF_FUNC_map_lookup_percpu_elem]: "percpuLookup",
  [BpfFuncId.BPF_FUNC_cgrp_storage_delete]: "cgroupStorage",
};

/** The feature that an instruction needs; `undefined` where Linux 5.10 takes it. */
export function featureOf(insn: Instruction): FeatureName | undefined {
  return isHelperCall(insn) ? HELPERS[insn.imm] : FORMS[instructionFeature(insn)?.name ?? ""];
}

/** Objects of testdata, and what they need. */
export const OBJECTS: Readonly<Record<string, readonly FeatureName[]>> = {
  truth: [],
  "truth.v1": [],
  truth_callbacks: ["bpfLoop"],
  truth_tail_call: [],
  maps: ["bloomFilter"],
  events: [],
};
