/**
 * CO-RE against BTF the size of a kernel's: 2,000 relocations over 70 structs among 100,000 types. "cold" opens the BTF
 * and builds its name index each time, as a loader does; "warm" is what each further object costs.
 */
import { Btf, BtfBuilder, type BtfType, type CoreRelocation } from "../../lib/btf/mod.ts";
import { relocate } from "../../lib/core/mod.ts";
import { BpfCoreReloKind } from "../../lib/uapi/mod.ts";
import { array, member, ptr, struct, U32, U64, VOID } from "../lib/core/types.ts";

const STRUCTS = 70;
const MEMBERS = 60;
const OTHERS = 33_000;

/** A struct of `MEMBERS` members, a third of them in an anonymous one, shifted by `offset` words. */
function wide(name: string, offset: number): BtfType {
  const at = (i: number) => (i * 2 + offset) * 32;
  const types = [U32, U64, ptr(VOID), array(U32, 2)];
  const inner = Array.from({ length: MEMBERS / 3 }, (_, i) => member(`inner_${i}`, types[i % 4]!, at(i)));
  const outer = Array.from(
    { length: MEMBERS * 2 / 3 },
    (_, i) => member(`outer_${i}`, types[i % 4]!, at(MEMBERS / 3 + i)),
  );
  return struct(name, MEMBERS * 8 + offset * 4, [member("", struct("", MEMBERS * 8, inner), 0), ...outer]);
}

function kernelBytes(): Uint8Array {
  const builder = new BtfBuilder();
  for (let i = 0; i < OTHERS; i++) builder.add(ptr(struct(`other_struct_${i}`, 8, [member("x", array(U32, i), 0)])));
  for (let i = 0; i < STRUCTS; i++) builder.add(wide(`wanted_struct_${i}`, 4));
  return builder.encode();
}

function objectRelocations(count: number): CoreRelocation[] {
  const builder = new BtfBuilder();
  const ids = Array.from({ length: STRUCTS }, (_, i) => builder.add(wide(`wanted_struct_${i}`, 0)));
  const btf = Btf.parse(builder.encode());
  return Array.from({ length: count }, (_, index) => {
    const round = Math.floor(index / STRUCTS);
    const accessor = round % 3 === 0 ? `0:0:${round % 20}` : `0:${1 + round % 40}`;
    const kind = BpfCoreReloKind.BPF_CORE_FIELD_BYTE_OFFSET;
    return { kind, type: btf.type(ids[index % STRUCTS]!), accessor, btf, index };
  });
}

const bytes = kernelBytes();
const opened = Btf.parse(bytes);

for (const count of [100, 2000]) {
  const relocations = objectRelocations(count);
  relocate(relocations, [{ btf: opened, name: "kernel" }]);

  Deno.bench(`${count} relocations, cold`, { group: `${count}`, baseline: true }, () => {
    relocate(relocations, [{ btf: Btf.parse(bytes), name: "kernel" }]);
  });

  Deno.bench(`${count} relocations, warm`, { group: `${count}` }, () => {
    relocate(relocations, [{ btf: opened, name: "kernel" }]);
  });
}
