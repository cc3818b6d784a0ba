/**
 * Programs on functions of another program: they see its calls, and take the place of its functions.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { attachFreplace, Collection } from "../../mod.ts";
import { needs, shows } from "../support/mod.ts";
import { loadTracer, seen } from "./attach_support.ts";
import { COMPILERS, objectSpec } from "./support.ts";

/** victim_sum(3, 5) + victim_product(3, 5) */
const [A, B] = [3, 5];
const PLAIN = A + B + A * B;
const COOKIE = 77n;

function runVictim(victim: Collection): number {
  const data = new Uint8Array(64);
  data.set([A, B]);
  return victim.program("victim").run({ data }).returnValue;
}

for (const compiler of COMPILERS) {
  Deno.test({
    ...shows("fentry/FUNCTION of a program", `it sees a call's arguments (${compiler})`),
    ...needs({ bpf: true, btf: true, features: ["fentry"] }),
    fn: () => {
      using victim = Collection.load(objectSpec(compiler, "attach_victim"));
      const program = victim.program("victim");
      using collection = loadTracer(compiler, ["on_program_fentry", "on_program_fexit"], {
        attachTo: { on_program_fentry: { program }, on_program_fexit: { program, function: "victim_sum" } },
      });
      const links = collection.attach();
      assertEquals(links.map(({ target }) => target), ["victim:victim_sum", "victim:victim_sum"]);
      assertEquals(runVictim(victim), PLAIN);
      for (const link of links) link.close();
      assertEquals(runVictim(victim), PLAIN);
      const [entry, exit] = [seen(collection, 16), seen(collection, 17)];
      assertEquals([entry.count, entry.values.slice(0, 2)], [1n, [BigInt(A), BigInt(B)]]);
      assertEquals([exit.count, exit.values.slice(0, 3)], [1n, [BigInt(A), BigInt(B), BigInt(A + B)]]);
    },
  });

  Deno.test({
    ...shows("freplace/FUNCTION", `it runs in place of a function of another program (${compiler})`),
    ...needs({ bpf: true, btf: true, features: ["freplace"] }),
    fn: () => {
      using victim = Collection.load(objectSpec(compiler, "attach_victim"));
      using collection = loadTracer(compiler, ["on_freplace"], {
        attachTo: { on_freplace: { program: victim.program("victim") } },
      });
      assertEquals(runVictim(victim), PLAIN);
      {
        const [link] = collection.attach();
        assertEquals([link!.kind, link!.target], ["freplace", "victim:victim_product"]);
        assertEquals(runVictim(victim), A + B + A * 1000 + B);
        link!.close();
      }
      assertEquals(runVictim(victim), PLAIN);
      assertEquals(seen(collection, 18).count, 1n);
    },
  });
}

Deno.test({
  ...shows(
    "attachFreplace() of another program",
    "it runs in place of a function of a program that it was not loaded for",
  ),
  ...needs({ bpf: true, btf: true, features: ["freplace"] }),
  fn: () => {
    using first = Collection.load(objectSpec("clang19", "attach_victim"));
    using second = Collection.load(objectSpec("clang19", "attach_victim"));
    using collection = loadTracer("clang19", ["on_freplace"], {
      attachTo: { on_freplace: { program: first.program("victim") } },
    });
    const program = collection.program("on_freplace");
    const [target] = [second.program("victim")];
    using _ = attachFreplace(program, { target, function: "victim_product" });
    assertEquals([runVictim(first), runVictim(second)], [PLAIN, A + B + A * 1000 + B]);
    assertThrows(() => attachFreplace(program, { target, function: "victim_prodct" }), Error, `"victim_product"`);
  },
});

Deno.test({
  name: "fentry of a program: it gets its cookie",
  ...needs({ bpf: true, btf: true, features: ["tracingCookies"] }),
  fn: () => {
    using victim = Collection.load(objectSpec("clang19", "attach_victim"));
    using collection = loadTracer("clang19", ["on_program_fentry"], {
      cookieSlots: [16],
      attachTo: { on_program_fentry: { program: victim.program("victim") } },
    });
    collection.attach({ cookies: { on_program_fentry: COOKIE } });
    runVictim(victim);
    assertEquals(seen(collection, 16).cookie, COOKIE);
  },
});

Deno.test({
  name: "freplace without a program, and with a function that the program lacks, is an error that says what there is",
  ...needs({ bpf: true, btf: true }),
  fn: () => {
    assertThrows(() => loadTracer("clang19", ["on_freplace"]), Error, "on_freplace: { program, function }");
    using victim = Collection.load(objectSpec("clang19", "attach_victim"));
    const program = victim.program("victim");
    const attachTo = { on_freplace: { program, function: "victim_prodct" } };
    const error = assertThrows(() => loadTracer("clang19", ["on_freplace"], { attachTo }), Error);
    assert((error as Error).message.includes(`"victim_product"`), (error as Error).message);
  },
});
