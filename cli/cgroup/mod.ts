/**
 * `debpf cgroup`: programs of cgroups. Words and JSON are bpftool's.
 *
 * @module
 */
import { cgroupPath } from "../../ffi/attach/mod.ts";
import { open, progAttach, progDetach } from "../../ffi/sys/mod.ts";
import { BpfAttachFlag, type BpfAttachType } from "../../lib/uapi/mod.ts";
import { readArgs } from "../args.ts";
import { Words } from "../btf/words.ts";
import { type Command, type Context, UsageError } from "../command.ts";
import { attachTypeName } from "../kernel_names.ts";
import { done } from "../map/elements.ts";
import { takeProgram } from "../objects.ts";
import type { Output } from "../output.ts";
import { CGROUP_ATTACH_TYPES, cgroupAttachType } from "./attach_types.ts";
import { showCgroup, showTree } from "./show.ts";

const KEYWORDS = ["show", "list", "tree", "attach", "detach"] as const;

/** The command. */
export const command: Command = {
  usage: `usage: debpf cgroup { show | list } CGROUP [effective]
       debpf cgroup tree   [CGROUP] [effective]
       debpf cgroup attach CGROUP ATTACH_TYPE PROG [ATTACH_FLAGS]
       debpf cgroup detach CGROUP ATTACH_TYPE PROG

  CGROUP:       a path of cgroup version 2, or one below its root
  ATTACH_TYPE:  ${typesText()}
  PROG:         id ID, pinned PATH, tag TAG, or name NAME
  ATTACH_FLAGS: multi, override

  effective     also show programs of the cgroups above, in the order in which they run`,
  run(args, context) {
    const { positional } = readArgs(args, { positional: ["[WORD]..."] });
    return runCgroup(new Words(positional), context);
  },
};

/** As many as fit a line each. */
function typesText(): string {
  const lines = [""];
  for (const name of CGROUP_ATTACH_TYPES.map(attachTypeName)) {
    const last = lines.at(-1)!;
    if (last.length + name.length > 80) lines.push(name);
    else lines[lines.length - 1] = last === "" ? name : `${last}, ${name}`;
  }
  return lines.join(",\n                ");
}

async function runCgroup(words: Words, { output }: Context): Promise<number> {
  const word = words.peek();
  const keyword = words.keyword(...KEYWORDS);
  switch (keyword) {
    case "show":
    case "list": {
      const path = words.take("CGROUP");
      return showCgroup(path, takeEffective(words), output);
    }
    case "tree": {
      const root = words.peek() === undefined || words.peek() === "effective" ? undefined : words.take("CGROUP");
      return showTree(root, takeEffective(words), output);
    }
    case "attach":
      return await attach(words, output);
    case "detach":
      return await detach(words, output);
    case undefined: {
      const has = `it has ${KEYWORDS.join(", ")}`;
      throw new UsageError(word === undefined ? `a word is missing; ${has}` : `debpf cgroup has no "${word}"; ${has}`);
    }
    default:
      return keyword satisfies never;
  }
}

function takeEffective(words: Words): boolean {
  const effective = words.keyword("effective") !== undefined;
  words.end();
  return effective;
}

/** Without a link: it stays when this process has ended. */
async function attach(words: Words, output: Output): Promise<number> {
  const path = cgroupPath(words.take("CGROUP"));
  const attachType = takeType(words);
  using program = await takeProgram(words);
  let attachFlags = 0;
  while (words.peek() !== undefined) {
    const flag = words.keyword("multi", "override");
    if (flag === undefined) throw new UsageError(`"${words.peek()}" is no flag; there are multi and override`);
    attachFlags |= flag === "multi" ? BpfAttachFlag.BPF_F_ALLOW_MULTI : BpfAttachFlag.BPF_F_ALLOW_OVERRIDE;
  }
  using cgroup = open(path);
  progAttach({ targetFd: cgroup.value, attachBpfFd: program.fd, attachType, attachFlags });
  return done(output);
}

async function detach(words: Words, output: Output): Promise<number> {
  const path = cgroupPath(words.take("CGROUP"));
  const attachType = takeType(words);
  using program = await takeProgram(words);
  words.end();
  using cgroup = open(path);
  progDetach({ targetFd: cgroup.value, attachBpfFd: program.fd, attachType });
  return done(output);
}

function takeType(words: Words): BpfAttachType {
  const name = words.take("ATTACH_TYPE");
  const type = cgroupAttachType(name);
  if (type === undefined) {
    throw new UsageError(
      `"${name}" is no attach type of cgroups; there are ${CGROUP_ATTACH_TYPES.map(attachTypeName).join(", ")}`,
    );
  }
  return type;
}
