/**
 * Attach types of cgroups, in bpftool's words and order.
 *
 * @module
 */
import { BpfAttachType } from "../../lib/uapi/mod.ts";
import { attachTypeName } from "../kernel_names.ts";

/** All of them. */
export const CGROUP_ATTACH_TYPES: readonly BpfAttachType[] = [
  BpfAttachType.BPF_CGROUP_INET_INGRESS,
  BpfAttachType.BPF_CGROUP_INET_EGRESS,
  BpfAttachType.BPF_CGROUP_INET_SOCK_CREATE,
  BpfAttachType.BPF_CGROUP_SOCK_OPS,
  BpfAttachType.BPF_CGROUP_DEVICE,
  BpfAttachType.BPF_CGROUP_INET4_BIND,
  BpfAttachType.BPF_CGROUP_INET6_BIND,
  BpfAttachType.BPF_CGROUP_INET4_CONNECT,
  BpfAttachType.BPF_CGROUP_INET6_CONNECT,
  BpfAttachType.BPF_CGROUP_UNIX_CONNECT,
  BpfAttachType.BPF_CGROUP_INET4_POST_BIND,
  BpfAttachType.BPF_CGROUP_INET6_POST_BIND,
  BpfAttachType.BPF_CGROUP_INET4_GETPEERNAME,
  BpfAttachType.BPF_CGROUP_INET6_GETPEERNAME,
  BpfAttachType.BPF_CGROUP_UNIX_GETPEERNAME,
  BpfAttachType.BPF_CGROUP_INET4_GETSOCKNAME,
  BpfAttachType.BPF_CGROUP_INET6_GETSOCKNAME,
  BpfAttachType.BPF_CGROUP_UNIX_GETSOCKNAME,
  BpfAttachType.BPF_CGROUP_UDP4_SENDMSG,
  BpfAttachType.BPF_CGROUP_UDP6_SENDMSG,
  BpfAttachType.BPF_CGROUP_UNIX_SENDMSG,
  BpfAttachType.BPF_CGROUP_SYSCTL,
  BpfAttachType.BPF_CGROUP_UDP4_RECVMSG,
  BpfAttachType.BPF_CGROUP_UDP6_RECVMSG,
  BpfAttachType.BPF_CGROUP_UNIX_RECVMSG,
  BpfAttachType.BPF_CGROUP_GETSOCKOPT,
  BpfAttachType.BPF_CGROUP_SETSOCKOPT,
  BpfAttachType.BPF_CGROUP_INET_SOCK_RELEASE,
  BpfAttachType.BPF_LSM_CGROUP,
];

/** The attach type of that name, whole or cut short where only one begins so. */
export function cgroupAttachType(name: string): BpfAttachType | undefined {
  const exact = CGROUP_ATTACH_TYPES.find((type) => attachTypeName(type) === name);
  if (exact !== undefined) return exact;
  const begun = CGROUP_ATTACH_TYPES.filter((type) => attachTypeName(type).startsWith(name));
  return begun.length === 1 ? begun[0] : undefined;
}
