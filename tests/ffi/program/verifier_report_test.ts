/**
 * Logs of Linux 7.3 for testdata/bad.bpf.c (clang 19), as `deno task vm 7.x --run` brought them back.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { findComplaint } from "../../../ffi/program/verifier_log.ts";
import { testdata } from "../../support/mod.ts";

const SUGGEST_NULL_CHECK = "Add a NULL check before the access and dereference the pointer only on the non-NULL path.";

const EXPECTED = [
  {
    name: "no_null_check",
    reason: "R0 invalid mem access 'map_value_or_null'",
    insnIndex: 7,
    instruction: "r0 = *(u64 *)(r0 +8)",
    source: "return value[1]; /* wrong */ @ bad.bpf.c:55",
    suggestion: SUGGEST_NULL_CHECK,
  },
  {
    name: "in_subprogram",
    reason: "R0 invalid mem access 'map_value_or_null'",
    insnIndex: 9,
    instruction: "r0 = *(u64 *)(r0 +0)",
    source: "return *value; /* wrong */ @ bad.bpf.c:62",
    suggestion: SUGGEST_NULL_CHECK,
  },
  {
    // The report stands between the two lines.
    name: "leaked",
    reason: "Unreleased reference id=2 alloc_insn=4\nBPF_EXIT instruction in main prog would lead to reference leak",
    insnIndex: 9,
    instruction: "exit",
    source: "return 0; @ bad.bpf.c:78",
    suggestion: "Release or transfer ownership of the acquired resource on every path before the program exits.",
  },
  {
    // No report.
    name: "bad_stack",
    reason: "invalid write to stack R10 off=-520 size=8",
    insnIndex: 1,
    instruction: "*(u64 *)(r10 -520) = r1",
    source: 'asm volatile("r1 = 1\\n" @ bad.bpf.c:93',
    suggestion: undefined,
  },
];

for (const { name, ...expected } of EXPECTED) {
  Deno.test(`findComplaint() of a log with a report, ${name}: the verifier's own line, and the suggestion`, () => {
    assertEquals(findComplaint(logOf(name)), expected);
  });
}

Deno.test("findComplaint() of a log that is cut inside the report finds the line before it", () => {
  const log = logOf("unbounded");
  const start = log.indexOf("Verification failed: ");
  assert(start > 0);
  for (let end = start + "Verification failed: ".length; end < log.length - 100; end += 37) {
    const complaint = findComplaint(log.slice(0, end));
    assert(complaint?.reason.startsWith("math between map_value pointer and register"), log.slice(0, end));
  }
});

function logOf(name: string): string {
  return new TextDecoder().decode(testdata(`verifier_logs/7.3-${name}.log`));
}
