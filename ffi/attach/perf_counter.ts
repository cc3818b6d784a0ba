/**
 * Names of perf events, as perf(1) calls them: `cpu-clock`, `cycles`.
 *
 * Source: linux/perf_event.h; tools/perf/util/parse-events.l.
 *
 * @module
 */
import { nearestNames } from "../../lib/core/mod.ts";
import { PerfHardware, PerfSoftware, PerfType } from "../../lib/uapi/mod.ts";

/** What a perf event counts, as the kernel takes it. */
export interface PerfCounter {
  /** `PERF_TYPE_*`, or the number of a PMU in /sys/bus/event_source/devices. */
  readonly type: number;
  /** Which event of that type. */
  readonly config: number | bigint;
}

const software = (config: number): PerfCounter => ({ type: PerfType.PERF_TYPE_SOFTWARE, config });
const hardware = (config: number): PerfCounter => ({ type: PerfType.PERF_TYPE_HARDWARE, config });

/** Name of a software or hardware event. */
export type PerfEventName =
  | "cpu-clock"
  | "task-clock"
  | "page-faults"
  | "minor-faults"
  | "major-faults"
  | "context-switches"
  | "cpu-migrations"
  | "alignment-faults"
  | "emulation-faults"
  | "cgroup-switches"
  | "cycles"
  | "instructions"
  | "cache-references"
  | "cache-misses"
  | "branches"
  | "branch-misses"
  | "bus-cycles"
  | "stalled-cycles-frontend"
  | "stalled-cycles-backend"
  | "ref-cycles";

/** Events that one word names. */
const NAMED: Readonly<Record<PerfEventName, PerfCounter>> = {
  "cpu-clock": software(PerfSoftware.PERF_COUNT_SW_CPU_CLOCK),
  "task-clock": software(PerfSoftware.PERF_COUNT_SW_TASK_CLOCK),
  "page-faults": software(PerfSoftware.PERF_COUNT_SW_PAGE_FAULTS),
  "minor-faults": software(PerfSoftware.PERF_COUNT_SW_PAGE_FAULTS_MIN),
  "major-faults": software(PerfSoftware.PERF_COUNT_SW_PAGE_FAULTS_MAJ),
  "context-switches": software(PerfSoftware.PERF_COUNT_SW_CONTEXT_SWITCHES),
  "cpu-migrations": software(PerfSoftware.PERF_COUNT_SW_CPU_MIGRATIONS),
  "alignment-faults": software(PerfSoftware.PERF_COUNT_SW_ALIGNMENT_FAULTS),
  "emulation-faults": software(PerfSoftware.PERF_COUNT_SW_EMULATION_FAULTS),
  "cgroup-switches": software(PerfSoftware.PERF_COUNT_SW_CGROUP_SWITCHES),
  cycles: hardware(PerfHardware.PERF_COUNT_HW_CPU_CYCLES),
  instructions: hardware(PerfHardware.PERF_COUNT_HW_INSTRUCTIONS),
  "cache-references": hardware(PerfHardware.PERF_COUNT_HW_CACHE_REFERENCES),
  "cache-misses": hardware(PerfHardware.PERF_COUNT_HW_CACHE_MISSES),
  branches: hardware(PerfHardware.PERF_COUNT_HW_BRANCH_INSTRUCTIONS),
  "branch-misses": hardware(PerfHardware.PERF_COUNT_HW_BRANCH_MISSES),
  "bus-cycles": hardware(PerfHardware.PERF_COUNT_HW_BUS_CYCLES),
  "stalled-cycles-frontend": hardware(PerfHardware.PERF_COUNT_HW_STALLED_CYCLES_FRONTEND),
  "stalled-cycles-backend": hardware(PerfHardware.PERF_COUNT_HW_STALLED_CYCLES_BACKEND),
  "ref-cycles": hardware(PerfHardware.PERF_COUNT_HW_REF_CPU_CYCLES),
};

/**
 * The event of that name.
 *
 * @param place What messages begin with.
 * @throws {TypeError} naming the closest.
 */
export function namedPerfEvent(name: string, place: string): PerfCounter {
  if (Object.hasOwn(NAMED, name)) return NAMED[name as PerfEventName];
  const near = nearestNames(name, Object.keys(NAMED));
  const hint = near.length > 0 ? near.join(", ") : Object.keys(NAMED).join(", ");
  throw new TypeError(`${place}: there is no perf event "${name}"; there is ${hint}, or any as { type, config }`);
}
