/**
 * What attaches programs to network devices, sockets and cgroups.
 *
 * Their section names do not say to which device, socket or cgroup: the functions of this room take that.
 *
 * @module
 */
import { UnsupportedError } from "../../lib/errors.ts";
import type { Attacher, Attachers } from "./attacher.ts";

/** By kind. */
export const NETWORK_ATTACHERS: Attachers = {
  xdp: calledFor("attachXdp(program, { interface })"),
  tcx: calledFor("attachTcx(program, { interface })"),
  netkit: calledFor("attachNetkit(program, { interface })"),
  tc: calledFor("attachTc(program, { interface, direction })"),
  action: calledFor("attachTc(program, { interface, direction })"),
  cgroup: calledFor("attachCgroup(program, { path })"),
  sock_ops: calledFor("attachCgroup(program, { path })"),
  sk_lookup: calledFor("attachSkLookup(program)"),
  flow_dissector: calledFor("attachFlowDissector(program)"),
  netfilter: calledFor("attachNetfilter(program, { family, hook, priority })"),
  socket_filter: calledFor("attachSocketFilter(program, { socket }) or { interface }"),
  sk_reuseport: calledFor("attachReuseport(program, { socket })"),
  sk_skb: calledFor("attachSockmap(program, map)"),
  sk_msg: calledFor("attachSockmap(program, map)"),
  lwt: calledFor("attachLwt(program, { destination, interface })"),
};

function calledFor(call: string): Attacher {
  return (_program, spec) => {
    const place = `program "${spec.name}" (section "${spec.section}")`;
    throw new UnsupportedError(
      "attaching by section name",
      `${place}: the section name does not say what to attach to: use ${call}`,
    );
  };
}
