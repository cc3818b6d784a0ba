/**
 * Downloads packages of other Debian suites or architectures, and unpacks them; installs nothing.
 *
 * `deno run -A scripts/fetch_deb.ts SUITE ARCH FOLDER PATTERN...`
 *
 * Each pattern is an extended regular expression for a whole package name; the newest name that matches is taken. The
 * mirror is the one that this machine's apt uses. Needs apt and dpkg, but not root.
 *
 * @module
 */
import { basename, join, resolve } from "@std/path";
import { command } from "./command.ts";

/** Suites that have security updates in an archive of their own. */
const WITH_SECURITY = ["bullseye", "bookworm", "trixie"];
const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";
/** Builds of a kernel that nobody boots here. */
const UNWANTED = /dbg|unsigned|template|-rt-/;

/** What to fetch. */
export interface FetchOptions {
  /** Debian's name of the release: `sid`, `trixie`. */
  readonly suite: string;
  /** Debian's name of the architecture: `amd64`. */
  readonly arch: string;
  /** Where the packages are unpacked. */
  readonly out: string;
  /** Regular expressions for whole package names. */
  readonly patterns: readonly string[];
  /** Where package lists and packages are kept; default: .cache/deb. */
  readonly cache?: string;
}

/**
 * Downloads and unpacks, and gives the names of the packages.
 *
 * @throws {Error} Where apt knows no mirror, or no package matches.
 */
export async function fetchDeb(options: FetchOptions): Promise<string[]> {
  const { suite, arch, out, patterns, cache = ".cache/deb" } = options;
  const root = resolve(cache, `${suite}-${arch}`);
  const debs = join(root, "debs");
  await Deno.mkdir(out, { recursive: true });
  const apt = await aptFor(root, suite, arch);
  await apt("apt-get", ["update", "-qq"]);
  const names: string[] = [];
  for (const pattern of patterns) {
    const name = newest(await apt("apt-cache", ["search", "--names-only", `^${pattern}$`]));
    if (!name) throw new Error(`no package matches ${pattern} in ${suite}/${arch}`);
    await Deno.mkdir(debs, { recursive: true });
    await removeOlder(debs, name);
    await apt("apt-get", ["download", "-qq", name], debs);
    const [file] = await packagesOf(debs, name);
    if (!file) throw new Error(`apt downloaded nothing for ${name}`);
    await command("dpkg-deb", ["-x", file, out]);
    names.push(name);
  }
  return names;
}

type Apt = (program: string, args: string[], cwd?: string) => Promise<string>;

/** An apt that has its own sources, lists and state, below `root`. */
async function aptFor(root: string, suite: string, arch: string): Promise<Apt> {
  const mirror = await mirrorOfThisMachine();
  for (
    const folder of [
      "lists/partial",
      "cache/archives/partial",
      "state",
      "etc/apt.conf.d",
      "etc/preferences.d",
      "etc/trusted.gpg.d",
    ]
  ) {
    await Deno.mkdir(join(root, folder), { recursive: true });
  }
  const source = (url: string, name: string) => `deb [arch=${arch} signed-by=${KEYRING}] ${url} ${name} main\n`;
  const security = WITH_SECURITY.includes(suite) ? source(`${mirror}-security`, `${suite}-security`) : "";
  await Deno.writeTextFile(join(root, "state/status"), "");
  await Deno.writeTextFile(join(root, "etc/sources.list"), source(mirror, suite) + security);
  const settings = {
    "APT::Architecture": arch,
    "APT::Architectures": arch,
    "APT::Sandbox::User": "root",
    "Acquire::Languages": "none",
    "Acquire::Check-Valid-Until": "false",
    "Acquire::GzipIndexes": "true",
    "Dir::Cache": join(root, "cache"),
    "Dir::Etc": join(root, "etc"),
    "Dir::Etc::parts": join(root, "etc/apt.conf.d"),
    "Dir::Etc::sourcelist": join(root, "etc/sources.list"),
    "Dir::Etc::sourceparts": "-",
    "Dir::State": join(root, "state"),
    "Dir::State::lists": join(root, "lists"),
    "Dir::State::status": join(root, "state/status"),
  };
  const config = join(root, "apt.conf");
  await Deno.writeTextFile(config, Object.entries(settings).map(([key, value]) => `${key} "${value}";\n`).join(""));
  const env = { APT_CONFIG: config };
  return (program, args, cwd = root) => command(program, args, { cwd, env });
}

async function mirrorOfThisMachine(): Promise<string> {
  const files = ["/etc/apt/sources.list"];
  for await (const { name } of Deno.readDir("/etc/apt/sources.list.d")) files.push(`/etc/apt/sources.list.d/${name}`);
  for (const file of files) {
    const text = await Deno.readTextFile(file).catch(() => "");
    const mirror = /^[^#\n]*?(https?:\/\/\S+\/debian)\/?(\s|$)/m.exec(text)?.[1];
    if (mirror) return mirror;
  }
  throw new Error("this machine's apt sources name no Debian mirror");
}

function newest(searchResult: string): string | undefined {
  const names = searchResult.split("\n").map((line) => line.split(" ")[0] ?? "").filter((name) => name !== "");
  const order = new Intl.Collator("en", { numeric: true });
  return names.filter((name) => !UNWANTED.test(name)).sort(order.compare).at(-1);
}

async function packagesOf(folder: string, name: string): Promise<string[]> {
  const files = await Array.fromAsync(Deno.readDir(folder));
  return files.filter((file) => file.name.startsWith(`${name}_`)).map((file) => join(folder, file.name));
}

/** apt leaves a package alone that is there already: the version that stays behind is the one it would take. */
async function removeOlder(folder: string, name: string): Promise<void> {
  for (const file of await packagesOf(folder, name)) await Deno.remove(file);
}

if (import.meta.main) {
  const [suite, arch, out, ...patterns] = Deno.args;
  if (!suite || !arch || !out || patterns.length === 0) {
    console.error(`usage: ${basename(import.meta.url)} SUITE ARCH FOLDER PATTERN...`);
    Deno.exit(2);
  }
  for (const name of await fetchDeb({ suite, arch, out, patterns })) console.log(name);
}
