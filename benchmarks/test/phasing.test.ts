import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
// @ts-expect-error plain JavaScript: run by Node as it is
import { changedGenotypes, masked, readGenotypes, resolvedByParents } from "../lib/genotypes.mjs";
// @ts-expect-error as above
import { exponent } from "../phaser/growth.mjs";

const folder = mkdtempSync(join(tmpdir(), "phasing-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Rows of position and calls, of a father, a mother and their child. */
function vcf(name: string, rows: [number, ...string[]][]) {
  const path = join(folder, name);
  const lines = rows.map(([at, ...calls]) =>
    [20, at, ".", "A", "C", ".", ".", ".", "GT", ...calls].join("\t"),
  );
  const head = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tdad\tmum\tkid";
  writeFileSync(path, `##fileformat=VCFv4.2\n${head}\n${lines.join("\n")}\n`);
  return readGenotypes(path);
}

describe("counts of a phased file", () => {
  const truth = vcf("truth.vcf", [
    [10, "0|0", "0|1", "0|1"],
    [20, "0|1", "1|0", "0|1"],
    [30, "0|0", "1|0", "0|1"],
    [30, "1|0", "0|0", "1|0"],
  ]);
  const observed = vcf("observed.vcf", [
    [10, "0/0", "0/1", "0/1"],
    [20, "./.", "0/1", "0/1"],
    [30, "0/0", "0/1", "0/1"],
    [30, "0/1", "./.", "0/1"],
  ]);

  it("finds nothing wrong in the truth", () => {
    expect(changedGenotypes(observed, truth)).toBe(0);
    expect(masked(observed, truth, truth)).toEqual({ entries: 2, concordance: 1, r2: 1 });
  });

  it("counts changed genotypes, wrong imputed ones and haplotypes that parents refute", () => {
    const estimate = vcf("estimate.vcf", [
      [10, "0|0", "0|1", "1|0"],
      [20, "1|1", "1|0", "0|1"],
      [30, "0|0", "1|1", "0|1"],
      [30, "1|0", "0|0", "1|0"],
    ]);
    expect(changedGenotypes(observed, estimate)).toBe(1);
    expect(masked(observed, estimate, truth).concordance).toBe(0.5);
    // Only at 10 is a parent homozygous; at 30 the father carries the other ALT, the mother a missing one.
    expect(resolvedByParents(observed, estimate, truth, [["kid", "dad", "mum"]])).toEqual({
      resolved: 1,
      wrong: 1,
    });
    expect(resolvedByParents(observed, truth, truth, [["kid", "dad", "mum"]]).wrong).toBe(0);
  });
});

describe("growth", () => {
  it("fits the exponent of a power", () => {
    const points = [1, 2, 4, 8].map((at) => ({ at, cpu: 3 * at ** 1.5, wall: null }));
    expect(exponent(points, "cpu")).toBeCloseTo(1.5, 12);
    expect(exponent(points, "wall")).toBeNull();
  });
});
