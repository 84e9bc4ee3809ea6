import type { Warn } from "@x/core/base";
import { phaserError } from "./errors.ts";
import type { Family } from "./lists.ts";

/** Whom options name. */
export interface NamedPeople {
  readonly haploids?: readonly string[];
  readonly pedigree?: readonly Family[];
  readonly warn?: Warn;
}

/**
 * Lists of names that meet none of the samples are another study's (NO_COMMON_SAMPLES); those that meet some are a larger
 * study's (warning SAMPLE_UNKNOWN with the counts). A pedigree that ties no sample to another is refused (PEDIGREE).
 */
export function checkPeople(o: NamedPeople, samples: readonly string[]): void {
  const known = new Set(samples);
  const check = (what: string, names: readonly string[]): void => {
    const unknown = names.filter((name) => !known.has(name));
    if (unknown.length === 0) return;
    const details = { listed: names.length, found: names.length - unknown.length };
    const shown = unknown.slice(0, 5).join(", ") + (unknown.length > 5 ? ", …" : "");
    if (unknown.length === names.length && what !== PARENTS) {
      const message = `none of the ${names.length} ${what} is among the ${samples.length} samples (${shown})`;
      throw phaserError("NO_COMMON_SAMPLES", message, { details });
    }
    const message = `${unknown.length} of ${names.length} ${what} are not among the samples (${shown})`;
    o.warn?.({ code: "SAMPLE_UNKNOWN", message, details });
  };
  check("haploid samples", o.haploids ?? []);
  const { pedigree = [] } = o;
  if (pedigree.length === 0) return;
  const cycle = cycleIn(pedigree);
  if (cycle) throw phaserError("PEDIGREE", cycleMessage(cycle), { details: { cycle } });
  check(
    "children of the pedigree",
    pedigree.map((f) => f.child),
  );
  const here = pedigree.filter((f) => known.has(f.child));
  const parents = [...new Set(here.flatMap((f) => [f.father, f.mother]).filter((name) => name !== null))];
  if (!parents.some((name) => known.has(name))) {
    const message = `no parent of the ${here.length} children is among the ${samples.length} samples: the pedigree says nothing here`;
    const details = { children: here.length, parents: parents.length };
    throw phaserError("PEDIGREE", message, { details });
  }
  check(PARENTS, parents);
}

const PARENTS = "parents named by the pedigree";

/** Names along a cycle, where somebody is their own ancestor. */
export function cycleIn(pedigree: readonly Family[]): string[] | undefined {
  const parents = new Map(pedigree.map((f) => [f.child, [f.father, f.mother].filter((p) => p !== null)]));
  const done = new Set<string>();
  for (const start of parents.keys()) {
    // Depth first without recursion: pedigrees may be deep.
    const path: { name: string; next: number }[] = [{ name: start, next: 0 }];
    const above = new Set([start]);
    while (path.length > 0) {
      const last = path.at(-1)!;
      const parent = done.has(last.name) ? undefined : parents.get(last.name)?.[last.next++];
      if (parent === undefined) {
        done.add(last.name);
        above.delete(last.name);
        path.pop();
      } else if (above.has(parent)) {
        const names = path.map((p) => p.name);
        return [...names.slice(names.indexOf(parent)), parent];
      } else {
        above.add(parent);
        path.push({ name: parent, next: 0 });
      }
    }
  }
  return undefined;
}

/** Says a cycle in words. */
export function cycleMessage(cycle: readonly string[]): string {
  return `${cycle[0]} would be an own ancestor (${cycle.join(", child of ")}); that cannot be`;
}
