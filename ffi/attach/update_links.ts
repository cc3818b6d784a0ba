/**
 * Putting another program in the place of an attached one.
 *
 * @module
 */
import { UnsupportedError } from "../../lib/errors.ts";
import * as sys from "../sys/mod.ts";

/**
 * Updates links, all or none.
 *
 * @param place What they are, for messages.
 * @param kind How they are attached; those of struct_ops are of maps.
 * @param links The links.
 * @param replacement The program or map that counts from now on.
 * @param expected What has to count now.
 */
export function updateLinks(
  place: string,
  kind: string,
  links: readonly sys.Fd[],
  replacement: { readonly fd: number },
  expected: { readonly fd: number } | undefined,
): void {
  const ofMap = kind === "struct_ops";
  using undo = new DisposableStack();
  for (const link of links) {
    // What was there is only needed if a later one fails.
    const before = links.length > 1 && !ofMap
      ? undo.use(sys.progGetFdById(sys.linkInfo(link.value).progId))
      : undefined;
    try {
      sys.linkUpdate(link.value, request(ofMap, replacement.fd, expected?.fd));
    } catch (error) {
      throw explained(error, place, kind);
    }
    if (before !== undefined) undo.defer(() => sys.linkUpdate(link.value, { newProgFd: before.value }));
  }
  undo.move();
}

function request(ofMap: boolean, fd: number, old: number | undefined): sys.LinkUpdateOptions {
  return ofMap ? { newMapFd: fd, oldMapFd: old } : { newProgFd: fd, oldProgFd: old };
}

/** Kinds whose program the kernel can replace: those whose `struct bpf_link_ops` has `update_prog` or `update_map`. */
const UPDATABLE: ReadonlySet<string> = new Set([
  "cgroup",
  "flow_dissector",
  "iter",
  "netkit",
  "sk_lookup",
  "sk_msg",
  "sk_skb",
  "sock_ops",
  "struct_ops",
  "tcx",
  "xdp",
]);

function explained(error: unknown, place: string, kind: string): unknown {
  if (!(error instanceof sys.SyscallError)) return error;
  const hint = (text: string) => new sys.SyscallError(error.call, error.errno, { hint: text, place, cause: error });
  switch (error.code) {
    case "ENOLINK":
      return hint(
        "what it was on (a network device, a network namespace, a cgroup, a map) is gone, or it was detached: attach the " +
          "program anew, and pin that link in the place of this one (updateOrAttach() does both)",
      );
    case "EPERM":
      return hint("another program than the expected one is attached");
    case "EINVAL":
    case "EOPNOTSUPP":
      if (!UPDATABLE.has(kind)) {
        const message =
          `${place}: the kernel cannot replace the program of a ${kind} link: attach the other program, then ` +
          "close this link";
        return new UnsupportedError("updating a link", message, { cause: error });
      }
      return hint(
        "the new program is not of the type and attach type of the link, or this kernel cannot update such links",
      );
    default:
      return error.at(place);
  }
}
