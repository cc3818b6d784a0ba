/**
 * `debpf net`: programs of network devices. Words and JSON are bpftool's.
 *
 * @module
 */
import { networkDevice, progAttach, progDetach, xdpAttach, XdpFlag } from "../../ffi/sys/mod.ts";
import { BpfAttachType } from "../../lib/uapi/mod.ts";
import { readArgs } from "../args.ts";
import { Words } from "../btf/words.ts";
import { type Command, type Context, UsageError } from "../command.ts";
import { done } from "../map/elements.ts";
import { takeProgram, takeWord } from "../objects.ts";
import type { Output } from "../output.ts";
import { showNet } from "./show.ts";

const KEYWORDS = ["show", "list", "attach", "detach"] as const;

/** Flags of XDP, and the attach type of tcx, by bpftool's words. */
const XDP = {
  xdp: 0,
  xdpgeneric: XdpFlag.XDP_FLAGS_SKB_MODE,
  xdpdrv: XdpFlag.XDP_FLAGS_DRV_MODE,
  xdpoffload: XdpFlag.XDP_FLAGS_HW_MODE,
} as const;
const TCX = { tcx_ingress: BpfAttachType.BPF_TCX_INGRESS, tcx_egress: BpfAttachType.BPF_TCX_EGRESS } as const;
const TYPES = [...Object.keys(XDP), ...Object.keys(TCX)] as (keyof typeof XDP | keyof typeof TCX)[];

/** The command. */
export const command: Command = {
  usage: `usage: debpf net { show | list } [dev DEVICE]
       debpf net attach ATTACH_TYPE PROG dev DEVICE [overwrite]
       debpf net detach ATTACH_TYPE dev DEVICE

  ATTACH_TYPE: ${TYPES.join(", ")}
  PROG:        id ID, pinned PATH, tag TAG, or name NAME

  overwrite    take the place of the XDP program that is there`,
  run(args, context) {
    const { positional } = readArgs(args, { positional: ["[WORD]..."] });
    return runNet(new Words(positional), context);
  },
};

async function runNet(words: Words, { output }: Context): Promise<number> {
  const word = words.peek();
  const keyword = word === undefined ? "show" : words.keyword(...KEYWORDS);
  switch (keyword) {
    case "show":
    case "list": {
      const device = words.peek() === undefined ? undefined : takeDevice(words);
      words.end();
      return showNet(device, output);
    }
    case "attach":
      return await attach(words, output);
    case "detach":
      return detach(words, output);
    case undefined:
      throw new UsageError(`debpf net has no "${word}"; it has ${KEYWORDS.join(", ")}`);
    default:
      return keyword satisfies never;
  }
}

/** Without a link: it stays when this process has ended. */
async function attach(words: Words, output: Output): Promise<number> {
  const type = takeType(words);
  using program = await takeProgram(words);
  const { ifindex } = networkDevice(takeDevice(words));
  const overwrite = words.keyword("overwrite") !== undefined;
  words.end();
  if (isXdp(type)) {
    const flags = XDP[type] | (overwrite ? 0 : XdpFlag.XDP_FLAGS_UPDATE_IF_NOEXIST);
    xdpAttach({ ifindex, progFd: program.fd, flags });
  } else {
    if (overwrite) throw new UsageError(`overwrite is for XDP: a device may have many ${type} programs`);
    progAttach({ targetIfindex: ifindex, attachBpfFd: program.fd, attachType: TCX[type] });
  }
  return done(output);
}

function detach(words: Words, output: Output): number {
  const type = takeType(words);
  const { ifindex } = networkDevice(takeDevice(words));
  words.end();
  if (isXdp(type)) xdpAttach({ ifindex, progFd: -1, flags: XDP[type] });
  // Without a program the kernel takes the last one that has no link.
  else progDetach({ targetIfindex: ifindex, attachType: TCX[type] });
  return done(output);
}

function isXdp(type: keyof typeof XDP | keyof typeof TCX): type is keyof typeof XDP {
  return Object.hasOwn(XDP, type);
}

function takeType(words: Words): keyof typeof XDP | keyof typeof TCX {
  const word = words.peek();
  const type = words.keyword(...TYPES);
  if (type !== undefined) return type;
  throw new UsageError(
    word === undefined ? "ATTACH_TYPE is missing" : `"${word}" is no attach type; there are ${TYPES.join(", ")}`,
  );
}

function takeDevice(words: Words): string {
  takeWord(words, "dev");
  return words.take("DEVICE");
}
