import type { PlinkStudy } from "@x/plink-io";
import { lmmError } from "./errors.ts";

/** Variants of one chromosome that follow each other in the .bim. */
export interface Chromosome {
  /** As the .bim writes it. */
  readonly name: string;
  /** First row. */
  readonly from: number;
  /** Row after the last. */
  readonly to: number;
}

/**
 * Chromosomes in file order, told apart by their names as written.
 * @throws LOCO_CHROMOSOME when one comes back after another: leaving it out needs it in one piece.
 */
export function chromosomesOf({ bim, p, paths }: Pick<PlinkStudy, "bim" | "p" | "paths">): Chromosome[] {
  const found: Chromosome[] = [];
  const seen = new Set<string>();
  let from = 0;
  for (let row = 1; row <= p; row++) {
    const name = bim.chrom[from]!;
    if (row < p && bim.chrom[row] === name) continue;
    if (seen.has(name))
      throw lmmError(
        "LOCO_CHROMOSOME",
        `${paths.bim}: chromosome ${name} comes back on line ${from + 1} after others; sort the fileset by chromosome (plink --make-bed does).`,
        { details: { chromosome: name, line: from + 1 } },
      );
    seen.add(name);
    found.push({ name, from, to: row });
    from = row;
  }
  return found;
}

/** There is no kinship without this chromosome. */
export function nothingElse(chromosome: string, variants: number): Error {
  return lmmError(
    "LOCO_CHROMOSOME",
    `every kept variant is on chromosome ${chromosome}: without it there is no kinship. Leaving a chromosome out needs variants on another.`,
    { details: { chromosome, variants } },
  );
}

/** The chromosome of a name. @throws LOCO_CHROMOSOME with the names there are. */
export function chromosomeNamed(study: Pick<PlinkStudy, "bim" | "p" | "paths">, name: string): Chromosome {
  const all = chromosomesOf(study);
  const found = all.find((chromosome) => chromosome.name === name);
  if (found) return found;
  throw lmmError(
    "LOCO_CHROMOSOME",
    `no variant of ${study.paths.bim} is on chromosome ${JSON.stringify(name)}; it has ${all.map((c) => c.name).join(", ")}.`,
    { usage: true, details: { chromosome: name, chromosomes: all.map((c) => c.name) } },
  );
}
