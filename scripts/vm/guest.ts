/**
 * The first file system of a virtual machine: busybox, a shell, glibc, Deno, from Debian's packages and npm's; then the
 * checkout and the job.
 *
 * @module
 */
import { basename, join, resolve } from "@std/path";
import { command } from "../command.ts";
import { fetchDeb } from "../fetch_deb.ts";
import { cached, once, ROOT } from "./cache.ts";
import { CpioWriter } from "./cpio.ts";
import type { Arch } from "./kernels.ts";

/** The release that programs of the machine are taken from. */
const SUITE = "bookworm";
const PACKAGES = [
  "bpftool",
  "busybox-static",
  "coreutils",
  "dash",
  "libc6",
  "libcap2",
  "libelf1",
  "libgcc-s1",
  "zlib1g",
];
/** What tests start, and where the packages have it. Busybox's shell would run programs of its own without an exec. */
const PROGRAMS: Record<string, string> = {
  "usr/bin/busybox": "bin/busybox",
  "usr/bin/cat": "bin/cat",
  "usr/bin/sh": "bin/dash",
  "usr/bin/sleep": "bin/sleep",
  "usr/bin/true": "bin/true",
  "usr/sbin/bpftool": "usr/sbin/bpftool",
};
const TRIPLET: Record<Arch, string> = { amd64: "x86_64-linux-gnu", arm64: "aarch64-linux-gnu" };
const HOST: Record<typeof Deno.build.arch, Arch> = { x86_64: "amd64", aarch64: "arm64" };
/** Parts of the checkout that no test looks at. */
const LEFT_OUT = [".git", ".cache", "node_modules", "coverage"].map((name) => join(ROOT, name));
/** Where Deno keeps what it has compiled, here and there. */
const DENO_DIR = cached("deno_dir");

/** An archive with everything that does not change from run to run; built once for each version of Deno. */
export async function baseArchive(arch: Arch): Promise<string> {
  const debs = await userland(arch);
  const deno = await denoFor(arch);
  return await once(cached("guest", `${arch}-${await recipe()}-deno-${Deno.version.deno}.cpio`), async (out) => {
    const archive = new CpioWriter();
    for (
      const name of ["dev", "proc", "sys", "tmp", "root", "out", "etc", "usr/bin", "usr/sbin", "usr/lib", "usr/lib64"]
    ) {
      archive.folder(name);
    }
    for (const name of ["bin", "sbin", "lib", "lib64"]) archive.link(name, `usr/${name}`);
    for (const [path, source] of Object.entries(PROGRAMS)) await archive.copy(path, join(debs, source));
    for (const name of await applets(arch, debs)) archive.link(`usr/bin/${name}`, "busybox");
    for (const folder of ["lib", "lib64", "usr/lib"]) {
      await copyLibraries(archive, join(debs, folder), folder.startsWith("usr/") ? folder : `usr/${folder}`);
    }
    archive.file("usr/bin/deno", await Deno.readFile(deno), 0o755);
    archive.file("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n");
    archive.file("etc/group", "root:x:0:\nnogroup:x:65534:\n");
    archive.file("etc/hosts", "127.0.0.1 localhost\n");
    await archive.write(out);
  });
}

/** What a virtual machine does. */
export interface Job {
  /** What sh runs, in the checkout. */
  readonly script: string;
  /** Where files go out: a character device. */
  readonly filesPort: string;
  /** Paths of kernel modules that are loaded before; those whose names end in `.xz` are unpacked. */
  readonly modules: readonly string[];
  /** Files of text by path, which begins with a slash or is in the checkout. */
  readonly files?: Readonly<Record<string, string>> | undefined;
}

/** Appends the checkout, at the same path as here, and the job to an archive. */
export async function appendJob(archive: string, job: Job): Promise<void> {
  const more = new CpioWriter();
  await more.copy(ROOT, ROOT, (path) => LEFT_OUT.includes(path));
  // Compiled modules are kept by path and content, so the same path makes them good there.
  await more.copy(DENO_DIR, DENO_DIR);
  const init = await Deno.readTextFile(join(ROOT, "scripts/vm/init.sh"));
  more.file("init", init.replace("\nexport ", `\nexport DENO_DIR=${DENO_DIR} VM_FILES=${job.filesPort} `), 0o755);
  more.file("job.sh", `cd ${ROOT}\n${job.script}\n`);
  for (const [path, text] of Object.entries(job.files ?? {})) more.file(resolve(ROOT, path), text);
  for (const [i, path] of job.modules.entries()) {
    // They are loaded in the order of their names.
    more.file(join("modules", `${String(i).padStart(2, "0")}_${basename(path, ".xz")}`), await moduleBytes(path));
  }
  await more.write(archive, { append: true });
}

async function moduleBytes(path: string): Promise<Uint8Array<ArrayBuffer>> {
  if (!path.endsWith(".xz")) return await Deno.readFile(path);
  const { code, stdout } = await new Deno.Command("xz", { args: ["-dc", path] }).output();
  if (code !== 0) throw new Error(`xz -dc ${path}: exit code ${code}`);
  return stdout;
}

/** Compiles the modules of the checkout, so that a slow machine does not have to. */
export async function prepareDenoDir(entries: readonly string[]): Promise<void> {
  await Deno.mkdir(DENO_DIR, { recursive: true });
  const args = ["cache", "--quiet", "--no-check", ...entries];
  // A module that does not compile is said here, and fails where it is used: there.
  await new Deno.Command(Deno.execPath(), { args, cwd: ROOT, env: { DENO_DIR } }).spawn().status;
}

/** A name for what is in the first file system: another list of packages makes another one. */
async function recipe(): Promise<string> {
  const text = new TextEncoder().encode(JSON.stringify([SUITE, PACKAGES, PROGRAMS]));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", text));
  return `${SUITE}-${digest.toHex().slice(0, 8)}`;
}

async function userland(arch: Arch): Promise<string> {
  return await once(cached("guest", `${arch}-${await recipe()}`), async (out) => {
    await fetchDeb({ suite: SUITE, arch, out, patterns: PACKAGES, cache: join(ROOT, ".cache", "deb") });
  });
}

/** The Deno that runs this, or npm's of the same version for another CPU. */
async function denoFor(arch: Arch): Promise<string> {
  if (arch === HOST[Deno.build.arch]) return Deno.execPath();
  const cpu = arch === "amd64" ? "x64" : "arm64";
  const name = `@deno/linux-${cpu}-glibc@${Deno.version.deno}`;
  return await once(cached("guest", `deno-${arch}-${Deno.version.deno}`), async (out) => {
    const folder = await Deno.makeTempDir();
    try {
      const packed = await command("npm", ["pack", "--silent", "--pack-destination", folder, name], { cwd: folder });
      await command("tar", ["-C", folder, "-xzf", join(folder, packed.trim())]);
      await Deno.copyFile(join(folder, "package/deno"), out);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

/** Names that busybox goes by. The package of another CPU has the same ones as that of this one. */
async function applets(arch: Arch, debs: string): Promise<string[]> {
  const own = HOST[Deno.build.arch];
  const busybox = join(arch === own ? debs : await userland(own), "bin/busybox");
  const names = (await command(busybox, ["--list"])).trim().split("\n");
  return names.filter((name) => !(`usr/bin/${name}` in PROGRAMS));
}

/** The loader and the libraries; not what they need to read other alphabets. */
async function copyLibraries(archive: CpioWriter, from: string, to: string): Promise<void> {
  const names = await Array.fromAsync(Deno.readDir(from)).catch(() => []);
  for (const { name, isDirectory } of names) {
    const [source, target] = [join(from, name), join(to, name)];
    if (isDirectory && Object.values(TRIPLET).includes(name)) await copyLibraries(archive, source, target);
    else if (!isDirectory) await archive.copy(target, source);
  }
}
