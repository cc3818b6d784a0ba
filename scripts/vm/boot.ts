/**
 * Boots a kernel in qemu, emulated, and streams what it says.
 *
 * @module
 */
import { join } from "@std/path";
import { command } from "../command.ts";
import { cached } from "./cache.ts";
import { appendJob, baseArchive } from "./guest.ts";
import type { KernelImage } from "./kernel_image.ts";
import type { Arch } from "./kernels.ts";

/** What one virtual machine is to do. */
export interface BootOptions {
  readonly arch: Arch;
  readonly image: KernelImage;
  /** What sh runs there, in the checkout. */
  readonly script: string;
  /** Files of text by path, which the checkout there has, too. */
  readonly files?: Readonly<Record<string, string>>;
  /** Where the files go that it leaves in /out; they stay there without. */
  readonly out?: string | undefined;
  /** Seconds after which the machine is switched off. */
  readonly timeLimit: number;
  /** Gets each line that the machine says. */
  readonly line: (line: string) => void;
}

/** How a virtual machine ended. */
export interface Ended {
  /** The script's exit code; undefined where the machine stopped before the script ended. */
  readonly code: number | undefined;
  /** Why there is no code. */
  readonly why: string;
  /** Seconds from its start to its end. */
  readonly seconds: number;
  /** Whether files came back. */
  readonly files: boolean;
}

/** What a machine is like. */
interface Machine {
  readonly qemu: string;
  /** The package that has `qemu`. */
  readonly package: string;
  readonly args: readonly string[];
  readonly console: string;
  /** Where files go out: the device in the machine, and how qemu is told. */
  readonly filesPort: string;
  readonly files: (path: string) => string[];
}

const MACHINES: Record<Arch, Machine> = {
  amd64: {
    qemu: "qemu-system-x86_64",
    package: "qemu-system-x86",
    // Programs take a newer CPU's wide registers, whose emulation takes twice as long; so do page tables of five levels.
    args: ["-machine", "q35", "-cpu", "Nehalem"],
    console: "ttyS0",
    filesPort: "/dev/ttyS1",
    files: (path) => ["-serial", `file:${path}`],
  },
  arm64: {
    qemu: "qemu-system-aarch64",
    package: "qemu-system-arm",
    args: ["-machine", "virt", "-cpu", "cortex-a76"],
    console: "ttyAMA0",
    // The machine has one serial port only.
    filesPort: "/dev/vport0p1",
    files: (path) => [
      ...["-chardev", `file,id=files,path=${path}`],
      ...["-device", "virtio-serial-pci", "-device", "virtserialport,chardev=files"],
    ],
  },
};

/** Not all kernels have bpf among those that they use unless told so. */
const LSM = "lockdown,yama,apparmor,bpf";
const MEMORY_MB = 1536;
const CPUS = 2;

/** Boots, runs the script, brings its files back. */
export async function boot(options: BootOptions): Promise<Ended> {
  const { arch, out } = options;
  const machine = MACHINES[arch];
  await Deno.mkdir(cached(), { recursive: true });
  const folder = await Deno.makeTempDir({ dir: cached(), prefix: "boot-" });
  try {
    const archive = join(folder, "initrd");
    await Deno.copyFile(await baseArchive(arch), archive);
    const { script, image: { modules, config, release } } = options;
    const files: Record<string, string> = { ...options.files };
    if (config !== undefined) files[`/boot/config-${release}`] = await Deno.readTextFile(config);
    await appendJob(archive, { script, files, filesPort: machine.filesPort, modules });
    const sent = join(folder, "files.tar.gz");
    const ended = await run(machine, archive, sent, options);
    // A machine that is switched off while it sends them leaves half an archive.
    if (ended.code === undefined || out === undefined || (await Deno.stat(sent)).size === 0) return ended;
    await Deno.mkdir(out, { recursive: true });
    await command("tar", ["-C", out, "-xzf", sent]);
    return { ...ended, files: true };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function run(machine: Machine, archive: string, files: string, options: BootOptions): Promise<Ended> {
  const started = performance.now();
  const child = spawn(machine, [
    ...machine.args,
    ...["-accel", "tcg,thread=multi", "-m", `${MEMORY_MB}`, "-smp", `${CPUS}`],
    ...["-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-monitor", "none"],
    ...["-serial", "stdio", ...machine.files(files)],
    ...["-kernel", options.image.path, "-initrd", archive],
    ...["-append", `console=${machine.console} quiet panic=-1 mitigations=off lsm=${LSM}`],
  ]);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill("SIGKILL");
  }, options.timeLimit * 1000);
  let code: number | undefined;
  try {
    for await (const line of lines(child.stdout)) {
      // What the job said last may have no end of line.
      const [, before = line, exit] = /^(.*)VM-EXIT (\d+) [\d.]+$/.exec(line) ?? [];
      if (exit !== undefined) code = Number(exit);
      if (exit === undefined || before !== "") options.line(before);
    }
    await child.status;
  } finally {
    clearTimeout(timer);
  }
  const why = late
    ? `it took longer than ${options.timeLimit} seconds`
    : code === undefined
    ? "the kernel stopped before the job ended"
    : "";
  const seconds = Math.round((performance.now() - started) / 1000);
  return { code: late ? undefined : code, why, seconds, files: false };
}

function spawn(machine: Machine, args: string[]): Deno.ChildProcess {
  try {
    return new Deno.Command(machine.qemu, { args, stdin: "null", stdout: "piped", stderr: "inherit" }).spawn();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Error(`${machine.qemu} is not installed: apt-get install ${machine.package}`);
  }
}

/** A console ends its lines with a carriage return and a line feed. */
async function* lines(bytes: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of bytes.pipeThrough(new TextDecoderStream())) {
    const all = (rest + text).split(/\r*\n/);
    rest = all.pop() ?? "";
    yield* all;
  }
  if (rest !== "") yield rest;
}
