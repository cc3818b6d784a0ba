/**
 * Each system call of loads with all types of maps, declared contents, and pins fails in turn: nothing is left, neither file
 * descriptor nor mapped memory nor pin, and in the end no object in the kernel. (Attaching and events: tests/cli.)
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { Collection, type CollectionSpec, sys } from "../../mod.ts";
import { DebpfError } from "../../lib/errors.ts";
import { inject } from "../ffi/sys/inject.ts";
import { pinFolder } from "../ffi/pin/pin_folder.ts";
import { hasFeature } from "../support/features.ts";
import { needs } from "../support/mod.ts";
import { assertHoldsNothing, assertLeavesNothing } from "../support/leaks.ts";
import { objectSpec } from "./support.ts";

/** Not those that give something back: close, munmap, unlink, rmdir. */
const FALLIBLE = ["bpf", "mmap", "open", "read", "access", "fcntl", "readlink", "statfs", "mkdir", "rename"] as const;
type Fallible = typeof FALLIBLE[number];

/** Makes the call fail for which `decide` gives an error number. */
function failing(decide: (name: Fallible) => number | undefined): Disposable {
  const cleanup = new DisposableStack();
  for (const name of FALLIBLE) {
    cleanup.use(inject(name, (real) =>
      ((...args: unknown[]) => {
        const errno = decide(name);
        return errno === undefined ? (real as (...args: unknown[]) => unknown)(...args) : -errno;
      }) as typeof real));
  }
  return cleanup;
}

interface Case {
  readonly what: string;
  readonly spec: CollectionSpec;
  /** Load it again while the first is there: its pinned map is found. */
  readonly twice?: boolean;
}

function cases(): Case[] {
  return [
    { what: "maps of all types", spec: objectSpec("clang19", "maps") },
    { what: "a prog array with contents", spec: objectSpec("clang19", "truth_tail_call") },
    { what: "a map that is pinned", spec: objectSpec("clang19", "maps_pinned") },
    { what: "a pinned map that is found", spec: objectSpec("clang19", "maps_pinned"), twice: true },
    ...(hasFeature("structOpsLinks") ? [{ what: "struct_ops", spec: objectSpec("clang19", "struct_ops") }] : []),
    ...(hasFeature("arena") ? [{ what: "an arena", spec: objectSpec("clang19", "arena") }] : []),
    ...(hasFeature("insnArray") ? [{ what: "jump tables", spec: objectSpec("clang22", "jump_tables") }] : []),
  ];
}

function load({ spec, twice }: Case, pinPath: string): void {
  using _first = Collection.load(spec, { pinPath });
  if (twice) Collection.load(spec, { pinPath }).close();
}

for (const name of ["ENOMEM", "EPERM", "EINVAL"] as const) {
  const errno = sys.Errno[name];
  Deno.test({
    name: `load: whichever call fails with ${name}, nothing is left`,
    ...needs({ bpf: true, btf: true, bpffs: true, features: ["bloomFilter"] }),
    async fn() {
      for (const one of cases()) {
        const made: Fallible[] = [];
        {
          using folder = pinFolder();
          using _ = failing((call) => void made.push(call));
          load(one, folder.path);
        }
        // What the kernel holds is looked at once: it frees some objects late, so that takes its time.
        const check = errno === sys.Errno.ENOMEM ? assertLeavesNothing : assertHoldsNothing;
        await check(one.what, async () => {
          let noticed = 0;
          for (let target = 0; target < made.length; target++) {
            const what = `${one.what}: call ${target} of ${made.length} (${made[target]}) fails with ${name}`;
            using folder = pinFolder();
            let failed = false;
            await assertHoldsNothing(what, () => {
              let count = 0;
              using _ = failing(() => count++ === target ? errno : undefined);
              try {
                load(one, folder.path);
              } catch (error) {
                failed = true;
                noticed++;
                assert(error instanceof DebpfError || (error as Error).constructor === Error, `${what}: ${error}`);
              }
            });
            // The first of two loads ended well: its pin is meant to stay.
            if (failed && !one.twice && sys.exists(folder.path)) assertEquals(sys.readDir(folder.path), [], what);
          }
          assert(noticed > made.length / 3, `${one.what}: only ${noticed} of ${made.length} failures were noticed`);
        });
      }
    },
  });
}
