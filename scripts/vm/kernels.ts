/**
 * The kernels that tests boot, and which of Debian's packages they are.
 *
 * @module
 */

/** Debian's name of an architecture whose kernels can be booted. */
export type Arch = "amd64" | "arm64";

/** Packages that hold a kernel's image. */
export interface KernelPackages {
  /** Debian's name of the release. */
  readonly suite: string;
  /** Regular expressions for whole package names. */
  readonly patterns: readonly string[];
}

/** A kernel to boot. */
export interface Kernel extends KernelPackages {
  /** What users call it: `6.12`. */
  readonly name: string;
  /** What it runs on. */
  readonly arch: Arch;
}

/** A cloud kernel of Debian: few drivers, all of BPF. */
function cloud(name: string, arch: Arch): Kernel {
  switch (name) {
    case "5.10":
      return { name, arch, suite: "bullseye", patterns: [`linux-image-5\\.10\\.0-[0-9]+-cloud-${arch}`] };
    case "6.1":
      return { name, arch, suite: "bookworm", patterns: [`linux-image-6\\.1\\.0-[0-9]+-cloud-${arch}`] };
    case "6.12":
      return { name, arch, suite: "trixie", patterns: [`linux-image-6\\.12\\.[0-9]+\\+deb13-cloud-${arch}`] };
    default: {
      // From 6.19 on linux-image-* is an empty package that only depends on these: image, configuration, modules.
      const parts = ["binary", "base", "modules"];
      const patterns = parts.map((part) => `linux-${part}-7\\.[0-9.]+\\+deb13-cloud-${arch}`);
      return { name, arch, suite: "trixie-backports", patterns };
    }
  }
}

const NAMES = ["5.10", "6.1", "6.12", "7.x"] as const;

/** All kernels that can be booted, oldest first. */
export const KERNELS: readonly Kernel[] = (["amd64", "arm64"] as const).flatMap((arch) =>
  NAMES.map((name) => cloud(name, arch))
);

/** What boots where no kernel is named: all of amd64; one of arm64, whose emulation takes longer. */
const DEFAULTS: Record<Arch, readonly string[]> = { amd64: NAMES, arm64: ["6.12"] };

/**
 * The kernels of those names on an architecture; the usual ones where there is no name.
 *
 * @throws {Error} Where there is none of a name.
 */
export function chosenKernels(names: readonly string[], arch: Arch): Kernel[] {
  const known = KERNELS.filter((kernel) => kernel.arch === arch);
  return (names.length > 0 ? names : DEFAULTS[arch]).map((name) => {
    const wanted = name.startsWith("7") ? "7.x" : name;
    const found = known.find((kernel) => kernel.name === wanted);
    if (found) return found;
    throw new Error(`there is no kernel ${name} to boot; there are ${NAMES.join(", ")}`);
  });
}

/** Every kernel that boots where none is named, of all architectures: the columns of docs/kernels.md. */
export function usualKernels(): Kernel[] {
  return [...chosenKernels([], "amd64"), ...chosenKernels([], "arm64")];
}
