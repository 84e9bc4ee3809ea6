// Reference data beside the checkout: a part of 1000 Genomes and of the simulated sets. Said so when it is not there.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkOneAllele, phase, readPedigree, switchError, writeBcf } from "../src/index.ts";
import { folder, SHARED } from "./support.ts";

const at = folder();
const sim = (name: string): string => join(SHARED, "sim", name);
const quick = { map: sim("chr20.gmap.gz"), seed: 1, mcmcIterations: "2b,1p,1b,1p,3m" } as const;

describe.skipIf(!existsSync(SHARED))("shared data", () => {
  it("raremulti, a megabase: no haplotype with two ALTs, where row-wise phasing has some", async () => {
    const region = "20:1000000-1400000";
    await using phased = phase(sim("raremulti.unphased.vcf.gz"), { ...quick, region });
    await writeBcf(phased, at.path("rare.bcf"));
    const check = await checkOneAllele(at.path("rare.bcf"));
    expect(check.atRisk).toBeGreaterThan(100);
    expect([check.haplotypeViolations, check.impossible]).toEqual([0, 0]);
  });

  it("trios: no error where parents resolve a genotype", async () => {
    const pedigree = await readPedigree(sim("trio.fam"));
    const region = "20:1000000-1600000";
    await using phased = phase(sim("trio.unphased.vcf.gz"), { ...quick, region, pedigree });
    await writeBcf(phased, at.path("trio.bcf"));
    const resolved = await switchError(at.path("trio.bcf"), sim("trio.truth.vcf.gz"), {
      pedigree,
      by: "position",
      region,
    });
    expect(resolved.pairs).toBeGreaterThan(1000);
    expect(resolved.switches).toBe(0);
  });
});
