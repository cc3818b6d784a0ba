/**
 * The buffer of one CPU: a perf event of the kind that bpf_perf_event_output writes to.
 *
 * @module
 */
import { PerfReadFormat, PerfSample, PerfSoftware, PerfType } from "../../lib/uapi/mod.ts";
import * as sys from "../sys/mod.ts";

/** What the buffers of all CPUs have in common. */
export interface PerfCpuOptions {
  /** Size of the data in bytes: a power of two of pages. */
  readonly sizeBytes: number;
  /** Wake up after so many records; */
  readonly wakeupEvents: number;
  /** or after so many bytes. */
  readonly watermarkBytes: number | undefined;
  /** Samples carry their time. */
  readonly timestamps: boolean;
  /** Written from its end towards its beginning, over what is there. */
  readonly overwritable: boolean;
}

/** An open perf event and its memory. */
export class PerfCpu implements Disposable {
  /** Number of the CPU. */
  readonly cpu: number;
  /** The event. */
  readonly fd: number;
  /** The page of positions, then the data. */
  readonly memory: ArrayBuffer;
  readonly #countsLost: boolean;
  readonly #resources: DisposableStack;

  /**
   * Opens the event and maps its buffer.
   *
   * @throws {sys.SyscallError} if the kernel refuses it: code `ENODEV` for a CPU that is not online.
   */
  constructor(cpu: number, options: PerfCpuOptions) {
    using cleanup = new DisposableStack();
    const { fd, countsLost } = openEvent(cpu, options);
    cleanup.use(fd);
    const length = sys.pageSize() + options.sizeBytes;
    // Memory that cannot be written is what tells the kernel that nobody will say how far it was read.
    const memory = cleanup.use(sys.mapMemory({ fd: fd.value, length, writable: !options.overwritable }));
    sys.perfEventEnable(fd.value);
    this.cpu = cpu;
    this.fd = fd.value;
    this.memory = memory.buffer;
    this.#countsLost = countsLost;
    this.#resources = cleanup.move();
  }

  /** How many records did not fit so far, where the kernel tells (6.0): else what records say is all there is. */
  lost(): number | undefined {
    if (!this.#countsLost) return undefined;
    // struct read_format: value, lost.
    const answer = new BigUint64Array(2);
    const length = sys.calls.read(this.fd, new Uint8Array(answer.buffer));
    return length === answer.byteLength ? Number(answer[1]!) : undefined;
  }

  /** Unmaps and closes it. */
  [Symbol.dispose](): void {
    this.#resources.dispose();
  }
}

function openEvent(cpu: number, options: PerfCpuOptions): { fd: sys.Fd; countsLost: boolean } {
  const { watermarkBytes, wakeupEvents } = options;
  const attr = {
    type: PerfType.PERF_TYPE_SOFTWARE,
    config: PerfSoftware.PERF_COUNT_SW_BPF_OUTPUT,
    sampleType: PerfSample.PERF_SAMPLE_RAW | (options.timestamps ? PerfSample.PERF_SAMPLE_TIME : 0),
    samplePeriod: 1,
    ...(watermarkBytes === undefined ? { wakeupEvents } : { watermark: true, wakeupWatermark: watermarkBytes }),
    writeBackward: options.overwritable,
    disabled: true,
  };
  try {
    return {
      fd: sys.perfEventOpen({ ...attr, readFormat: PerfReadFormat.PERF_FORMAT_LOST }, { cpu }),
      countsLost: true,
    };
  } catch (error) {
    // Kernels before 6.0 do not know the format.
    if (!(error instanceof sys.SyscallError) || error.code !== "EINVAL") throw error;
    return { fd: sys.perfEventOpen(attr, { cpu }), countsLost: false };
  }
}
