/**
 * `debpf btf`: BTF of files and of the kernel. Words and JSON are bpftool's.
 *
 * @module
 */
import { type Command, UsageError } from "../command.ts";
import { readArgs } from "../args.ts";
import { Words } from "./words.ts";

/** The command. */
export const command: Command = {
  usage: `usage: debpf btf list [id ID]
       debpf btf dump SOURCE [format FORMAT] [root_id ID]... [-B BASE]
       debpf btf field PATH [SOURCE]         where task_struct.mm.owner is
       debpf btf users TYPE [SOURCE]         which structs and functions use a type
       debpf btf diff A B [TYPE]...          what changed from one kernel's file to another's

  SOURCE:  file FILE     BTF, or the section .BTF of an ELF file: an object, a kernel, a module;
                         vmlinux is the running kernel
           id ID         BTF that is loaded (debpf btf list)
           map MAP       the types of its keys and values: id ID, name NAME or pinned PATH,
                         and then key, value, kv (default) or all
           prog PROG     id ID, name NAME, tag TAG or pinned PATH
  FORMAT:  raw           type by type (default)
           json          the same as JSON; so do -j and -p
           c             a C header, sorted by kind and name; a C compiler lays out its types
                         as the BTF says
           c unsorted    the same in the order of ids, word for word that of bpftool 7.1
           ts            TypeScript: the values that debpf's library reads and writes

  root_id ID             only this type (with c and ts: and what it needs); may be repeated
  -B, --base-btf BASE    what a module's BTF continues; that of /sys/kernel/btf by itself
                         continues the running kernel's`,
  async run(args, { output }) {
    const { positional, string } = readArgs(args, {
      string: ["B", "base-btf"],
      positional: ["list, dump, field, users or diff", "[WORD]..."],
    });
    const words = new Words(positional);
    const base = string("base-btf") ?? string("B");
    switch (words.keyword("list", "show", "dump", "field", "users", "diff")) {
      case "list":
      case "show":
        return await (await import("./list.ts")).listBtf(words, output);
      case "dump":
        return await (await import("./dump.ts")).dumpBtf(words, base, output);
      case "field":
        return await (await import("./find.ts")).showField(words, base, output);
      case "users":
        return await (await import("./find.ts")).showUsers(words, base, output);
      case "diff":
        return await (await import("./diff.ts")).diffBtfs(words, base, output);
      default:
        throw new UsageError(`debpf btf has no "${words.peek()}"; it has list, dump, field, users and diff`);
    }
  },
};
