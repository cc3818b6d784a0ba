/**
 * USDT probes of user programs (`SEC("usdt/PATH:PROVIDER:NAME")`).
 *
 * A probe has one or more places in the code, and in each its arguments may be elsewhere. A program that was built with
 * libbpf's `usdt.bpf.h` finds them by a spec in the map `__bpf_usdt_specs`. Its number is the cookie of the attachment; on
 * kernels before 5.15, which have no cookies, it is found by address in the map `__bpf_usdt_ip_to_spec_id`.
 *
 * @module
 */
import { nearestNames } from "../../lib/core/mod.ts";
import { UnsupportedError } from "../../lib/errors.ts";
import { BpfAttachType } from "../../lib/uapi/mod.ts";
import { parseUsdtArguments, readUsdtNotes, type UsdtSite, usdtSites } from "../../lib/usdt/mod.ts";
import { hasAttachCookie, hasUprobeSyscall } from "../features/mod.ts";
import type { BpfMap } from "../map/mod.ts";
import type { BpfProgram } from "../program/mod.ts";
import * as sys from "../sys/mod.ts";
import { Link } from "./link.ts";
import { loadedAddress } from "./process_maps.ts";
import { openUprobe, watchedPid } from "./uprobe.ts";
import { createUprobeMulti } from "./uprobe_multi.ts";
import { UsdtSpecIds, usdtSpecValue } from "./usdt_spec.ts";
import { UserBinary, type UserBinaryOptions } from "./user_binary.ts";
import { UserFunctionError } from "./user_function_error.ts";
import { realPath } from "./user_path.ts";

/** Which probe {@linkcode attachUsdt} attaches to. */
export interface AttachUsdtOptions extends UserBinaryOptions {
  /** Who declares the probe: `libc`. */
  readonly provider: string;
  /** Its name: `setjmp`. */
  readonly name: string;
  /** Only this process, 0 for the calling one; all by default. */
  readonly pid?: number | undefined;
  /** What `bpf_usdt_cookie()` gives the program. */
  readonly cookie?: bigint | undefined;
  /** The maps of `usdt.bpf.h` by name, for a program that was opened; by default those that it was loaded with. */
  readonly maps?: ReadonlyMap<string, BpfMap> | undefined;
}

const SPECS = "__bpf_usdt_specs";
const IP_TO_SPEC_ID = "__bpf_usdt_ip_to_spec_id";

/**
 * Attaches to all places of a USDT probe of a program or library.
 *
 * @param program A program of type kprobe, built with libbpf's `usdt.bpf.h` or what is like it.
 * @param options Which probe: `{ path: "libc.so.6", provider: "libc", name: "setjmp" }`.
 * @throws {UserFunctionError} if there is no such file or probe.
 * @throws {UnsupportedError} if an argument is where programs cannot read it, or the kernel cannot do what the probe needs.
 * @throws {sys.SyscallError} if the kernel refuses it.
 */
export function attachUsdt(program: BpfProgram, options: AttachUsdtOptions): Link {
  const { provider, name } = options;
  const place = `program "${program.name}"`;
  const maps = usdtMaps(program, options, place);
  const binary = new UserBinary(options, place);
  const probe = `${place}: "${binary.path}": probe "${provider}:${name}"`;
  const sites = usdtSites(binary.executable, provider, name, { preferNop5: hasUprobeSyscall() });
  if (sites.length === 0) throw noProbe(binary, probe, `${provider}:${name}`);
  using cleanup = new DisposableStack();
  const specs = fillSpecs(sites, binary.executable.machine, maps.specs, options.cookie ?? 0n, probe, cleanup);
  const target = { program, binary, sites, specs, maps, pid: watchedPid(options.pid), place, probe };
  const links = isMulti(program) ? [attachTogether(target, cleanup)] : attachEach(target, cleanup);
  const ids = links.flatMap((held) => held.links).map((link) => sys.linkInfo(link.value).id);
  const held = cleanup.move();
  return new Link({
    kind: "usdt",
    target: `${binary.path}:${provider}:${name}`,
    program: program.name,
    fds: links.flatMap(({ fds }) => fds),
    links: links.flatMap(({ links }) => links),
    // What is pinned runs on: its specs stay in use.
    after: () => {
      if (!ids.some(isThere)) held.dispose();
    },
  });
}

function isThere(link: number): boolean {
  try {
    sys.linkGetFdById(link).close();
    return true;
  } catch (error) {
    if (error instanceof sys.SyscallError) return false;
    throw error;
  }
}

interface UsdtMaps {
  readonly specs: BpfMap;
  readonly ipToSpecId: BpfMap | undefined;
}

interface Target {
  readonly program: BpfProgram;
  readonly binary: UserBinary;
  readonly sites: readonly UsdtSite[];
  /** Number of the spec of each site. */
  readonly specs: readonly number[];
  readonly maps: UsdtMaps;
  readonly pid: number;
  readonly place: string;
  readonly probe: string;
}

/** What holds some of the sites. */
interface Held {
  readonly fds: readonly sys.Fd[];
  readonly links: readonly sys.Fd[];
}

function usdtMaps(program: BpfProgram, options: AttachUsdtOptions, place: string): UsdtMaps {
  const maps = options.maps ?? program.image.maps;
  const specs = maps?.get(SPECS);
  if (specs !== undefined) return { specs, ipToSpecId: maps?.get(IP_TO_SPEC_ID) };
  throw new UnsupportedError(
    "USDT programs without specs",
    `${place}: its object has no map "${SPECS}": include bpf/usdt.bpf.h`,
  );
}

/** Such programs are loaded for links of many probes where this kernel has them. */
function isMulti(program: BpfProgram): boolean {
  return program.image.expectedAttachType === BpfAttachType.BPF_TRACE_UPROBE_MULTI;
}

function noProbe(binary: UserBinary, probe: string, name: string): UserFunctionError {
  const { path } = binary;
  const names = new Set(readUsdtNotes(binary.executable).map((note) => `${note.provider}:${note.name}`));
  const candidates = nearestNames(name, names);
  const what = names.size === 0
    ? "it has no USDT probes"
    : candidates.length === 0
    ? `it has ${names.size} other probes`
    : `there is ${candidates.join(", ")}`;
  return new UserFunctionError(`${probe} is not there: ${what}`, { path, problem: "missing", candidates });
}

/** Writes the specs of all sites, one for each that differs; gives the number of each site's. */
function fillSpecs(
  sites: readonly UsdtSite[],
  machine: number,
  map: BpfMap,
  cookie: bigint,
  probe: string,
  cleanup: DisposableStack,
): number[] {
  // Everything that can be wrong with arguments is found before anything is changed.
  const values = new Map(
    sites.map(({ arguments: text }) => [
      text,
      usdtSpecValue(map, parseUsdtArguments(text, machine, probe), cookie, probe),
    ]),
  );
  const ids = UsdtSpecIds.of(map);
  const numbers = new Map<string, number>();
  cleanup.defer(() => ids.release(numbers.values()));
  for (const [text, value] of values) {
    const id = ids.take(probe);
    numbers.set(text, id);
    map.set(id, value);
  }
  return sites.map((site) => numbers.get(site.arguments)!);
}

function attachTogether({ program, binary, sites, specs, pid, place }: Target, cleanup: DisposableStack): Held {
  const counted = sites.some(({ semaphoreOffset }) => semaphoreOffset !== 0);
  const fd = cleanup.use(createUprobeMulti(program, place, false, {
    path: binary.path,
    offsets: BigUint64Array.from(sites, ({ offset }) => BigInt(offset)),
    refCtrOffsets: counted ? BigUint64Array.from(sites, ({ semaphoreOffset }) => BigInt(semaphoreOffset)) : undefined,
    cookies: BigUint64Array.from(specs, BigInt),
    pid: Math.max(pid, 0),
  }));
  return { fds: [fd], links: [fd] };
}

function attachEach(target: Target, cleanup: DisposableStack): Held[] {
  const { program, binary, sites, specs, pid } = target;
  const cookies = hasAttachCookie();
  return sites.map((site, i) => {
    const id = specs[i]!;
    if (!cookies) mapAddress(target, site, id, cleanup);
    const probe = {
      path: binary.path,
      offset: site.offset,
      refCtrOffset: site.semaphoreOffset,
      retprobe: false,
      pid,
    };
    const { fds, links, after } = openUprobe(program, probe, cookies ? BigInt(id) : 0n);
    if (after !== undefined) cleanup.defer(after);
    for (const fd of fds) cleanup.use(fd);
    return { fds, links };
  });
}

/** Tells the program the spec of an address. */
function mapAddress(target: Target, site: UsdtSite, id: number, cleanup: DisposableStack): void {
  const { maps, probe } = target;
  const map = maps.ipToSpecId;
  if (map === undefined) {
    throw new UnsupportedError(
      "USDT programs without addresses",
      `${probe}: on this kernel (before 5.15) its object needs a map "${IP_TO_SPEC_ID}": include bpf/usdt.bpf.h`,
    );
  }
  const address = siteAddress(target, site);
  try {
    map.set(address, id, "noexist");
  } catch (error) {
    if (!(error instanceof sys.SyscallError) || error.code !== "EEXIST") throw error;
    throw new UnsupportedError(
      "several programs on a USDT probe",
      `${probe}: on this kernel (before 5.15) only one program of an object can be attached to it`,
      { since: "5.15", cause: error },
    );
  }
  cleanup.defer(() => map.delete(address));
}

function siteAddress({ binary, pid, probe }: Target, site: UsdtSite): bigint {
  const { executable, path } = binary;
  if (!executable.relocatable) return BigInt(site.address);
  if (pid < 0) {
    throw new UnsupportedError(
      "USDT probes of all processes",
      `${probe}: on this kernel (before 5.15) the process has to be named whose probe is watched: it is loaded anywhere`,
      { since: "5.15" },
    );
  }
  // A process knows its files by their real paths, in its own mount namespace.
  const root = /^\/proc\/\d+\/root(?=\/)/.exec(path)?.[0] ?? "";
  let address: bigint | undefined;
  try {
    address = loadedAddress(pid, realPath(path.slice(root.length), root), site.offset);
  } catch (error) {
    if (!(error instanceof sys.SyscallError) || sys.exists(`/proc/${pid}`)) throw error;
    throw new Error(`${probe}: there is no process ${pid}`, { cause: error });
  }
  if (address !== undefined) return address;
  throw new Error(`${probe}: process ${pid} has not loaded it`);
}
